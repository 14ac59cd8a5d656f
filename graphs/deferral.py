"""Deferral: steps that were accepted and wait, and the tools that wait inside Steward itself (``clock``, ``events``, ``people``)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypedDict

from governance import events as ev
from governance.addresses import mark
from governance.chain import Event
from governance.effects import Failure, FailureClass, StepStatus
from governance.runs import SetTimer, SideRow, Subscribe
from graphs.choosing import AskAgent, Choose, asking, by_rule, form_args
from graphs.engine import Engine
from graphs.fold import RunFold, StepFold
from graphs.forms import AskForm, form_of, unanswered
from graphs.live import LiveRun
from plans.language import Step
from tools.arguments import read_arguments
from tools.awaiting import AwaitedEvent
from tools.choosing import Choosing
from tools.contract import Awaiting, Tool
from tools.inside import CHOOSE, CLOCK_WAIT, EVENTS_AWAIT, PEOPLE_ASK, RUNS_START, Wait

INSIDE = frozenset({CLOCK_WAIT, EVENTS_AWAIT, PEOPLE_ASK, CHOOSE})


@dataclass(frozen=True)
class Await:
    """Journal that a step waits for an answer, or for a moment."""

    step: str
    awaiting: Awaiting
    rows: tuple[SideRow, ...] = ()


@dataclass(frozen=True)
class Over:
    """A step is over without a call of its own: it waited inside Steward, or its items are all over."""

    status: StepStatus
    output: dict[str, Any] | None = None
    failure: Failure | None = None
    why: str = ""


class CalledBack(TypedDict, total=False):
    """The part of an order that says where its answer is to go."""

    callback: str
    mark: str


def called_back(engine: Engine, run_id: str, step: str, known: StepFold, tool: Tool) -> CalledBack:
    """Where the answer of a deferred tool's step is to go; nothing for other tools."""
    if tool.deferred is None or engine.addresses is None:
        return {}
    address = engine.addresses.of(run_id, step, known.life)
    return {"callback": engine.addresses.reach(address), "mark": mark(address)}


def defer(run: LiveRun, step: str, awaiting: Awaiting, rows: tuple[SideRow, ...] = ()) -> None:
    """Journal that a step waits, with its deadline's timer and other ``rows``; unless its answer came first."""
    known = run.state.step(step)
    if known.ended is not None:
        return
    body = ev.StepDeferred(step=step, until=awaiting.until, why=awaiting.why, stopping=awaiting.stopping)
    cause = f"step:{step}:{known.life}:deferred:{run.state.seq + 1}"
    run.note(Event(cause, body), rows=[SetTimer(f"step:{step}", awaiting.until), *rows])


def waits_on(engine: Engine, state: RunFold, known: StepFold) -> bool:
    """Whether a run that stops leaves a deferred step be: nothing can be done yet, or a child run works on."""
    if known.until is None or known.until <= engine.clock.now():
        return False
    child = known.intent is not None and known.intent.tool == RUNS_START
    return known.held or (child and state.cancel is None)


def inside(
    engine: Engine, state: RunFold, step: Step, args: dict[str, Any]
) -> Await | AskForm | Over | Choose | AskAgent | None:
    """What a step of a tool that waits inside comes to now; None: it waits."""
    given = read_arguments(engine.tools[step.tool], args)
    if isinstance(given, Failure):
        return Over(StepStatus.FAILED, failure=given)
    if isinstance(given, Choosing):
        by_itself = by_rule(step, args, given) or asking(state, step, args, given)
        return by_itself or _form(engine, state, step, form_args(given))
    if not isinstance(given, Wait | AwaitedEvent):
        return _form(engine, state, step, args)
    now, known = engine.clock.now(), state.step(step.id)
    waits_until = known.until if known.deferred else None
    # A new revision forgets the moment of a wait, and it goes on from where it began.
    until = waits_until or given.ends_at((known.began_at if known.deferred else None) or now)
    if until <= now:
        return _late(given, until)
    if waits_until is not None:
        return None
    if isinstance(given, Wait):
        return Await(step.id, Awaiting(until, f"until {until:%Y-%m-%d %H:%M} UTC"))
    since = state.admitted_at if given.since == "admission" else None
    subscribe = Subscribe(step.id, given.wanted, since or now, until)
    return Await(step.id, Awaiting(until, f"the event {given.type}"), (subscribe,))


def _late(given: Wait | AwaitedEvent, until: datetime) -> Over:
    if isinstance(given, Wait):
        return Over(StepStatus.DONE, output={"waited_until": _zulu(until)})
    # It may come later: who resumes the run has the step wait anew, and it finds the event if it did.
    message = f"no event {given.type} came in time"
    return Over(StepStatus.FAILED, failure=Failure(failure=FailureClass.TRANSIENT, code="no_event", message=message))


def _form(engine: Engine, state: RunFold, step: Step, args: dict[str, Any]) -> AskForm | Over | None:
    found = form_of(engine, state, step, args)
    return Over(StepStatus.FAILED, failure=unanswered(found)) if isinstance(found, str) else found


def _zulu(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
