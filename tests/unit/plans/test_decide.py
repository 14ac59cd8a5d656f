"""``decide``: where it may stand, what type a choice has, and that nobody launders a value of his own through an agent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from governance.decisions import Decide
from governance.goals import Goal
from governance.policy import Policy, PolicyRule, RulingKind
from plans.checked import Checked
from plans.checker import check
from plans.difference import difference
from plans.language import Plan
from tests.unit.plans.company import CATALOG, KATHERINE, plan, premises, ref, step
from tools.inside import CHOOSE, TOOLS

SPECS = {**CATALOG, **{tool.id: tool.spec for tool in TOOLS}}
GATED = Policy(
    (
        PolicyRule(name="all", then=RulingKind.GO, because="it is a test"),
        PolicyRule(
            name="outside",
            then=RulingKind.GATE,
            when={"$eq": [{"$ref": "tainted_sensitive"}, True]},
            because="it came from outside",
            approvers=("finance",),
        ),
    )
)
ASKER = KATHERINE.model_copy(update={"permissions": frozenset({"*"})})
ARGS: dict[str, Any] = {
    "question": "Which group is it?",
    "options": ["sales", "staff"],
    "facts": {"mode": ref("request.work_mode")},
    "to": "finance",
}


def choice(args: Mapping[str, Any] = ARGS, **more: Any) -> dict[str, Any]:
    """The step that chooses."""
    return step("group", "choice.make", dict(args), **{"decide": {}, **more})


def checked(*steps: dict[str, Any], goals: Sequence[Goal] = (), **more: Any) -> Checked:
    """What the checker says."""
    given: dict[str, Any] = {"tools": SPECS, "policy": GATED, "requester": ASKER, **more}
    reached = {goal.id: goal.id for goal in goals}
    return check({**plan(*steps), "goal_steps": reached}, premises(goals, **given))


def codes(*steps: dict[str, Any]) -> list[tuple[str, str]]:
    """The errors, as code and place."""
    return [(finding.code, finding.place) for finding in checked(*steps).errors]


def test_a_choice_is_one_of_its_options_for_whoever_refers_to_it() -> None:
    """It goes where these words are taken, and a condition that asks for another word has no answer."""
    when: dict[str, Any] = {"$eq": [ref("group.choice"), "staff"]}
    find = step("find", "identity.find_account", {"email": ref("request.email")}, when=when)
    assert codes(choice(), find) == []
    when["$eq"][1] = "director"
    assert codes(choice(), find) == [("incomparable", "steps.find.when")]


@pytest.mark.parametrize(
    ("written", "place"),
    [
        (choice({**ARGS, "facts": {}}), "steps.group.decide"),
        (choice({name: part for name, part in ARGS.items() if name != "facts"}), "steps.group.decide"),
        (choice({**ARGS, "facts": ref("request")}), "steps.group.decide"),
        (choice({**ARGS, "question": {"$text": "Which for {request.work_mode}?"}}), "steps.group.decide"),
    ],
)
def test_an_agent_needs_named_facts_and_a_question_of_the_plans_own(written: dict[str, Any], place: str) -> None:
    """Otherwise it would choose by nothing, or be told what to do by a value."""
    assert ("nothing-to-decide", place) in codes(written)


@pytest.mark.parametrize("least", [0.49, 1.01, "sure", None])
def test_an_agent_that_may_be_unsure_of_everything_is_refused(least: Any) -> None:
    """Less than even odds is no confidence."""
    assert ("plan-malformed", "steps.group.decide.confidence_at_least") in codes(
        choice(decide={"confidence_at_least": least})
    )


def test_options_are_written_out_for_an_agent_too() -> None:
    """No value can add one."""
    wrong = choice({**ARGS, "options": {"$ref": "request.groups"}})
    assert ("bad-literal", "steps.group.args.options") in codes(wrong)


FIND = step("find", "identity.find_account", {"email": ref("request.email")})
JOIN = step("join", "identity.add_to_group", {"user_id": ref("find.user_id"), "group": ref("group.choice")})
"""Which group somebody joins is sensitive."""


def ruling(found: Checked, step_id: str) -> RulingKind:
    """The policy's word on a step of a sound plan."""
    assert found.errors == ()
    return next(each.kind for each in found.rulings if each.step == step_id)


GOAL = Goal(id="group", provides="choice.made", args=ARGS, decide=Decide(), reason="wanted")


def test_what_an_agent_chose_by_untrusted_facts_is_untrusted() -> None:
    """An agent is no laundry: what comes out of a choice is as trusted as the facts that went in."""
    steps = (choice(), FIND, JOIN)
    assert ruling(checked(*steps, goals=[GOAL], vouched={}), "join") is RulingKind.GO
    dirty = checked(*steps, goals=[GOAL], vouched={}, untrusted=frozenset({"work_mode"}))
    assert ruling(dirty, "join") is RulingKind.GATE


def test_a_planner_that_puts_an_agent_in_a_persons_place_made_that_up() -> None:
    """The goal has a person choose. Whoever writes ``decide`` on its step chooses who chooses, so it is looked at."""
    asks_people = GOAL.model_copy(update={"decide": None})
    steps = (choice(), FIND, JOIN)
    assert ruling(checked(*steps, goals=[asks_people], vouched={}), "join") is RulingKind.GATE
    less_sure = (choice(decide={"confidence_at_least": 0.5}), FIND, JOIN)
    assert ruling(checked(*less_sure, goals=[GOAL], vouched={}), "join") is RulingKind.GATE


def test_a_revision_that_lets_an_agent_choose_widens_what_takes_the_choice() -> None:
    """It is for people to agree to."""
    decides: tuple[dict[str, Any] | None, ...] = (None, {})
    old, new = (Plan.model_validate(plan(choice(decide=decide), FIND, JOIN)) for decide in decides)
    assert difference(old, new, SPECS).widens == ("the effect join takes values from a step that was changed",)


def test_a_document_keeps_what_is_said_of_the_agent() -> None:
    """Also where it is the default, which is not nothing."""
    written = Plan.model_validate(plan(choice()))
    assert written.document()["steps"][0]["decide"] == {}
    assert Plan.model_validate(written.document()) == written
    assert written.steps[0].tool == CHOOSE
