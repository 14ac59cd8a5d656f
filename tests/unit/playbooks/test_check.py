"""``check_playbook``: what keeps a playbook from working is named, all at once."""

from typing import Any

import pytest

from governance.canonical import digest
from governance.effects import EffectClass
from playbooks.check import check_playbook
from playbooks.loader import load_playbooks
from playbooks.model import Playbook
from playbooks.people import load_people
from tools.contract import ToolSpec

TOOLS = {
    "shop.order@1": ToolSpec(
        id="shop.order@1",
        system="shop",
        summary="Orders.",
        input={"type": "object", "properties": {"who": {"type": "string"}, "size": {"type": "string"}}},
        output={"type": "object", "properties": {}},
        effect=EffectClass.NATURAL_KEY,
        irreversible="it is gone",
        provides="shop.thing",
    )
}
DOCUMENT: dict[str, Any] = {
    "name": "order",
    "version": 1,
    "title": "Order for {request.who}",
    "summary": "Orders a thing.",
    "request": {
        "type": "object",
        "required": ["who"],
        "properties": {"who": {"type": "string", "x-ask": "For whom?"}, "size": {"enum": ["S", "L"], "default": "S"}},
    },
    "goals": [{"id": "thing", "provides": "shop.thing", "args": {"who": {"$ref": "request.who"}}, "reason": "wanted"}],
}


def _codes(**changes: Any) -> list[tuple[str, str]]:
    playbook = Playbook.model_validate(DOCUMENT | changes)
    return [(finding.code, finding.place) for finding in check_playbook(playbook, TOOLS, load_people())]


def test_a_good_playbook_has_no_findings() -> None:
    """The baseline that every broken one departs from."""
    assert _codes() == []


def _goal(**changes: Any) -> list[dict[str, Any]]:
    return [{**DOCUMENT["goals"][0], **changes}]


@pytest.mark.parametrize(
    ("changes", "code", "place"),
    [
        ({"goals": []}, "goal-none", "goals"),
        ({"goals": _goal() + _goal()}, "goal-twice", "goals.thing"),
        ({"goals": _goal(provides="shop.thin")}, "goal-unreachable", "goals.thing.provides"),
        ({"goals": _goal(decide={})}, "goal-decides-nothing", "goals.thing.decide"),
        ({"goals": _goal(args={"whom": "x"})}, "goal-unknown-argument", "goals.thing.args.whom"),
        ({"goals": _goal(args={"who": {"$ref": "request.wo"}})}, "reference-unknown", "goals.thing.args.who"),
        ({"goals": _goal(args={"who": {"$text": "{request.wo}"}})}, "reference-unknown", "goals.thing.args.who"),
        ({"goals": _goal(after=["other"])}, "goal-unknown", "goals.thing.after"),
        ({"goals": _goal(when={"$like": [1, 2]})}, "condition-form", "goals.thing.when"),
        ({"goals": _goal(when={"$eq": [{"$ref": "request.sise"}, "S"]})}, "reference-unknown", "goals.thing.when"),
        ({"derived": {"colour": "red"}}, "derived-unknown", "derived.colour"),
        ({"derived": {"size": {"$text": "{request.who|shout}"}}}, "expression-form", "derived.size"),
        ({"derived": {"size": {"$ref": "request.nobody"}}}, "expression-form", "derived.size"),
        ({"derived": {"size": {"$map": "x"}}}, "expression-form", "derived.size"),
        ({"derived": {"size": {"$pick": 1}}}, "expression-form", "derived.size"),
        ({"title": "Order for {request.nobody}"}, "expression-form", "title"),
        (
            {"request": {"type": "object", "properties": {"who": {"type": "strin"}}}},
            "request-schema",
            "request.properties.who.type",
        ),
        ({"chain": ["king"]}, "approver-unknown", "chain.0"),
        ({"chain": ["person:who@acme.example"]}, "approver-unknown", "chain.0"),
        ({"escalation": [{"after_hours": 4, "to": ["king"]}]}, "approver-unknown", "escalation.0.to"),
        (
            {"escalation": [{"after_hours": 4, "to": ["hr"]}, {"after_hours": 4, "to": ["it"]}]},
            "escalation-hours",
            "escalation.1.after_hours",
        ),
        (
            {"policy": [{"name": "p", "then": "gate", "because": "x", "approvers": ["queen"]}]},
            "approver-unknown",
            "policy.p.approvers",
        ),
        ({"policy": [{"name": "p", "then": "gate", "because": "x"}]}, "policy-no-approver", "policy.p.approvers"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(changes: dict[str, Any], code: str, place: str) -> None:
    """One change, one code, at its place."""
    assert (code, f"order@1: {place}") in _codes(**changes)


def test_a_default_must_fit_and_a_required_field_needs_a_question() -> None:
    """A default outside the enum is an error, a missing question a warning."""
    request = {
        "type": "object",
        "required": ["who", "gone"],
        "properties": {"who": {"enum": ["a"], "default": "b"}, "x": {}},
    }
    title = "Order"
    codes = _codes(request=request, title=title, goals=_goal(args={}))
    assert ("request-schema", "order@1: request.who.default") in codes
    assert ("request-schema", "order@1: request.required") in codes


def test_many_problems_come_together() -> None:
    """Findings are collected, not raised one by one."""
    assert len(_codes(goals=_goal(provides="x", after=["y"]), title="{request.z}", chain=["nobody"])) == 4


def test_ours_reach_their_goals_only_with_their_tools() -> None:
    """Against a catalog without any system every goal is unreachable, and nothing else is wrong."""
    for playbook in load_playbooks():
        found = check_playbook(playbook, TOOLS, load_people())
        assert {finding.code for finding in found} <= {"goal-unreachable"}
        assert len(found) == len(playbook.goals)


def test_a_playbook_without_escalation_keeps_the_digest_that_runs_have_pinned() -> None:
    """Some fields came later: runs that wait must not find their playbook changed by them."""
    playbook = Playbook.model_validate(DOCUMENT)
    before = playbook.model_dump(mode="json", exclude={"escalation", "on_refusal", "open_goals", "budget", "priority"})
    for goal in before["goals"]:
        assert goal.pop("decide") is None
    assert playbook.digest == digest(before)
    decides = Playbook.model_validate(DOCUMENT | {"goals": _goal(decide={})})
    surer = Playbook.model_validate(DOCUMENT | {"goals": _goal(decide={"confidence_at_least": 0.9})})
    assert len({each.digest for each in (playbook, decides, surer)}) == 3
    changed = Playbook.model_validate(DOCUMENT | {"escalation": [{"after_hours": 4, "to": ["hr"]}]})
    assert changed.digest != playbook.digest
