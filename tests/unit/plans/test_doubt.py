"""Ways by which a planner could pass off a value of its own, over the tools, the policy and the people that ship."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from governance.people import Person
from governance.policy import Policy, RulingKind
from graphs.engine import startable
from plans.checked import Checked, Premises
from plans.checker import check
from plans.difference import difference
from plans.language import Plan
from playbooks.company import load_company
from playbooks.requests import closed_schema
from tools.catalog import load_catalog

CATALOG, COMPANY = load_catalog(None), load_company()
ASKER = Person(
    id="katherine.johnson@acme.example",
    name="Katherine Johnson",
    permissions=frozenset({"*"}),
    manager="grace.hopper@acme.example",
)
EVIL = "somebody@elsewhere.example"
PURCHASE = {"item": "laptop", "amount": 900, "supplier": "Nordwind", "category": "hardware", "cost_centre": "R&D"}
ORDER = {name: {"$ref": f"request.{name}"} for name in PURCHASE}


def step(step_id: str, tool: str, args: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """A step of which the planner is sure."""
    return {"id": step_id, "tool": tool, "args": args, "reason": "wanted", "confidence": 0.95, **more}


def mail(to: Any, **more: Any) -> dict[str, Any]:
    """A letter."""
    return step("letter", "mail.send@1", {"to": to, "subject": "Hello", "text": "Hello"}, **more)


def ruled(*steps: Mapping[str, Any], book: str = "adhoc", request: Mapping[str, Any] | None = None) -> Checked:
    """What the checker says of a model's plan, for somebody who may do everything."""
    playbook = next(each for each in COMPANY.playbooks if each.name == book)
    premises = Premises(
        tools=CATALOG.specs,
        request_schema=closed_schema(playbook),
        request=request or {"wish": "a letter", "goals": []},
        goals=(),
        policy=Policy([*COMPANY.policy, *playbook.policy]),
        directory=COMPANY.directory,
        requester=ASKER,
        untrusted=playbook.untrusted,
        startable=startable(COMPANY.playbooks),
        vouched={},
    )
    document = {"schema": 1, "playbook": playbook.id, "goal_steps": {}, "steps": list(steps)}
    return check(document, premises)


def kind_of(checked: Checked, step_id: str) -> RulingKind:
    """The ruling on a step of a plan that passed."""
    assert checked.errors == ()
    return next(ruling.kind for ruling in checked.rulings if ruling.step == step_id)


def test_a_made_up_recipient_is_not_laundered_through_a_list() -> None:
    """Whoever is written into ``for_each`` is made up as one written into the argument is; nobody asked is not needed."""
    each = {"items": [EVIL], "key": {"$ref": "item"}}
    assert kind_of(ruled(mail({"$ref": "item"}, for_each=each)), "letter") is RulingKind.GATE
    assert kind_of(ruled(mail({"$text": "{item}"}, for_each=each)), "letter") is RulingKind.GATE


def test_a_made_up_recipient_is_not_laundered_through_a_step_that_repeats_it() -> None:
    """An enrolment says whom it is for: what went into it made up comes out made up. What was asked for comes out clean."""
    echo = {"$ref": "course.email"}
    course = step("course", "training.enrol@1", {"email": EVIL, "course": {"$ref": "request.course"}})
    asked = {"wish": "a letter", "goals": [], "email": "ada@acme.example", "course": "code-of-conduct"}
    assert kind_of(ruled(course, mail(echo), request=asked), "letter") is RulingKind.GATE
    clean = step("course", "training.enrol@1", {name: {"$ref": f"request.{name}"} for name in ("email", "course")})
    assert kind_of(ruled(clean, mail(echo), request=asked), "letter") is RulingKind.GO


def test_a_made_up_value_that_the_policy_looks_at_does_not_choose_what_it_says() -> None:
    """A planner that says itself that a supplier is known and the budget is large gets a person's look."""
    looked_up = [
        step("history", "procurement.supplier_history@1", {"supplier": {"$ref": "request.supplier"}}),
        step("budget", "procurement.budget_left@1", {"cost_centre": {"$ref": "request.cost_centre"}}),
    ]
    invented = {**ORDER, "supplier_standing": "known", "budget_left": 1_000_000}
    checked = ruled(
        *looked_up, step("order", "procurement.place_order@1", invented), book="purchase-approval", request=PURCHASE
    )
    ruling = next(each for each in checked.rulings if each.step == "order")
    assert ruling.kind is RulingKind.GATE
    assert "untrusted-needs-a-person" in ruling.gates


@pytest.mark.parametrize("named", ["purchase-approval", {"$text": "purchase-approval"}, {"$ref": "request.wish"}])
def test_a_made_up_request_is_not_laundered_through_another_run(named: Any) -> None:
    """What a run is started with nobody looks at again there, so somebody looks at it here."""
    request = {**PURCHASE, "supplier": "Elsewhere"}
    checked = ruled(step("child", "runs.start@1", {"playbook": named, "request": request}))
    assert kind_of(checked, "child") is RulingKind.GATE


def test_what_the_other_run_does_not_trust_may_go_to_it() -> None:
    """A billing dispute takes customer and invoice for untrusted itself: no person is asked twice."""
    request = {"customer": "somebody@customer.example", "invoice": "INV-20271"}
    checked = ruled(step("child", "runs.start@1", {"playbook": "billing-dispute", "request": request}))
    assert kind_of(checked, "child") is RulingKind.GO


def test_a_read_that_a_replan_skips_widens_what_takes_its_value() -> None:
    """Without it a ``$first`` gives another recipient: that is for people to agree to."""
    find = step("find", "orgchart.find_person@1", {"email": "ada@acme.example"})
    letter = mail({"$first": [{"$ref": "find.email"}, {"$ref": "request.email"}]})
    old, new = (
        Plan.model_validate({"schema": 1, "playbook": "adhoc@1", "steps": [each, letter]})
        for each in (find, {**find, "when": {"$eq": [1, 2]}})
    )
    assert difference(old, new, CATALOG.specs).widens == (
        "the effect letter takes values from a step that was changed",
    )
