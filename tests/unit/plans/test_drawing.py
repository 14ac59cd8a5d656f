"""A plan draws itself: narrow enough to read, whole, and safe to put on a page."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from governance.policy import Ruling, RulingKind
from plans.checked import CheckedPlan
from plans.checker import check
from plans.drawing import draw_svg, draw_text
from plans.language import Plan
from plans.layers import direct_needs, layers
from plans.wording import condition_text
from tests.unit.plans.company import IN_OFFICE, eq, plan, ref, step
from tests.unit.plans.good_plans import GOOD

SVG = "{http://www.w3.org/2000/svg}"


def _onboarding() -> CheckedPlan:
    passed = check(*GOOD["onboarding"]).plan
    assert passed is not None
    return passed


def test_lists_and_moments_are_drawn() -> None:
    """For each of what, and not before when: in the text and in the picture."""
    each = step(
        "it", "mail.read", for_each={"items": ref("request.phones"), "key": ref("item")}, not_before="2027-02-01"
    )
    drawn = Plan.model_validate(plan(each))
    assert "for each of request.phones; not before 2027-02-01" in draw_text(drawn, {}, {})
    assert "for each of request.phones" in draw_svg(drawn, {}, {})


def test_text_fits_a_terminal_and_names_every_step() -> None:
    """Fourteen steps in a hundred columns, each with tool, confidence and, where there is a gate, who decides."""
    passed = _onboarding()
    drawn = draw_text(passed.plan, passed.needs, passed.rulings, {"badge": "waiting"})
    lines = drawn.splitlines()
    assert max(map(len, lines)) <= 100
    for each in passed.plan.steps:
        assert any(each.id in line and each.tool in line and "90%" in line for line in lines)
    badge = next(number for number, line in enumerate(lines) if "security.issue_badge@1" in line)
    assert "◆ badge" in lines[badge]
    assert lines[badge].endswith("waiting")
    assert "after desk, employee" in lines[badge + 1]
    assert "decided by annie.easley@acme.example" in lines[badge + 1]


def test_text_keeps_its_width_whatever_it_draws() -> None:
    """Long names are cut, not wrapped."""
    long = plan(step("a" * 60, "mail." + "send" * 30), step("b", "mail.send", after=["a" * 60]))
    drawn = draw_text(Plan.model_validate(long), {"b": {"a" * 60}}, {}, width=80)
    assert max(map(len, drawn.splitlines())) <= 80
    assert draw_text(Plan(playbook="x@1", steps=()), {}, {}).startswith("x@1 · 0 steps")


def test_layers_put_a_step_below_all_that_it_needs() -> None:
    """And a circle into the last layer, so that a broken plan can be drawn too."""
    passed = _onboarding()
    depth = {each.id: number for number, row in enumerate(layers(passed.plan, passed.needs)) for each in row}
    assert all(depth[need] < depth[each] for each, needs in passed.needs.items() for need in needs)
    circle = Plan.model_validate(plan(step("a", "x"), step("b", "x"), step("c", "x")))
    rows = layers(circle, {"a": {"b"}, "b": {"a"}, "c": set()})
    assert [[each.id for each in row] for row in rows] == [["c"], ["a", "b"]]
    assert "<svg" in draw_svg(circle, {"a": {"b"}, "b": {"a"}, "c": set()}, {})


def test_lines_that_follow_from_others_are_not_drawn() -> None:
    """c needs b and a, b needs a: only two lines."""
    assert direct_needs({"a": set(), "b": {"a"}, "c": {"a", "b"}}) == {"a": [], "b": ["a"], "c": ["b"]}


def test_the_picture_is_whole_and_loads_nothing() -> None:
    """Well-formed XML, a card for each step, dark and light, and no address but the namespace."""
    passed = _onboarding()
    drawn = draw_svg(passed.plan, passed.needs, passed.rulings, {"badge": "waiting", "account": "done"})
    root = ET.fromstring(drawn)
    words = [text.text for text in root.iter(f"{SVG}text")]
    assert {each.id for each in passed.plan.steps} <= set(words)
    assert "◆ annie.easley" in words
    assert "prefers-color-scheme:dark" in drawn
    assert drawn.count("http") == 1
    assert "<script" not in drawn


def test_nothing_stands_outside_the_picture() -> None:
    """Every card lies within the view box, and no two lie on each other."""
    passed = _onboarding()
    root = ET.fromstring(draw_svg(passed.plan, passed.needs, passed.rulings))
    _, _, width, height = (float(part) for part in root.attrib["viewBox"].split())
    cards = [rect.attrib for rect in root.iter(f"{SVG}rect") if rect.attrib["class"] == "card"]
    boxes = [tuple(float(card[name]) for name in ("x", "y", "width", "height")) for card in cards]
    assert len(boxes) == len(passed.plan.steps)
    assert all(x >= 0 and y >= 0 and x + w <= width and y + h <= height for x, y, w, h in boxes)
    for number, (x, y, w, h) in enumerate(boxes):
        assert all(x + w <= a or a + c <= x or y + h <= b or b + d <= y for a, b, c, d in boxes[number + 1 :])


def test_text_in_the_picture_is_escaped() -> None:
    """A plan is written by a model: what it says is shown, not run."""
    evil = "</title><script>alert(1)</script>"
    document = plan({**step("a", "x<y>&"), "reason": evil, "when": eq("request.a", evil)})
    ruling = Ruling(step="a", kind=RulingKind.FORBID, rule="<r>", because=evil)
    drawn = draw_svg(Plan.model_validate(document), {"a": ()}, {"a": ruling}, {"a": evil})
    assert "<script" not in drawn
    assert ET.fromstring(drawn).findtext(f".//{SVG}g/{SVG}title") is not None


def test_conditions_read_as_sentences() -> None:
    """Also those that are nested, and what is no condition at all."""
    assert condition_text(IN_OFFICE) == "request.work_mode is not remote"
    nested = {"$all": [{"$exists": ref("a.b")}, {"$not": {"$in": [ref("a.c"), [1, None]]}}]}
    assert condition_text(nested) == "(there is a.b and not a.c in 1, null)"
    assert condition_text(5) == "5"
