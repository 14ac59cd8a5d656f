"""Forms: a plan's questions to people (``people.ask``), put as reviews and answered by filling in their fields."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from governance import events as ev
from governance.chain import Event
from governance.decisions import Decision
from governance.effects import Failure, FailureClass, StepStatus
from governance.reviews import Choice, ReviewCard, ReviewKind, ReviewStatus, Verdict, action_digest, review_id
from graphs.engine import Engine
from graphs.fold import ReviewFold, RunFold
from graphs.gates import card_event, due_of
from graphs.live import LiveRun
from plans.language import Step
from tools.choosing import LONGEST
from tools.inside import CHOOSE


@dataclass(frozen=True)
class AskForm:
    """Put this form."""

    card: ReviewCard


def form_of(
    engine: Engine, state: RunFold, step: Step, args: dict[str, Any], said: Decision | None = None
) -> AskForm | str | None:
    """The form to put now, with what an agent ``said`` to it; None while it is open; a sentence when nobody will answer it."""
    earlier = _forms(state, step)
    last = earlier[-1] if earlier else None
    if last is not None and last.status is ReviewStatus.OPEN:
        return None
    life = _life(state, step, args)
    if last is not None and last.card.args_digest == life:
        if last.status is ReviewStatus.EXPIRED:
            return "nobody answered in time"
        said = said or last.card.recommendation
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
        recommendation=said,
        asked_at=now,
        due_at=due_of(engine, state, now),
        allowed=(Choice.RESPOND,),
    )
    return AskForm(card)


def was_put(state: RunFold, step: Step, args: dict[str, Any]) -> bool:
    """Whether this form was put in the present life of its step."""
    life = _life(state, step, args)
    return any(form.card.args_digest == life for form in _forms(state, step))


def unanswered(why: str) -> Failure:
    """What becomes of a step whose form nobody will answer."""
    return Failure(failure=FailureClass.PERMANENT, code="unanswered", message=why)


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


def _forms(state: RunFold, step: Step) -> list[ReviewFold]:
    return [r for r in state.reviews.values() if r.card.step == step.id and r.card.kind is ReviewKind.FORM]


def _life(state: RunFold, step: Step, args: dict[str, Any]) -> str:
    return f"{action_digest(step.tool, args)}/{state.step(step.id).life}"


def _asked(engine: Engine, to: str) -> tuple[str, ...]:
    person = engine.directory.find(to)
    if person is not None:
        return (person.id,)
    return tuple(member.id for member in engine.directory.members_of(to))
