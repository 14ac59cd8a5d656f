"""The state machine. Nodes are fixed and their names pinned; the plan is data; routers are total.

Invoked with a :class:`Slice` as its context it works on a claimed run. Invoked without, it runs dry: simulated
effects, an in-memory journal kept in the checkpoint, labelled so; a resume value never is a verdict.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Any, TypedDict

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.config import get_stream_writer
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime
from langgraph.types import interrupt

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
OpenSaver = Callable[[], Saver]
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
# A claimed run goes on with these in the superstep of the node before: each superstep costs, and nothing waits in between.
_AT_ONCE = frozenset({Phase.PLAN, Phase.CHECK, Phase.REPORT})
# After these a run may have nothing to do until the world outside moves.
_MAY_WAIT = frozenset({Phase.DISPATCH, Phase.RECOVER, Phase.UNDO})


def build_graph(engine: Engine, checkpointer: BaseCheckpointSaver[Any] | None = None) -> Graph:
    """Compile the machine. About a millisecond; ``graph.copy({"checkpointer": …})`` gives one for each slice."""
    # Without a context schema: tools that invoke with an empty context of their own get a dry run, not a TypeError.
    builder: StateGraph[Any, Any, Any, Any] = StateGraph(State)
    targets: dict[Hashable, str] = {WAIT: WAIT, Phase.END.value: END}
    targets.update({phase.value: phase.value for phase in _WORK})
    for phase in _WORK:
        builder.add_node(phase.value, _node(engine, phase))
        builder.add_conditional_edges(phase.value, route, targets)
    builder.add_node(WAIT, _wait)
    builder.add_conditional_edges(WAIT, route, targets)
    builder.add_edge(START, Phase.UNDERSTAND.value)
    return builder.compile(checkpointer=checkpointer, name="steward")


async def route(state: State) -> str:
    """The node for the phase. Total: an unknown phase ends the slice, and the run is looked at again.

    A coroutine, as all nodes are: LangGraph would run a plain function in another thread.
    """
    phase = state.get("phase", Phase.END.value)
    return phase if phase == WAIT or phase in Phase._value2member_map_ else Phase.END.value


def _node(engine: Engine, phase: Phase) -> Any:
    async def node(state: State, runtime: Runtime[Slice]) -> State:
        context = runtime.context
        if isinstance(context, Slice):
            parts, run, control = engine, context.run, context.control
        else:
            (parts, run), control = await open_dry(engine, state), Control()
        run.on_entry = _streamer(get_stream_writer())
        if run.state.phase is not phase:
            return _snapshot(run, past=True)
        at, stuck = phase, await _go_on(parts, run, control, phase)
        if not isinstance(context, Slice):
            await run.settled()  # its journal is in the state that is returned
            return _snapshot(run, past=not stuck)
        while not stuck and run.state.phase in _AT_ONCE and run.state.phase is not at:
            at = run.state.phase
            stuck = await _go_on(parts, run, control, at)
        return _snapshot(run, past=not stuck)

    node.__name__ = phase.value
    return node


async def _go_on(parts: Engine, run: LiveRun, control: Control, phase: Phase) -> bool:
    """Do what ``phase`` is for. True when that came to nothing more to do, until the world outside moves."""
    before = run.state.seq
    await _WORK[phase](parts, run, control)
    return run.state.phase is phase and (phase in _MAY_WAIT or run.state.seq == before)


async def _wait(state: State, runtime: Runtime[Slice]) -> State:
    interrupt({"v": PAYLOAD_VERSION, **state.get("at", {})})
    # A resume value means "look again" and decides nothing: verdicts live in our own rows.
    context = runtime.context
    return _snapshot(context.run, past=True) if isinstance(context, Slice) else {"phase": Phase.RECOVER.value}


def _snapshot(run: LiveRun, *, past: bool) -> State:
    state: RunFold = run.state
    phase = state.phase.value if past or state.phase is Phase.END else WAIT
    snapshot: State = {"seq": state.seq, "phase": phase, "at": waiting_for(state).payload()}
    if isinstance(run.store, DryJournal):
        snapshot["dry"] = run.store.records()
    return snapshot


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
