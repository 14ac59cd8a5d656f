"""Taking up what others left for a run: verdicts, cancels, resumes. Each row becomes events, once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import replace

from governance import events as ev
from governance.budgets import Raise
from governance.chain import Event
from governance.decisions import Decision, DecisionKind
from governance.effects import StepStatus
from governance.policy import Ruling, RulingKind
from governance.reviews import Choice, ReviewKind, ReviewStatus, Verdict, action_digest
from governance.runs import CloseReview, InboxRow, InputKind, SideRow
from governance.text import legible, value_problem
from graphs.automatic import suspended_by_undo, suspended_by_verdict
from graphs.budgets import time_timer
from graphs.callbacks import settle
from graphs.engine import Engine
from graphs.fold import ReviewFold, RunFold
from graphs.forms import form_answered
from graphs.live import LiveRun
from graphs.outside import NotTaken, Taken, taken
from graphs.revision import as_next, check_plan, edited
from graphs.undo import tally


async def take_up(engine: Engine, run: LiveRun, *, anew: bool = False) -> bool:
    """Journal what the open inbox rows mean, cancels first. True when there was anything.

    The first look of a slice is at what was read when it began, unless ``anew`` says that more has come.
    """
    read, run.left = run.left, None
    found = await engine.inbox.open(run.claim.run_id) if anew or read is None else read
    # A row counts as taken up once its event is durable, which a note of this slice may not be yet.
    rows = [row for row in found if row.cause not in run.causes]
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
    elif review.card.kind is ReviewKind.PLAN:
        await run.record(_decided(row, review, verdict, by, verdict_grants(review, verdict)))
    elif review.card.kind is ReviewKind.PARKED:
        await _answer_parked(engine, run, row, review, verdict, by)
    else:
        grants = verdict_grants(review, verdict)
        person = engine.directory.find(by)
        ends = _ends(run.state, review, verdict, person.name if person else by, by)
        over = suspended_by_verdict(engine, run.state, review, verdict.choice)
        run.note(_decided(row, review, verdict, by, grants), *ends, rows=over)
        if over:  # whoever relies on the rule from now on is to find it suspended
            await run.settled()


def verdict_grants(review: ReviewFold, verdict: Verdict) -> str:
    """The digest that a yes allows, or an empty text."""
    return review.card.args_digest if verdict.choice is Choice.APPROVE else ""


async def _answer_parked(
    engine: Engine, run: LiveRun, row: InboxRow, review: ReviewFold, verdict: Verdict, by: str
) -> None:
    decided = _decided(row, review, verdict, by)
    if verdict.response == "resume" or (verdict.response == "undo" and run.state.undoing is not None):
        await run.record(decided, *_resumed(run.state, by, verdict.reason))
        return
    if verdict.response == "undo":
        others, rows = withdraw(run.state, f"{by} has the run taken back", kinds={ReviewKind.STEP, ReviewKind.PLAN})
        await run.record(decided, *others, rows=[*rows, *suspended_by_undo(engine, run.state, by_person=True)])
        return
    others, rows = withdraw(run.state, f"{by} closed the run", besides=review.card.id)
    await run.record(decided, *others, *_close(run.state, by, verdict.reason), rows=rows)


def _ends(state: RunFold, review: ReviewFold, verdict: Verdict, who: str, by: str) -> list[Event]:
    card, life = review.card, state.step(review.card.step).life
    if card.kind is ReviewKind.FORM:
        return [form_answered(card, verdict, by, life)]
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
    over = suspended_by_verdict(engine, run.state, review, verdict.choice)
    await engine.autonomy.refresh(engine.clock.now())
    revision = run.state.latest + 1
    written = ev.PlanWritten(
        revision=revision,
        plan=edited(run.state, card, args),
        author=f"person:{by}",
        decision=_person(by, card.step, "edit", verdict.reason, DecisionKind.PLAN),
    )
    checked, answer = check_plan(engine, as_next(run.state, written), written.plan, begun_in=run.state)
    if not checked.ok or run.state.unsettled:
        # It passed at the door, and the world has changed since: the question is put again.
        why = (
            "a revised plan is before people"
            if checked.ok
            else "the edit does not pass the check any more: " + "; ".join(str(finding) for finding in checked.findings)
        )
        dropped = Event(f"{row.cause}:dropped", ev.InputDropped(what=f"edit by {by}", why=why))
        await run.record(_decided(row, review, verdict, by), dropped, rows=over)
        return
    ruling = next((r for r in answer.rulings if r.step == card.step), None)
    may_grant = ruling is not None and ruling.kind is RulingKind.GATE and _may_grant(by, ruling, review)
    grants = action_digest(card.tool, args) if may_grant else ""
    await run.record(
        _decided(row, review, verdict, by, grants),
        Event(f"plan:{revision}:written", written),
        Event(f"plan:{revision}:checked", checked),
        rows=over,
    )


def _may_grant(by: str, ruling: Ruling, review: ReviewFold) -> bool:
    # Whom the question was escalated to stands for its approvers, as long as the edited step has the same.
    return by in ruling.approvers or (ruling.approvers == review.card.approvers and by in review.approvers)


async def _cancel(engine: Engine, run: LiveRun, row: InboxRow) -> None:
    by, reason = str(row.body["by"]), str(row.body["reason"])
    if run.state.ended is not None:
        await _drop(run, row, "the run had ended")
        return
    if run.state.undoing is not None:
        await _drop(run, row, "the run was being taken back already")
        return
    # Questions whether something happened stay: nothing is taken back before that is known.
    kinds = {ReviewKind.STEP, ReviewKind.FORM, ReviewKind.PLAN, ReviewKind.PARKED}
    withdrawn, rows = withdraw(run.state, f"{by} cancelled the run: {reason}", kinds=kinds)
    over = suspended_by_undo(engine, run.state, by_person=True)
    await run.record(Event(row.cause, ev.CancelAsked(by=by, reason=reason)), *withdrawn, rows=[*rows, *over])


async def _resume(engine: Engine, run: LiveRun, row: InboxRow) -> None:
    by, reason = str(row.body["by"]), str(row.body["reason"])
    if run.state.parked is None or run.state.ended is not None:
        await _drop(run, row, "the run was not parked")
        return
    withdrawn, rows = withdraw(run.state, f"{by} resumed the run", kinds={ReviewKind.PARKED})
    more = Raise.model_validate(row.body.get("more") or {})
    first, *rest = _resumed(run.state, by, reason, more or None)
    timer = time_timer(engine, replace(run.state, more=(*run.state.more, more))) if more.hours else []
    await run.record(Event(row.cause, first.body), *rest, *withdrawn, rows=[*rows, *timer])


async def _callback(engine: Engine, run: LiveRun, row: InboxRow) -> None:
    settled = settle(engine, run.state, row)
    if isinstance(settled, str):
        await _drop(run, row, settled)
        return
    if not run.claim_end(settled.step):
        await _drop(run, row, "the step ended at the same moment")
        return
    withdrawn, rows = withdraw(run.state, "the answer came", step=settled.step)
    await run.record(*settled.events, *withdrawn, rows=rows)


async def _event(engine: Engine, run: LiveRun, row: InboxRow) -> None:
    found = taken(engine, run.state, row)
    if isinstance(found, Taken) and run.claim_end(found.step):
        await run.record(*found.events)
    else:
        why, rows = (
            (found.why, found.rows) if isinstance(found, NotTaken) else ("the step ended at the same moment", ())
        )
        await _drop(run, row, why, rows)


async def _drop(run: LiveRun, row: InboxRow, why: str, rows: Sequence[SideRow] = ()) -> None:
    what = legible(f"{row.kind.value} by {row.body.get('by', 'somebody')}")
    await run.record(Event(row.cause, ev.InputDropped(what=what, why=why)), rows=rows)


def withdraw(
    state: RunFold, why: str, *, kinds: Collection[ReviewKind] = tuple(ReviewKind), besides: str = "", step: str = ""
) -> tuple[list[Event], list[SideRow]]:
    """Close every open review of these kinds (of that ``step``, if given), ``besides`` the one with that id."""
    cards = [card for card in state.open_reviews if card.kind in kinds and card.id != besides]
    cards = [card for card in cards if step in ("", card.step)]
    events = [
        Event(f"review:{c.id}:closed", ev.ReviewClosed(review_id=c.id, step=c.step, status="withdrawn", why=why))
        for c in cards
    ]
    rows: list[SideRow] = [CloseReview(c.id, ReviewStatus.WITHDRAWN, why) for c in cards]
    return events, rows


def _resumed(state: RunFold, by: str, reason: str, more: Raise | None = None) -> list[Event]:
    again = {StepStatus.FAILED, StepStatus.REFUSED, StepStatus.STOPPED}
    given_up = state.standing.dropped if state.unsettled and state.standing else state.dropped
    planned = {i: step for i, step in state.steps.items() if i not in given_up}
    known = state.undos if state.undoing is not None else planned
    steps = tuple(i for i, step in known.items() if step.ended is not None and step.ended.status in again)
    return [Event(f"resumed:{state.resumes + 1}", ev.RunResumed(by=by, reason=reason, steps=steps, more=more))]


def _close(state: RunFold, by: str, reason: str) -> list[Event]:
    stands = tally(state) if state.undoing is not None else "What was done before stands."
    summary = f"Closed by {by}" + (f": {reason}" if reason else "") + f". {stands}"
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
    InputKind.EVENT: _event,
}
