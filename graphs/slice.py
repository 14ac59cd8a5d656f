"""One slice: from a claim to a finish or a wait. The only place that knows how LangGraph is invoked and resumed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.types import Command

from governance.events import RunStatus
from governance.runs import Claim, Rest
from graphs.control import Control
from graphs.engine import Engine
from graphs.fold import Phase
from graphs.live import LiveRun
from graphs.machine import Graph, Slice
from graphs.waits import waiting_for

# LangGraph's own switch that refuses stale and ambiguous answers. It is internal: tests/contract/test_langgraph.py
# says so loudly when an upgrade moves it.
STRICT_RESUME = "__pregel_strict_resume"
SOON = timedelta(milliseconds=50)


async def work_slice(
    engine: Engine, graph: Graph, saver: BaseCheckpointSaver[Any], claim: Claim, control: Control
) -> Rest:
    """Advance a claimed run as far as it goes, and say how it is left.

    Raises:
        Fenced: the run is not ours any more.
        Corrupt: its journal contradicts itself.

    """
    run = await LiveRun.open(claim, engine.journal, engine.clock, engine.entropy)
    if run.state.phase is Phase.END:
        return rest_of(run, again=False, progressed=True)
    mine: Graph = graph.copy({"checkpointer": saver})
    config: RunnableConfig = {"configurable": {"thread_id": claim.run_id, STRICT_RESUME: True}}
    await mine.ainvoke(
        await _input(mine, config, claim), config, context=Slice(run, control), durability="async", version="v2"
    )
    return rest_of(run, again=control.draining, progressed=run.progressed)


async def _input(graph: Graph, config: RunnableConfig, claim: Claim) -> Any:
    """What to invoke with. Interrupt ids are read here and never stored; an ended thread is started over, for the fold rules."""
    state = await graph.aget_state(config)
    if state.created_at is None or (not state.next and not state.interrupts):
        return {"run": {"id": claim.run_id}}
    if state.interrupts:
        return Command(resume={found.id: {"look": "again"} for found in state.interrupts})
    return None


def rest_of(run: LiveRun, *, again: bool, progressed: bool) -> Rest:
    """How a run is left, for its row."""
    state = run.state
    if state.ended is not None:
        return Rest(status=RunStatus(state.ended.status), progressed=True, summary=state.report)
    waits = waiting_for(state)
    status = RunStatus.WAITING if waits.sentence else RunStatus.QUEUED
    fruitful = progressed or bool(waits.sentence)
    wake_in = max(waits.until - run.clock.now(), SOON) if waits.until else None
    if state.parked is not None:
        return Rest(RunStatus.PARKED, waits.sentence, again=again, progressed=fruitful, wake_in=wake_in)
    again = again or not waits.sentence
    return Rest(status=status, waiting_for=waits.sentence, again=again, progressed=fruitful, wake_in=wake_in)
