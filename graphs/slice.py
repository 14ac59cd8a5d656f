"""One slice: from a claim to a finish or a wait. The only place that knows how LangGraph is invoked and resumed."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.serde.types import INTERRUPT
from langgraph.types import Command

from governance.events import RunStatus
from governance.runs import Claim, Rest
from graphs.control import Control
from graphs.engine import Engine
from graphs.fold import Phase
from graphs.intake import take_up
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
    with engine.hints.attend(claim.run_id, control.hint):
        config: RunnableConfig = {"configurable": {"thread_id": claim.run_id, STRICT_RESUME: True}}
        run, left, given = await asyncio.gather(
            _opened(engine, claim), engine.inbox.open(claim.run_id), _input(saver, config, claim)
        )
        if run.state.phase is Phase.END:
            return rest_of(run, again=False, progressed=True)
        run.left = left
        mine: Graph = graph.copy({"checkpointer": saver})
        try:
            await mine.ainvoke(given, config, context=Slice(engine, run, control), durability="async", version="v2")
        finally:
            if control.lost:
                run.drop()
            await run.settled()
    if run.state.ended is None:
        engine.folds.keep(run.state)
    return rest_of(run, again=control.draining, progressed=run.progressed)


async def _opened(engine: Engine, claim: Claim) -> LiveRun:
    known = engine.folds.take(claim.run_id)
    return await LiveRun.open(claim, engine.journal, engine.clock, engine.entropy, known=known)


async def take_in(engine: Engine, claim: Claim) -> Rest:
    """Only take up what was left for a claimed run, and hand it back, due: its slice comes when it is its turn.

    Raises:
        Fenced: the run is not ours any more.
        Corrupt: its journal contradicts itself.

    """
    run = await _opened(engine, claim)
    if run.state.phase is not Phase.END:
        await take_up(engine, run)
        await run.settled()
    if run.state.phase is Phase.END:
        return rest_of(run, again=False, progressed=True)
    engine.folds.keep(run.state)
    return Rest(RunStatus.QUEUED, "", again=True, progressed=True)


async def _input(saver: BaseCheckpointSaver[Any], config: RunnableConfig, claim: Claim) -> Any:
    """What to invoke with. Interrupt ids are read here and never stored; any other thread is started over, for the fold rules.

    They are read from the checkpoint itself: ``aget_state`` prepares all tasks to say the same.
    """
    found = await saver.aget_tuple(config)
    writes = (found.pending_writes if found else None) or []
    over = {task for task, channel, _ in writes if not channel.startswith("__")}
    waits = [each.id for task, channel, said in writes if channel == INTERRUPT and task not in over for each in said]
    return Command(resume={each: {"look": "again"} for each in waits}) if waits else {"run": {"id": claim.run_id}}


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
