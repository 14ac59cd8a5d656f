"""Forms: a plan's questions to people (``people.ask``), put as reviews and answered by filling in their fields."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from governance import events as ev
from governance.chain import Event
from governance.effects import StepStatus
from governance.reviews import Choice, ReviewCard, ReviewKind, ReviewStatus, Verdict, action_digest, review_id
from graphs.engine import Engine
from graphs.fold import RunFold
from graphs.gates import card_event, due_of
from graphs.live import LiveRun
from plans.language import Step
from tools.choosing import LONGEST
from tools.inside import CHOOSE


@dataclass(frozen=True)
class AskForm:
    """Put this form."""

    card: ReviewCard


def form_of(engine: Engine, state: RunFold, step: Step, args: dict[str, Any]) -> AskForm | str | None:
    """The form to put now; None while it is open; a sentence when nobody will answer it."""
    bound = action_digest(step.tool, args)
    earlier = [r for r in state.reviews.values() if r.card.step == step.id and r.card.kind is ReviewKind.FORM]
    last = earlier[-1] if earlier else None
    if last is not None and last.status is ReviewStatus.OPEN:
        return None
    life = f"{bound}/{state.step(step.id).life}"
    if last is not None and last.status is ReviewStatus.EXPIRED and last.card.args_digest == life:
        return "nobody answered in time"
    to = str(args["to"])
    people = _asked(engine, to)
    if not people:
        return f"there is nobody to ask: {to} is no person and no role that somebody has"
    now = engine.clock.now()
    card = ReviewCard(
        id=review_id(state.run_id, step.id, f"{life}/{len(earlier)}", ReviewKind.FORM),
        run_id=state.run_id,
        kind=ReviewKind.FORM,
        step=step.id,
        title=state.admitted.title if state.admitted else "",
        tool=step.tool,
        args=args,
        args_digest=life,
        question=str(args["question"]),
        triggered_by=f"the plan asks: {step.reason}",
        approvers=people,
        requester=state.admitted.requester if state.admitted else "",
        requester_may_decide=True,
        asked_at=now,
        due_at=due_of(engine, state, now),
        allowed=(Choice.RESPOND,),
    )
    return AskForm(card)


def ask_form(run: LiveRun, move: AskForm) -> None:
    """Put the form, with its row and the timer of its end."""
    event, rows = card_event(move.card)
    run.note(event, rows=rows)


def form_answered(card: ReviewCard, verdict: Verdict, by: str, life: int) -> Event:
    """The end of a step whose form was filled in."""
    body = ev.StepEnded(
        step=card.step,
        tool=card.tool,
        status=StepStatus.DONE,
        args=card.args,
        output=_output(card, verdict, by),
    )
    return Event(f"step:{card.step}:{life}:ended", body)


def _output(card: ReviewCard, verdict: Verdict, by: str) -> dict[str, Any]:
    answers = verdict.args or {}
    if card.tool == CHOOSE:
        return {
            "choice": answers.get("choice", ""),
            "because": verdict.reason[:LONGEST] or "a person chose it",
            "by": by,
        }
    return {"answers": answers, "by": by}


def _asked(engine: Engine, to: str) -> tuple[str, ...]:
    person = engine.directory.find(to)
    if person is not None:
        return (person.id,)
    return tuple(member.id for member in engine.directory.members_of(to))
