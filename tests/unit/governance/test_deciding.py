"""Who may answer, what is an answer, and which policy rule has the last word."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from governance.deciding import may_decide, require_answer, responses_to
from governance.errors import InvalidInput
from governance.people import Person
from governance.policy import Policy, PolicyRule, RulingKind, StepFacts
from governance.reviews import Choice, ReviewCard, ReviewKind, Verdict, approve, edit, reject, respond
from playbooks.people import PeopleDirectory

KATHERINE = Person(id="katherine.johnson@acme.example", name="Katherine Johnson")
MARY = Person(id="mary.jackson@acme.example", name="Mary Jackson", delegate=KATHERINE.id)
DIRECTORY = PeopleDirectory((KATHERINE, MARY))
CARD = ReviewCard(
    id="rv-1",
    run_id="r",
    step="pay",
    title="Pay",
    question="May it?",
    triggered_by="money",
    approvers=(MARY.id,),
    requester=KATHERINE.id,
    asked_at=datetime(2027, 1, 4, tzinfo=UTC),
)


@pytest.mark.parametrize(
    "verdict",
    [
        approve(reason="\x00"),
        reject(reason="\ud800"),
        reject(reason="x" * 5000),
        reject(reason="  "),
        edit({"amount": 2**70}, reason="more"),
        edit({"name": "Ada \ud800"}, reason="more"),
        edit({"name": "Ada\x00"}, reason="more"),
        edit({"name": float("nan")}, reason="more"),
        Verdict(choice=Choice.EDIT, reason="without arguments"),
        Verdict(choice=Choice.APPROVE, args={"x": 1}),
        respond("resume"),
    ],
    ids=lambda verdict: f"{verdict.choice.value}-{ascii(verdict.reason)[:12]}-{ascii(verdict.args)[:30]}",
)
def test_what_is_no_answer_or_cannot_be_kept_is_refused_at_the_door(verdict: Verdict) -> None:
    """It would stop the run when it is taken up, so it never gets that far."""
    with pytest.raises(InvalidInput):
        require_answer(CARD, verdict)


def test_what_is_an_answer_passes() -> None:
    """A yes, a no with its reason, an edit with its arguments, the word that something happened with its output."""
    for verdict in (approve(), reject(reason="no"), edit({"amount": 1}, reason="less")):
        require_answer(CARD, verdict)
    outcome = CARD.model_copy(update={"kind": ReviewKind.OUTCOME, "allowed": (Choice.RESPOND,)})
    require_answer(outcome, Verdict(choice=Choice.RESPOND, response="happened", args={"id": "1"}))


def test_a_parked_run_can_be_taken_back_once() -> None:
    """Resume, undo, close; where taking back is stuck already, there is only to resume or to close."""
    parked = CARD.model_copy(update={"kind": ReviewKind.PARKED, "allowed": (Choice.RESPOND,)})
    require_answer(parked, respond("undo"))
    stuck = parked.model_copy(update={"args": {"undo": [], "undoing": True}})
    assert responses_to(stuck) == ("resume", "close")
    with pytest.raises(InvalidInput, match="resume, close"):
        require_answer(stuck, respond("undo"))


def test_four_eyes_hold_through_a_delegate_and_an_approver_who_left_cannot_decide() -> None:
    """The requester stands in for the approver: still the requester. Who is not in the directory decides nothing."""
    assert may_decide(CARD, MARY, DIRECTORY)
    assert not may_decide(CARD, KATHERINE, DIRECTORY)
    assert not may_decide(CARD, MARY, PeopleDirectory((KATHERINE,)))


def test_a_playbook_can_only_tighten_the_companys_policy() -> None:
    """Among equal gates the company's comes first, and a go of the playbook's changes nothing."""
    company = PolicyRule(name="money", then=RulingKind.GATE, because="money", approvers=("finance",))
    easy = PolicyRule(name="easy", then=RulingKind.GATE, because="ours", approvers=("hr",), requester_may_decide=True)
    go = PolicyRule(name="go", then=RulingKind.GO, because="ours")
    facts = StepFacts(step="pay", tool="pay@1", system="pay", effect="keyed", reversible=True, confidence=1)
    policy = Policy((company, easy, go))
    assert policy.rule(facts) == (RulingKind.GATE, company)
    assert policy.gates(facts) == (company, easy)
