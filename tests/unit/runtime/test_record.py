"""The decision record, from journals made for it: what counts as an override, and what does not."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from governance import events as ev
from governance.decisions import DecisionKind
from governance.record import DecisionRecord, Wanted, spent
from governance.reviews import Choice, ReviewKind, Verdict, approve, edit, reject, respond
from tests.fakes import FIRST_MOMENT
from tests.fixtures.stories import GRACE, MARY, Story


@pytest.mark.parametrize(
    ("advice", "verdict", "overridden"),
    [
        ("approve", approve(), False),
        ("approve", reject(reason="no"), True),
        ("approve", edit({"email": "a@b.example"}, reason="so"), True),
        ("reject", approve(), True),
        ("reject", reject(reason="no"), False),
        ("look", reject(reason="no"), False),
        ("look", approve(), False),
    ],
)
def test_advice_against_verdict(advice: str, verdict: Verdict, overridden: bool) -> None:
    """A verdict that differs overrides advice that took a side; ``look`` takes none."""
    story = Story()
    asked = story.ask(advice=advice)
    story.answer(asked, verdict)
    record = next(each for each in story.records if each.kind is DecisionKind.ADVICE)
    assert bool(record.overridden) is overridden
    if overridden:
        (override,) = record.overridden
        assert (override.by, override.at) == (MARY, FIRST_MOMENT + timedelta(minutes=2))


def test_an_edit_goes_against_the_gate_and_the_planners_plan_and_a_second_edit_against_that_plan_again() -> None:
    """The ruling, once a new revision has its own, is not overridden by what comes later."""
    story = Story()
    story.plan()
    story.gate()
    story.answer(story.ask(), edit({"email": "a@b.example"}, reason="so"))
    story.plan(2, by=MARY)
    story.gate(revision=2)
    story.answer(story.ask(number=2), approve())
    story.plan(3, by=GRACE)
    assert story.over() == {"plan:1 step": ["1 step", "1 step"], "ruling:gate": ["edit"]}
    gates = [each for each in story.records if each.kind is DecisionKind.RULING]
    assert [bool(gate.overridden) for gate in gates] == [True, False]


def test_a_planners_own_replan_overrides_nothing_and_peoples_no_to_it_does() -> None:
    """The question about a revised plan shows the planner's decision: it is recorded once, where it was written."""
    story = Story()
    story.plan()
    story.plan(2, instead_of=("account",))
    shown = next(each for each in reversed(story.records) if each.kind is DecisionKind.PLAN)
    asked = story.ask(ReviewKind.PLAN, step="")
    story.answer(asked, reject(reason="too much"))
    plans = [each for each in story.records if each.kind is DecisionKind.PLAN]
    assert [len(each.overridden) for each in plans] == [0, 1]
    assert plans[1].id == shown.id


@pytest.mark.parametrize(
    ("diagnosis", "answer", "overridden"),
    [
        (ev.Recovery.ASK, "close", False),
        (ev.Recovery.RETRY, "resume", False),
        (ev.Recovery.RETRY, "undo", True),
        (ev.Recovery.REPLAN, "resume", True),
        (ev.Recovery.COMPENSATE, "undo", False),
        (ev.Recovery.COMPENSATE, "close", True),
    ],
)
def test_a_diagnosis_against_what_a_person_chose_for_the_parked_run(
    diagnosis: ev.Recovery, answer: Any, overridden: bool
) -> None:
    """``ask`` leaves it to them; for the others resume is retry and undo is compensate."""
    story = Story()
    story.fail(diagnosis)
    story.answer(story.ask(ReviewKind.PARKED, step=""), respond(answer, reason="I know"))
    assert story.over() == ({f"diagnosis:{diagnosis.value}": [answer]} if overridden else {})


def test_a_resume_by_command_counts_like_an_answer_and_one_by_answer_only_once() -> None:
    """The event that carries out an answer is no second decision."""
    story = Story()
    story.fail(ev.Recovery.COMPENSATE)
    story.tell(ev.RunResumed(by=MARY, reason="wait", steps=("account",)), cause="inbox:1")
    story.fail(ev.Recovery.COMPENSATE)
    story.answer(story.ask(ReviewKind.PARKED, step=""), respond("resume", reason="wait"))
    story.tell(ev.RunResumed(by=MARY, reason="wait", steps=("account",)), cause="resumed:2")
    chosen = [(each.kind.value, each.choice) for each in story.records if each.by_person]
    assert chosen == [("intervention", "resume"), ("verdict", "resume")]
    assert [len(each.overridden) for each in story.records if each.kind is DecisionKind.DIAGNOSIS] == [1, 1]


def test_silence_is_a_decision_by_rule_which_a_person_may_override() -> None:
    """More people are asked, then it is a no; whoever resumes the run and asks again goes against that."""
    story = Story()
    asked = story.ask()
    up = {"review_id": asked.id, "step": "account", "level": 1, "why": "nobody answered", "asked_at": FIRST_MOMENT}
    story.tell(ev.ReviewEscalated(**up, added=(GRACE,)))
    story.tell(ev.ReviewEscalated(**{**up, "level": 2}))
    story.tell(ev.ReviewClosed(review_id=asked.id, step="account", status="expired", why="nobody answered"))
    story.tell(ev.RunResumed(by=MARY, reason="back from leave", steps=("account",)), cause="inbox:2")
    silence = [each for each in story.records if each.kind is DecisionKind.ESCALATION]
    assert [(each.choice, each.decider) for each in silence] == [
        (f"also ask {GRACE}", "rule:escalation"),
        ("refuse", "rule:silence-is-no"),
    ]
    assert story.over() == {"escalation:refuse": ["resume"]}


def test_a_question_that_is_withdrawn_is_no_decision() -> None:
    """Nobody decided; it went away."""
    story = Story()
    asked = story.ask()
    story.tell(ev.ReviewClosed(review_id=asked.id, step="account", status="withdrawn", why="cancelled"))
    assert story.records == ()


def test_a_yes_by_rule_is_overridden_by_a_persons_no_to_the_same_step() -> None:
    """Who answers in people's place is a rule, and says so."""
    story = Story()
    story.answer(story.ask(), approve(), by="rule:earned-autonomy")
    story.answer(story.ask(number=2), approve())
    assert story.over() == {}
    story.answer(story.ask(number=3), approve(), by="rule:earned-autonomy")
    story.answer(story.ask(number=4), reject(reason="not this one"))
    over = [each for each in story.records if each.overridden]
    assert [(each.review, each.decider) for each in over] == [("rv-000000000003", "rule:earned-autonomy")]


def test_a_playbook_that_takes_back_decides_and_a_person_who_does_is_not_counted_twice() -> None:
    """The rule is named; a cancel is the intervention, not the undo that follows it."""
    story = Story()
    story.tell(ev.UndoBegun(why="refused", by="playbook:onboarding@1", items=(), ends="undone"))
    story.tell(ev.CancelAsked(by=MARY, reason="declined"), cause="inbox:3")
    story.tell(ev.UndoBegun(why="declined", by=MARY, items=(), ends="cancelled"))
    assert [(each.choice, each.decider) for each in story.records] == [
        ("compensate", "rule:playbook:onboarding@1"),
        ("cancel", f"person:{MARY}"),
    ]


def test_the_ruling_of_a_step_goes_with_what_is_decided_about_its_items() -> None:
    """``account[berlin]`` is ruled on as ``account``, and an edit of it goes against that gate."""
    story = Story()
    story.gate()
    asked = story.ask(step="account[berlin]", advice="approve")
    story.answer(asked, edit({"site": "x"}, reason="so"))
    notes = {each.step: each.ruling for each in story.records}
    assert notes["account[berlin]"] == notes["account"]
    assert "ruling:gate" in story.over()


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"steps": None},
        {"steps": "none"},
        {"steps": [1, {"id": "a"}, {"id": "a", "tool": "t@1", "confidence": "much"}]},
    ],
)
def test_a_plan_that_is_no_plan_is_recorded_too(document: dict[str, Any]) -> None:
    """Plans are journaled as written, right or wrong."""
    story = Story()
    story.plan(document=document)
    (record,) = story.records
    assert [(each.step, each.confidence) for each in record.planned] in ([], [("a", None)])


def test_what_models_took_is_summed() -> None:
    """Calls, tokens, cost and time; who asked no model adds nothing."""
    story = Story()
    story.plan()
    story.plan(2)
    story.plan(3, by=MARY)
    total = spent(story.records)
    assert (total.asked, total.calls, total.tokens_in, total.cost_microusd) == (2, 2, 1_800, 2_400)


def test_wanted_is_from_the_first_moment_to_before_the_last() -> None:
    """``since`` is in, ``until`` is not; kinds narrow."""
    story = Story()
    story.plan()
    (record,) = story.records
    assert Wanted(since=record.at).fits(record)
    assert not Wanted(until=record.at).fits(record)
    assert not Wanted(kinds=frozenset({DecisionKind.ADVICE})).fits(record)
    assert Wanted(kinds=frozenset({DecisionKind.PLAN}), until=record.at + timedelta(seconds=1)).fits(record)


def test_a_record_is_read_back_from_its_line() -> None:
    """The exported form is the record, whole, with its version."""
    story = Story()
    story.plan()
    story.answer(story.ask(advice="reject"), Verdict(choice=Choice.APPROVE))
    for record in story.records:
        assert DecisionRecord.model_validate(record.shape()) == record
        assert record.shape()["schema"] == "steward.decision/1"
