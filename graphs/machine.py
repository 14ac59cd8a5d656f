"""The state machine. Nodes are fixed and their names pinned; the plan is data; where a node leads to is total.

Invoked with a :class:`Slice` as its context it works on a claimed run. Invoked without, it runs dry: simulated
effects, an in-memory journal kept in the checkpoint, labelled so; a resume value never is a verdict.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypedDict

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.config import get_stream_writer
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime
from langgraph.types import Command, interrupt

from governance.chain import Entry
from graphs import work
from graphs.control import Control
from graphs.dry import DryJournal, open_dry
from graphs.engine import Engine
from graphs.fold import Phase, RunFold
from graphs.live import LiveRun
from graphs.waits import waiting_for

WAIT = "wait"
PAYLOAD_VERSION = 1

Graph = CompiledStateGraph[Any, Any, Any, Any]
Saver = BaseCheckpointSaver[Any]


class OpenSaver(Protocol):
    """Makes a slice's saver."""

    def __call__(self, *, fresh: bool) -> Saver:
        """``fresh``: it is the first slice of its run."""
        ...


Work = Callable[[Engine, LiveRun, Control], Awaitable[None]]


class State(TypedDict, total=False):
    """What is checkpointed: small, and a copy. ``seq`` says up to which event. ``dry`` holds a dry run's journal.

    ``ask`` is the input of a dry run: ``{"playbook": …, "request": {…}, "by": e-mail}``; ``run`` that of a real one.
    """

    run: dict[str, str]
    ask: dict[str, Any]
    seq: int
    phase: str
    at: dict[str, Any]
    dry: list[dict[str, Any]]


@dataclass(frozen=True)
class Slice:
    """The context of a claimed run. It is never persisted; a graph resumed without it is dry."""

    engine: Engine
    run: LiveRun
    control: Control


_WORK: dict[Phase, Work] = {
    Phase.UNDERSTAND: work.understand,
    Phase.PLAN: work.plan,
    Phase.CHECK: work.check,
    Phase.DISPATCH: work.dispatch,
    Phase.RECOVER: work.recover_node,
    Phase.UNDO: work.undo,
    Phase.REPORT: work.report,
}
# A claimed run goes on with these in the superstep of the node before, and after a wait with whatever is next: each
# superstep costs, and nothing of a slice is durable before its end but the journal.
_AT_ONCE = frozenset({Phase.PLAN, Phase.CHECK, Phase.REPORT})
_NODES = frozenset({WAIT, *(phase.value for phase in _WORK)})
_ANYWHERE = (*sorted(_NODES), END)
# After these a run may have nothing to do until the world outside moves.
_MAY_WAIT = frozenset({Phase.DISPATCH, Phase.RECOVER, Phase.UNDO})


def build_graph(engine: Engine, checkpointer: BaseCheckpointSaver[Any] | None = None) -> Graph:
    """Compile the machine. About a millisecond; ``graph.copy({"checkpointer": …})`` gives one for each slice."""
    # Without a context schema: tools that invoke with an empty context of their own get a dry run, not a TypeError.
    builder: StateGraph[Any, Any, Any, Any] = StateGraph(State)
    for phase in _WORK:
        builder.add_node(phase.value, _node(engine, phase), destinations=_ANYWHERE)
    builder.add_node(WAIT, _wait, destinations=_ANYWHERE)
    builder.add_edge(START, Phase.UNDERSTAND.value)
    return builder.compile(checkpointer=checkpointer, name="steward")


def next_node(phase: str) -> str:
    """The node for a phase. Total: an unknown phase ends the slice, and the run is looked at again."""
    return phase if phase in _NODES else END


def _node(engine: Engine, phase: Phase) -> Any:
    async def node(state: State, runtime: Runtime[Slice]) -> Command[str]:
        context = runtime.context
        if isinstance(context, Slice):
            return await _worked_on(context, phase)
        (parts, run), control = await open_dry(engine, state), Control()
        run.on_entry = _streamer(get_stream_writer())
        if run.state.phase is not phase:
            return _led_on(run, past=True)
        stuck = await _go_on(parts, run, control, phase)
        await run.settled()  # its journal is in the state that is returned
        return _led_on(run, past=not stuck)

    node.__name__ = phase.value
    return node


async def _worked_on(context: Slice, phase: Phase) -> Command[str]:
    """A claimed run, as far as it goes in this superstep. One that the fold knows to be past ``phase`` is led on at once."""
    run = context.run
    if run.state.phase is not phase or phase not in _WORK:
        return _led_on(run, past=True)
    at, stuck = phase, await _go_on(context.engine, run, context.control, phase)
    while not stuck and run.state.phase in _AT_ONCE and run.state.phase is not at:
        at = run.state.phase
        stuck = await _go_on(context.engine, run, context.control, at)
    return _led_on(run, past=not stuck)


async def _go_on(parts: Engine, run: LiveRun, control: Control, phase: Phase) -> bool:
    """Do what ``phase`` is for. True when that came to nothing more to do, until the world outside moves."""
    before = run.state.seq
    await _WORK[phase](parts, run, control)
    return run.state.phase is phase and (phase in _MAY_WAIT or run.state.seq == before)


async def _wait(state: State, runtime: Runtime[Slice]) -> Command[str]:
    interrupt({"v": PAYLOAD_VERSION, **state.get("at", {})})
    # A resume value means "look again" and decides nothing: verdicts live in our own rows.
    context = runtime.context
    if isinstance(context, Slice):
        return await _worked_on(context, context.run.state.phase)
    return Command(update={"phase": Phase.RECOVER.value}, goto=Phase.RECOVER.value)


def _led_on(run: LiveRun, *, past: bool) -> Command[str]:
    state: RunFold = run.state
    phase = state.phase.value if past or state.phase is Phase.END else WAIT
    snapshot: State = {"seq": state.seq, "phase": phase, "at": waiting_for(state).payload()}
    if isinstance(run.store, DryJournal):
        snapshot["dry"] = run.store.records()
    return Command(update=snapshot, goto=next_node(phase))


def _streamer(write: Callable[[Any], None]) -> Callable[[Entry], None]:
    def on_entry(entry: Entry) -> None:
        write(
            {
                "run": entry.run_id,
                "seq": entry.seq,
                "at": entry.at.isoformat(),
                "kind": entry.kind,
                "cause": entry.cause,
            }
        )

    return on_entry
