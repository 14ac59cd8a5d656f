"""Who may answer a question, and whether an answer is one: rules, without I/O."""

from __future__ import annotations

from governance.errors import InvalidInput, NotPermitted
from governance.people import Directory, Person
from governance.reviews import Choice, ReviewCard, ReviewKind, Verdict

_RESPONSES = {
    ReviewKind.OUTCOME: ("happened", "did_not_happen"),
    ReviewKind.PARKED: ("resume", "close"),
    ReviewKind.STEP: (),
}


def may_decide(card: ReviewCard, person: Person, directory: Directory) -> bool:
    """True when the person is an approver, or stands in for one, and four eyes are kept."""
    return not _why_not(card, person, directory)


def require_may_decide(card: ReviewCard, person: Person, directory: Directory) -> None:
    """Raises NotPermitted with a sentence that says why, and who may."""
    why = _why_not(card, person, directory)
    if why:
        names = [found.name if (found := directory.find(a)) else a for a in card.approvers if a != card.requester]
        raise NotPermitted(why, hint=f"It waits for {' or '.join(names)}." if names else "")


def require_answer(card: ReviewCard, verdict: Verdict) -> None:
    """Raises InvalidInput when the verdict is not an answer to this question."""
    if verdict.choice not in card.allowed:
        allowed = ", ".join(choice.value for choice in card.allowed)
        raise InvalidInput(
            f"This question cannot be answered with {verdict.choice.value}.", hint=f"It takes {allowed}."
        )
    if verdict.choice in {Choice.REJECT, Choice.EDIT} and not verdict.reason.strip():
        raise InvalidInput(f"To {verdict.choice.value} needs a reason: it is what the requester will read.")
    if verdict.choice is Choice.EDIT and verdict.args is None:
        raise InvalidInput("An edit needs the arguments as they should be.")
    if verdict.choice is Choice.RESPOND and verdict.response not in _RESPONSES[card.kind]:
        raise InvalidInput(
            f"The answer is one of {', '.join(_RESPONSES[card.kind])}, not {verdict.response or 'nothing'}."
        )


def _why_not(card: ReviewCard, person: Person, directory: Directory) -> str:
    if person.id == card.requester and not card.requester_may_decide:
        return "You asked for this run, so somebody else decides: four eyes."
    if person.id in card.approvers:
        return ""
    stands_in = any(
        (delegate := directory.delegate_of(approver)) is not None and delegate.id == person.id
        for approver in card.approvers
    )
    return "" if stands_in else f"This question is not put to {person.name}."
