"""What experience proposes, what it never does, and what came of decisions as a journal tells it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance import events as ev
from governance.autonomy import (
    LEAST_YES,
    AutonomyRule,
    Direction,
    Ground,
    RuleStatus,
    proposals,
    with_earned,
)
from governance.chain import Entry
from governance.decisions import Corrected, Decision, DecisionKind, basis_of
from governance.effects import EffectClass, FailureClass, Intent, StepStatus, UndoItem
from governance.policy import AutoTerms, PolicyRule, Ruling, RulingKind, StepFacts
from governance.reviews import ReviewCard, Verdict, approve, edit, reject
from governance.scores import Experience, Outcome, Score, magnitude
from governance.scoring import Scored, scored
from tests.fixtures.journals import Chain

NOW = datetime(2027, 1, 4, 9, tzinfo=UTC)
BADGE, PAY = "security.issue_badge@1", "payroll.create_employee@1"
GATE = PolicyRule(name="badge", then=RulingKind.GATE, because="doors", approvers=("security",))


def _score(number: int, outcome: Outcome = Outcome.RIGHT, **changes: object) -> Score:
    known: dict[str, object] = {
        "run_id": f"run-{number}",
        "seq": 1,
        "at": NOW + timedelta(hours=number),
        "kind": DecisionKind.ADVICE,
        "playbook": "onboarding@1",
        "decider": "rule:advisor",
        "confidence": 0.8,
        "outcome": outcome,
        "tool": BADGE,
        "choice": "approve",
        "rule": "badge",
    }
    return Score(**{**known, **changes})  # type: ignore[arg-type]  # by name


GROUND = Ground(
    reversible=lambda tool: tool == BADGE,
    has_amount=lambda tool: tool == PAY,
    approvers=lambda _playbook, rule: ("manager",) if rule == "reversible-goes" else (),
)


def _proposed(scores: Sequence[Score], known: Sequence[AutonomyRule] = ()) -> list[AutonomyRule]:
    return proposals(scores, known, GROUND, NOW + timedelta(days=90))


def test_enough_followed_advice_proposes_a_wider_rule_within_its_limits() -> None:
    """Forty in a row, not thirty-nine; it holds for the tool, the playbook and the gate that they were about."""
    yes = [_score(number) for number in range(LEAST_YES)]
    assert _proposed(yes[:-1]) == []
    (rule,) = _proposed(yes)
    assert (rule.direction, rule.tool, rule.playbook, rule.answers) == (
        Direction.WIDER,
        BADGE,
        "onboarding@1",
        ("badge",),
    )
    assert rule.terms is not None
    assert (rule.terms.minimum, rule.terms.irreversible, rule.terms.untrusted) == (LEAST_YES, False, False)
    assert rule.evidence.bound > 0.9
    assert _proposed(yes) == [rule], "the same evidence is the same proposal"
    assert _proposed(yes, [rule]) == [], "one at a time"


def test_an_override_begins_the_counting_anew() -> None:
    """It is not averaged away."""
    yes = [_score(number) for number in range(100)]
    yes[70] = _score(70, Outcome.OVERRIDDEN)
    assert _proposed(yes) == []
    assert len(_proposed([*yes, *(_score(number) for number in range(100, 111))])) == 1


@pytest.mark.parametrize("status", [RuleStatus.REJECTED, RuleStatus.SUSPENDED, RuleStatus.EXPIRED])
def test_after_its_end_a_rule_is_proposed_again_from_new_evidence_only(status: RuleStatus) -> None:
    """What was known when people said no does not speak again."""
    yes = [_score(number) for number in range(50)]
    (rule,) = _proposed(yes)
    over = rule.model_copy(update={"status": status, "ended_at": yes[-1].at})
    assert _proposed(yes, [over]) == []
    later = [_score(number) for number in range(50, 50 + LEAST_YES)]
    (again,) = _proposed([*yes, *later], [over])
    assert again.id != rule.id


def test_what_cannot_be_taken_back_is_never_proposed() -> None:
    """That takes the policy itself, by name."""
    assert _proposed([_score(number, tool=PAY, magnitude=50_000) for number in range(100)]) == []


def test_what_people_take_back_too_often_proposes_a_gate() -> None:
    """Of what went by itself; with nobody to ask, nothing is proposed."""
    went = {"kind": DecisionKind.RULING, "choice": "go", "decider": "rule:x", "confidence": 1.0}
    back = [
        _score(number, Outcome.OVERRIDDEN if number % 3 == 0 else Outcome.RIGHT, rule="reversible-goes", **went)
        for number in range(30)
    ]
    (rule,) = _proposed(back)
    assert (rule.direction, rule.approvers, rule.answers) == (Direction.NARROWER, ("manager",), ("reversible-goes",))
    assert "10 of 30 times" in rule.because
    assert _proposed([_score(n, Outcome.OVERRIDDEN, rule="other", **went) for n in range(30)]) == []


def _facts(**changes: object) -> StepFacts:
    known: dict[str, object] = {
        "step": "badge",
        "tool": BADGE,
        "system": "security",
        "effect": "keyed",
        "reversible": True,
        "confidence": 0.9,
    }
    return StepFacts(**{**known, **changes})  # type: ignore[arg-type]  # by name


def test_earned_terms_answer_only_the_gate_tool_and_kind_of_step_they_name() -> None:
    """Not another gate, not another tool, not without an undo, not with untrusted data."""
    (rule,) = _proposed([_score(number) for number in range(LEAST_YES)])
    ratified = rule.model_copy(update={"status": RuleStatus.RATIFIED, "until": NOW + timedelta(days=365)})
    policy = with_earned([GATE], [ratified])
    assert [terms.rule for terms in policy.automatic(_facts())] == [rule.name]
    assert policy.automatic(_facts(tool=PAY)) == ()
    assert policy.automatic(_facts(reversible=False)) == ()
    assert policy.automatic(_facts(tainted=frozenset({"a"}), sensitive=frozenset({"a"}))) == ()
    other = PolicyRule(name="doubt", then=RulingKind.GATE, because="unsure", approvers=("it",))
    assert with_earned([GATE, other], [ratified]).automatic(_facts()) == ()


def test_a_policy_may_name_the_irreversible_and_the_untrusted() -> None:
    """By hand, in the file: then they are meant."""
    terms = AutoTerms(confidence_at_least=0.95, irreversible=True, untrusted=True)
    named = GATE.model_copy(update={"auto": terms})
    facts = _facts(reversible=False, tainted=frozenset({"a"}), sensitive=frozenset({"a"}))
    assert [each.rule for each in with_earned([named], []).automatic(facts)] == ["badge"]


@given(st.floats(min_value=0.01, max_value=1e12))
def test_a_magnitude_is_never_above_and_at_most_two_and_a_half_times_below(amount: float) -> None:
    """So a limit made from it is never above what people agreed to."""
    found = magnitude(amount)
    assert found is not None
    assert found <= amount * (1 + 1e-12)
    assert amount <= found * 2.5 * (1 + 1e-12)


@pytest.mark.parametrize("amount", [None, True, "56000", -1, 0, float("nan"), float("inf")])
def test_what_is_no_amount_has_no_magnitude(amount: object) -> None:
    """Nothing is made of it."""
    assert magnitude(amount) is None


def test_experience_falls_back_from_the_playbook_to_the_decider_to_the_kind() -> None:
    """And says which; below the minimum it says nothing."""
    here = [_score(number, Outcome.RIGHT if number % 2 else Outcome.OVERRIDDEN) for number in range(40)]
    experience = Experience(here)
    said = _decision(DecisionKind.ADVICE, "approve", 0.8)
    found = [
        experience.corrected(said, "onboarding@1"),
        experience.corrected(said, "offboarding@1"),
        experience.corrected(said.model_copy(update={"decider": "model:new"}), "onboarding@1"),
    ]
    assert [each.like if each else "" for each in found] == ["here", "elsewhere", "anyone"]
    assert found[0] is not None
    assert found[0].confidence == pytest.approx(0.5, abs=0.01)
    assert experience.corrected(said.model_copy(update={"choice": "look"}), "onboarding@1") is None
    assert Experience(here[:19]).corrected(said, "onboarding@1") is None
    assert basis_of(said, Corrected(confidence=0.5, n=40, like="here")) == "by experience with 40 like it; it says 80%"
    assert basis_of(said, None) == ""


def _decision(kind: DecisionKind, choice: str, confidence: float, decider: str = "rule:advisor") -> Decision:
    return Decision(kind=kind, subject="x", choice=choice, reasoning="r", confidence=confidence, decider=decider)


def _card(advice: str, step: str = "badge") -> ReviewCard:
    return ReviewCard(
        id=f"rv-{step}",
        run_id="r",
        step=step,
        title="t",
        tool=BADGE,
        question="q",
        triggered_by="badge: doors",
        approvers=("a@acme.example",),
        requester="b@acme.example",
        recommendation=_decision(DecisionKind.ADVICE, advice, 0.8),
        asked_at=NOW,
    )


def _answer(verdict: Verdict, by: str = "a@acme.example", step: str = "badge") -> ev.ReviewDecided:
    decider = by if by.startswith("rule:") else f"person:{by}"
    decision = _decision(DecisionKind.VERDICT, verdict.choice.value, 0.97, decider)
    return ev.ReviewDecided(review_id=f"rv-{step}", step=step, by=by, verdict=verdict, decision=decision)


def _scored(*bodies: ev.Body) -> Scored:
    chain = Chain()
    return scored([chain.admitted(), *(chain.next(body) for body in bodies)], {PAY: "annual_salary"})


def _outcomes(*bodies: ev.Body) -> dict[str, str]:
    return {f"{score.kind.value}:{score.choice}": score.outcome.value for score in _scored(*bodies).scores}


PLAN = ev.PlanWritten(revision=1, plan={}, author="rule:planner", decision=_decision(DecisionKind.PLAN, "plan", 0.9))
CHECKED = ev.PlanChecked(
    revision=1,
    ok=True,
    plan_digest="0" * 64,
    rulings=(
        Ruling(step="badge", kind=RulingKind.GATE, rule="badge", because="doors", gates=("badge", "doubt")),
        Ruling(step="desk", kind=RulingKind.GO, rule="reversible-goes", because="easy"),
    ),
)
DONE = ev.RunEnded(status="done")


@pytest.mark.parametrize(
    ("advice", "verdict", "outcome"),
    [
        ("approve", approve(), "right"),
        ("approve", edit({}, reason="less"), "overridden"),
        ("approve", reject(reason="no"), "overridden"),
        ("reject", reject(reason="no"), "right"),
        ("reject", edit({}, reason="less"), "right"),
        ("reject", approve(), "overridden"),
        ("look", edit({}, reason="less"), "right"),
        ("look", approve(), "overridden"),
    ],
)
def test_advice_is_measured_by_the_persons_verdict(advice: str, verdict: Verdict, outcome: str) -> None:
    """At once, before the run has ended; an edit is an override. The gates that it was about stand beside it."""
    found = _scored(CHECKED, ev.ReviewAsked(card=_card(advice)), _answer(verdict))
    assert not found.settled
    (score,) = found.scores
    assert (score.outcome.value, score.rule) == (outcome, "badge doubt")


def test_an_automatic_yes_is_measured_by_what_people_take_back() -> None:
    """And the advice that it followed is not."""
    asked = (CHECKED, ev.ReviewAsked(card=_card("approve")), _answer(approve(), "rule:badge"))
    item = UndoItem(step="badge", tool=BADGE, what="a badge")
    undone = ev.UndoBegun(why="w", by="b@acme.example", items=(item,), ends="cancelled")
    assert _outcomes(*asked) == {}
    assert _outcomes(*asked, DONE) == {"verdict:approve": "right"}
    assert _outcomes(*asked, undone, ev.RunEnded(status="cancelled")) == {"verdict:approve": "overridden"}


def test_a_plan_is_measured_by_what_became_of_it() -> None:
    """Ran through; edited by a person; replanned; undone by a person; cancelled before anything was done: not at all."""
    by_person = PLAN.model_copy(update={"revision": 2, "author": "person:a@acme.example"})
    by_rule = PLAN.model_copy(update={"revision": 2, "instead_of": ("desk",)})
    cancel = ev.CancelAsked(by="b@acme.example", reason="r")
    item = UndoItem(step="desk", tool="facilities.reserve_desk@1", what="a desk")
    undone = ev.UndoBegun(why="w", by="b@acme.example", items=(item,), ends="cancelled")
    over = ev.RunEnded(status="cancelled")

    def plans(*bodies: ev.Body) -> list[str]:
        return [s.outcome.value for s in _scored(PLAN, CHECKED, *bodies).scores if s.kind is DecisionKind.PLAN]

    assert plans() == []
    assert plans(DONE) == ["right"]
    assert plans(by_person) == ["overridden"]
    assert plans(by_rule, DONE) == ["failed", "right"]
    assert plans(cancel, undone, over) == ["overridden"]
    assert plans(cancel, over) == []
    assert plans(ev.RunEnded(status="closed")) == ["failed"]


def test_triage_is_measured_by_its_requester() -> None:
    """Who typed the request was not interpreted; who cancels their own run was misunderstood."""
    understood = ev.RequestUnderstood(request={}, decision=_decision(DecisionKind.TRIAGE, "x", 0.7, "rule:triage"))
    typed = ev.RequestUnderstood(request={}, decision=_decision(DecisionKind.TRIAGE, "x", 1, "rule:typed-request"))
    cancel = ev.CancelAsked(by="katherine.johnson@acme.example", reason="r")
    others = ev.CancelAsked(by="alan.turing@acme.example", reason="r")
    over = ev.RunEnded(status="cancelled")
    assert _outcomes(understood) == {}
    assert _outcomes(understood, DONE) == {"triage:": "right"}
    assert _outcomes(understood, cancel, over) == {"triage:": "overridden"}
    assert _outcomes(understood, others, over) == {"triage:": "right"}
    assert _outcomes(typed, DONE) == {}


def test_a_diagnosis_is_measured_by_whether_it_helped() -> None:
    """Retry: the step then worked or not. Replan: the run came through, by itself. Asking claims nothing."""

    def told(choice: ev.Recovery) -> ev.FailureDiagnosed:
        decision = _decision(DecisionKind.DIAGNOSIS, choice.value, 0.7)
        return ev.FailureDiagnosed(step="desk", failure=FailureClass.TRANSIENT, choice=choice, decision=decision)

    def end(status: StepStatus) -> ev.StepEnded:
        return ev.StepEnded(step="desk", tool="facilities.reserve_desk@1", status=status)

    resumed = ev.RunResumed(by="a@acme.example", reason="r")
    failed = end(StepStatus.FAILED)
    retry, replan = told(ev.Recovery.RETRY), told(ev.Recovery.REPLAN)
    assert _outcomes(failed, retry) == {}
    assert _outcomes(failed, retry, end(StepStatus.DONE)) == {"diagnosis:retry": "right"}
    assert _outcomes(failed, retry, failed) == {"diagnosis:retry": "failed"}
    assert _outcomes(failed, replan, DONE) == {"diagnosis:replan": "right"}
    assert _outcomes(failed, replan, resumed, DONE) == {"diagnosis:replan": "overridden"}
    assert _outcomes(failed, told(ev.Recovery.ASK), resumed, DONE) == {}
    undone = ev.RunEnded(status="undone")
    assert _outcomes(failed, told(ev.Recovery.COMPENSATE), undone) == {"diagnosis:compensate": "right"}


def test_effects_that_no_gate_stood_before_are_counted() -> None:
    """A read is none; what a person takes back counts against the rule that let it go."""

    def intended(step: str, effect: EffectClass) -> ev.StepIntended:
        intent = Intent(
            step=step, tool="facilities.reserve_desk@1", args={}, effect=effect, key="k", began=NOW, deadline=NOW
        )
        return ev.StepIntended(intent=intent)

    found = _scored(CHECKED, intended("desk", EffectClass.KEYED), intended("badge", EffectClass.KEYED), DONE).scores
    assert [(score.rule, score.choice, score.confidence) for score in found] == [("reversible-goes", "go", 1)]
    assert _scored(CHECKED, intended("desk", EffectClass.READ), DONE).scores == ()


def test_dry_runs_and_erased_ones_say_nothing() -> None:
    """They are settled, so that nobody reads them again."""
    chain = Chain()
    admitted = chain.admitted()
    body = admitted.parsed()
    assert isinstance(body, ev.RunAdmitted)
    dry = Chain().next(body.model_copy(update={"dry": True}))
    assert scored([dry], {}) == Scored((), settled=True)
    erased = Entry(**{**vars(admitted), "body": None, "salt": None})
    assert scored([erased], {}) == Scored((), settled=True)
