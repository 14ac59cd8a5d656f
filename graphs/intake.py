"""Taking up what others left for a run: verdicts, cancels, resumes. Each row becomes events, once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping

from governance import events as ev
from governance.chain import Event
from governance.decisions import Decision, DecisionKind
from governance.effects import StepStatus
from governance.policy import RulingKind
from governance.reviews import Choice, ReviewKind, ReviewStatus, Verdict, action_digest
from governance.runs import CloseReview, InboxRow, InputKind, SideRow
from governance.text import legible, value_problem
from graphs.engine import Engine
from graphs.fold import ReviewFold, RunFold
from graphs.live import LiveRun
from graphs.revision import as_next, check_plan, edited


async def take_up(engine: Engine, run: LiveRun) -> bool:
    """Journal what the open inbox rows mean, cancels first. True when there was anything."""
    rows = await engine.inbox.open(run.claim.run_id)
    rows.sort(key=lambda row: (row.kind is not InputKind.CANCEL, row.at, row.id))
    for row in rows:
        problem = value_problem(row.body)
        if problem:  # no door lets it in; whatever wrote it past them must not stop the run
            await _drop(run, row, f"it {problem}")
        else:
            await _TAKE[row.kind](engine, run, row)
    return bool(rows)


async def _verdict(engine: Engine, run: LiveRun, row: InboxRow) -> None:
    review = run.state.reviews.get(row.body["review_id"])
    if review is None or review.status is not ReviewStatus.OPEN or run.state.ended is not None:
        await _drop(run, row, "the question was no longer open")
        return
    verdict, by = Verdict.model_validate(row.body["verdict"]), str(row.body["by"])
    if verdict.choice is Choice.EDIT:
        await _edit(engine, run, row, review, verdict, by)
    elif review.card.kind is ReviewKind.PARKED:
        await _answer_parked(run, row, review, verdict, by)
    else:
        grants = review.card.args_digest if verdict.choice is Choice.APPROVE else ""
        person = engine.directory.find(by)
        ends = _ends(run.state, review, verdict, person.name if person else by)
        await run.record(_decided(row, review, verdict, by, grants), *ends)


async def _answer_parked(run: LiveRun, row: InboxRow, review: ReviewFold, verdict: Verdict, by: str) -> None:
    decided = _decided(row, review, verdict, by)
    if verdict.response == "resume":
        await run.record(decided, *_resumed(run.state, by, verdict.reason))
        return
    others, rows = withdraw(run.state, f"{by} closed the run", besides=review.card.id)
    await run.record(decided, *others, *_close(by, verdict.reason), rows=rows)


def _ends(state: RunFold, review: ReviewFold, verdict: Verdict, who: str) -> list[Event]:
    card, life = review.card, state.step(review.card.step).life
    if verdict.choice is Choice.REJECT:
        body = ev.StepEnded(
            step=card.step,
            tool=card.tool,
            status=StepStatus.REFUSED,
            args=card.args,
            why=f"{who} said no: {verdict.reason}",
        )
        return [Event(f"step:{card.step}:{life}:ended", body)]
    if card.kind is ReviewKind.OUTCOME and verdict.response == "happened":
        body = ev.StepEnded(
            step=card.step,
            tool=card.tool,
            status=StepStatus.DONE,
            args=card.args,
            output=verdict.args or {},
            why=f"{who} says that it happened: {verdict.reason}",
        )
        return [Event(f"step:{card.step}:{life}:ended", body)]
    return []


async def _edit(engine: Engine, run: LiveRun, row: InboxRow, review: ReviewFold, verdict: Verdict, by: str) -> None:
    card, args = review.card, verdict.args or {}
    revision = run.state.revision + 1
    written = ev.PlanWritten(
        revision=revision,
        plan=edited(run.state, card, args),
        author=f"person:{by}",
        decision=_person(by, card.step, "edit", verdict.reason, DecisionKind.PLAN),
    )
    checked, answer = check_plan(engine, as_next(run.state, written), written.plan, begun_in=run.state)
    if not checked.ok:
        # It passed at the door, and the world has changed since: the question is put again.
        why = "the edit does not pass the check any more: " + "; ".join(str(finding) for finding in checked.findings)
        dropped = Event(f"{row.cause}:dropped", ev.InputDropped(what=f"edit by {by}", why=why))
        await run.record(_decided(row, review, verdict, by), dropped)
        return
    ruling = next((r for r in answer.rulings if r.step == card.step), None)
    may_grant = ruling is not None and ruling.kind is RulingKind.GATE and by in ruling.approvers
    grants = action_digest(card.tool, args) if may_grant else ""
    await run.record(
        _decided(row, review, verdict, by, grants),
        Event(f"plan:{revision}:written", written),
        Event(f"plan:{revision}:checked", checked),
    )


async def _cancel(_: Engine, run: LiveRun, row: InboxRow) -> None:
    by, reason = str(row.body["by"]), str(row.body["reason"])
    if run.state.ended is not None:
        await _drop(run, row, "the run had ended")
        return
    kinds = set(ReviewKind) if run.state.parked is not None else {ReviewKind.STEP}
    withdrawn, rows = withdraw(run.state, f"{by} cancelled the run: {reason}", kinds=kinds)
    asked = Event(row.cause, ev.CancelAsked(by=by, reason=reason))
    if run.state.parked is not None:
        await run.record(asked, *withdrawn, *_close(by, reason), rows=rows)
    else:
        await run.record(asked, *withdrawn, rows=rows)


async def _resume(_: Engine, run: LiveRun, row: InboxRow) -> None:
    by, reason = str(row.body["by"]), str(row.body["reason"])
    if run.state.parked is None or run.state.ended is not None:
        await _drop(run, row, "the run was not parked")
        return
    withdrawn, rows = withdraw(run.state, f"{by} resumed the run", kinds={ReviewKind.PARKED})
    first, *rest = _resumed(run.state, by, reason)
    await run.record(Event(row.cause, first.body), *rest, *withdrawn, rows=rows)


async def _callback(_: Engine, run: LiveRun, row: InboxRow) -> None:
    await _drop(run, row, "no step of this run waits for a callback")


async def _drop(run: LiveRun, row: InboxRow, why: str) -> None:
    what = legible(f"{row.kind.value} by {row.body.get('by', 'somebody')}")
    await run.record(Event(row.cause, ev.InputDropped(what=what, why=why)))


def withdraw(
    state: RunFold, why: str, *, kinds: Collection[ReviewKind] = tuple(ReviewKind), besides: str = ""
) -> tuple[list[Event], list[SideRow]]:
    """Close every open review of these kinds, ``besides`` the one with that id."""
    cards = [card for card in state.open_reviews if card.kind in kinds and card.id != besides]
    events = [
        Event(f"review:{c.id}:closed", ev.ReviewClosed(review_id=c.id, step=c.step, status="withdrawn", why=why))
        for c in cards
    ]
    rows: list[SideRow] = [CloseReview(c.id, ReviewStatus.WITHDRAWN, why) for c in cards]
    return events, rows


def _resumed(state: RunFold, by: str, reason: str) -> list[Event]:
    again = {StepStatus.FAILED, StepStatus.REFUSED, StepStatus.STOPPED}
    steps = tuple(i for i, step in state.steps.items() if step.ended is not None and step.ended.status in again)
    return [Event(f"resumed:{state.resumes + 1}", ev.RunResumed(by=by, reason=reason, steps=steps))]


def _close(by: str, reason: str) -> list[Event]:
    summary = f"Closed by {by}" + (f": {reason}" if reason else "") + ". What was done before stands."
    return [Event("reported", ev.RunReported(summary=summary)), Event("ended", ev.RunEnded(status="closed"))]


def _decided(row: InboxRow, review: ReviewFold, verdict: Verdict, by: str, grants: str = "") -> Event:
    subject = review.card.step or "the run"
    decision = _person(by, subject, verdict.response or verdict.choice.value, verdict.reason, DecisionKind.VERDICT)
    body = ev.ReviewDecided(
        review_id=review.card.id, step=review.card.step, by=by, verdict=verdict, grants=grants, decision=decision
    )
    return Event(row.cause, body)


def _person(by: str, subject: str, choice: str, reason: str, kind: DecisionKind) -> Decision:
    return Decision(
        kind=kind,
        subject=subject,
        choice=choice,
        reasoning=reason or "no reason given",
        confidence=1,
        decider=f"person:{by}",
    )


_TAKE: Mapping[InputKind, Callable[[Engine, LiveRun, InboxRow], Awaitable[None]]] = {
    InputKind.VERDICT: _verdict,
    InputKind.CANCEL: _cancel,
    InputKind.RESUME: _resume,
    InputKind.CALLBACK: _callback,
}
