"""Outside events: what one that was left for a run makes of the step that waits for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from governance import events as ev
from governance.chain import Event
from governance.effects import StepStatus
from governance.outside import OutsideEvent
from governance.runs import InboxRow, SideRow, Subscribe
from graphs.engine import Engine
from graphs.fold import RunFold
from graphs.revision import Drift, current
from graphs.scope import scope_of
from plans.language import written_id
from plans.resolve import Unresolved, resolve_args
from tools.arguments import read_arguments
from tools.awaiting import AwaitedEvent, CameEvent, taken_from
from tools.inside import EVENTS_AWAIT


@dataclass(frozen=True)
class Taken:
    """The events by which an outside event ends its step; the first takes up the inbox row."""

    step: str
    events: tuple[Event, ...]


@dataclass(frozen=True)
class NotTaken:
    """Why an outside event is dropped, and with which rows its step waits on."""

    why: str
    rows: tuple[SideRow, ...] = ()


def taken(engine: Engine, state: RunFold, row: InboxRow) -> Taken | NotTaken:
    """What an outside event means: the end of its step, or why it is dropped.

    The row's body is ``{step, event, seq, wanted, since, until}``: the event, and what the step waited for. A step that
    waits for something else by now, after an edit, begins to wait anew and finds what came meanwhile.
    """
    step_id, known = str(row.body.get("step", "")), state.step(str(row.body.get("step", "")))
    if state.ended is not None or state.erased:
        return NotTaken("the run had ended")
    if known.ended is not None or not known.deferred:
        return NotTaken("the step had ended" if known.ended else "no step waits for it")
    given, args = _given(engine, state, step_id)
    if given is None or dict(given.wanted) != row.body.get("wanted"):
        return NotTaken("the step waits for something else")
    try:
        came = taken_from(OutsideEvent.model_validate(row.body.get("event")), given)
    except ValidationError:
        came = "it is none that can be read"
    if isinstance(came, str):
        return NotTaken(came, (_again(step_id, row.body),))
    answered = Event(row.cause, ev.StepAnswered(step=step_id, by="event"))
    return Taken(step_id, (answered, Event(f"step:{step_id}:{known.life}:ended", _end(step_id, args, came))))


def _given(engine: Engine, state: RunFold, step_id: str) -> tuple[AwaitedEvent | None, dict[str, Any]]:
    """What the step waits for by the plan as it stands; None where it cannot be said: no such step, or no plan to go by."""
    plan = current(engine, state) if state.checked is not None and state.checked.ok and not state.unsettled else None
    if plan is None or isinstance(plan, Drift):
        return None, {}
    step = next((each for each in plan.plan.steps if each.id == written_id(step_id)), None)
    if step is None or step.tool != EVENTS_AWAIT:
        return None, {}
    try:
        args = resolve_args(step, scope_of(state, step_id), plan.tools[step.tool])
    except Unresolved:
        return None, {}
    given = read_arguments(engine.tools[step.tool], args)
    return (given, args) if isinstance(given, AwaitedEvent) else (None, {})


def _again(step_id: str, body: Mapping[str, Any]) -> Subscribe:
    """The same wait, from the event on that was not the one."""
    since, until = datetime.fromisoformat(body["since"]), datetime.fromisoformat(body["until"])
    return Subscribe(step_id, body["wanted"], since, until, after=int(body["seq"]))


def _end(step_id: str, args: dict[str, Any], came: CameEvent) -> ev.StepEnded:
    return ev.StepEnded(
        step=step_id,
        tool=EVENTS_AWAIT,
        status=StepStatus.DONE,
        args=args,
        output=came.model_dump(mode="json"),
        why="its event came",
    )
