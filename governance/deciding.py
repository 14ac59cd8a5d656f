"""Who may answer a question, and whether an answer is one: rules, without I/O."""

from __future__ import annotations

from datetime import datetime

from governance.errors import InvalidInput, NotPermitted, Refused
from governance.escalation import Escalation
from governance.people import Directory, Person
from governance.reviews import Choice, ReviewCard, ReviewKind, Verdict
from governance.text import text_problem, value_problem

_RESPONSES = {
    ReviewKind.OUTCOME: ("happened", "did_not_happen"),
    ReviewKind.PARKED: ("resume", "undo", "close"),
    ReviewKind.STEP: (),
    ReviewKind.FORM: ("answered",),
    ReviewKind.PLAN: (),
}


def responses_to(card: ReviewCard) -> tuple[str, ...]:
    """What a question that is not about an action to come may be answered with; empty for the others."""
    able = _RESPONSES[card.kind]
    return tuple(each for each in able if each != "undo") if card.args.get("undoing") else able


def may_decide(card: ReviewCard, person: Person, directory: Directory) -> bool:
    """True when the person is an approver, or stands in for one, and four eyes are kept."""
    return not _why_not(card, person, directory)


def require_may_decide(card: ReviewCard, person: Person, directory: Directory) -> None:
    """Raises NotPermitted with a sentence that says why, and who may."""
    why = _why_not(card, person, directory)
    if why:
        four_eyes = not card.requester_may_decide
        able = [a for a in card.approvers if not (four_eyes and a == card.requester)]
        names = [found.name if (found := directory.find(a)) else a for a in able]
        raise NotPermitted(why, hint=f"It waits for {' or '.join(names)}." if names else "")


def require_answer(card: ReviewCard, verdict: Verdict) -> None:
    """Raises InvalidInput when the verdict is not an answer to this question, or cannot be kept."""
    problem = text_problem(verdict.reason) or text_problem(verdict.response)
    if problem:
        raise InvalidInput(f"The reason {problem}.", hint="Write it again, shorter or without it.")
    if verdict.args is not None and (problem := value_problem(verdict.args)):
        raise InvalidInput(f"What was given as arguments {problem}.")
    if (
        verdict.args is not None
        and verdict.choice is not Choice.EDIT
        and verdict.response not in {"happened", "answered"}
    ):
        raise InvalidInput("Only an edit, or the word that something happened, comes with arguments.")
    if verdict.choice not in card.allowed:
        allowed = ", ".join(choice.value for choice in card.allowed)
        raise InvalidInput(
            f"This question cannot be answered with {verdict.choice.value}.",
            hint=f"Answer it with {' or '.join(responses_to(card))}." if responses_to(card) else f"It takes {allowed}.",
        )
    if verdict.choice in {Choice.REJECT, Choice.EDIT} and not verdict.reason.strip():
        raise InvalidInput("A no, or an edit, needs a reason: it is what the requester will read.")
    if verdict.choice is Choice.EDIT and verdict.args is None:
        raise InvalidInput("An edit needs the arguments as they should be.")
    if verdict.choice is Choice.RESPOND and verdict.response not in responses_to(card):
        raise InvalidInput(
            f"The answer is one of {', '.join(responses_to(card))}, not {verdict.response or 'nothing'}."
        )


def require_in_time(escalation: Escalation | None, now: datetime) -> None:
    """Raises Refused after the last level's time: before it nobody loses the right to answer, however late."""
    if escalation is not None and escalation.ends and escalation.due_at is not None and escalation.due_at <= now:
        raise Refused(f"The time for this answer was over at {escalation.due_at:%Y-%m-%d %H:%M} UTC.")


def _why_not(card: ReviewCard, person: Person, directory: Directory) -> str:
    if directory.find(person.id) is None:
        return f"{person.name} is not in the directory any more."
    if person.id == card.requester and not card.requester_may_decide:
        return "You asked for this run, so somebody else decides: four eyes."
    if person.id in card.approvers:
        return ""
    stands_in = any(
        (delegate := directory.delegate_of(approver)) is not None and delegate.id == person.id
        for approver in card.approvers
    )
    return "" if stands_in else f"This question is not put to {person.name}."
