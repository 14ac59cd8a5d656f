"""Dispatch: runs the plan's DAG as dataflow. A step starts the moment its inputs are there and its gate is open.

The loop waits on the first of: a call ends, somebody left something in the inbox, drain, ownership lost. After a
failure, a refusal or a cancel it starts nothing new and lets calls in flight end.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import assert_never

from governance import events as ev
from governance.chain import Event
from governance.effects import Failure, StepStatus
from governance.errors import Fenced
from graphs.control import Control, PedalBrake
from graphs.engine import Engine
from graphs.gates import ask_outcome
from graphs.intake import take_up
from graphs.live import LiveRun, RunLedger, waiting
from graphs.readiness import Ask, End, Start, next_moves, settling
from graphs.revision import Drift, current
from graphs.verdicts import ask, close_expired, simulate_verdicts
from plans.checked import CheckedPlan
from tools.contract import Done, Failed, Later, Order, Stopped, Unknown


@dataclass(frozen=True)
class Drifted:
    """Dispatch cannot go on: the installation is not the one that the plan was checked for."""

    sentence: str


class Dispatcher:
    """One slice's work on one run."""

    def __init__(self, engine: Engine, run: LiveRun, control: Control, *, dry: bool) -> None:
        self._engine = engine
        self._run = run
        self._control = control
        self._dry = dry
        self._invoker = engine.simulator if dry else engine.invoker
        self._ledger = RunLedger(run)
        self._brake = PedalBrake()
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def drive(self) -> Drifted | None:
        """Go on until nothing can be done without the world outside.

        Raises:
            Fenced: the run is not ours any more; local calls are cancelled, nothing more is written.

        """
        hints = self._engine.hints.watch(self._run.claim.run_id)
        try:
            async with contextlib.aclosing(hints):
                return await self._loop(hints)
        finally:
            await self._cancel_local()

    async def _loop(self, hints: AsyncIterator[None]) -> Drifted | None:
        hint: asyncio.Task[None] | None = None
        try:
            while True:
                if not self._dry:
                    await take_up(self._engine, self._run)
                plan = current(self._engine, self._run.state)
                if isinstance(plan, Drift):
                    return Drifted(plan.sentence)
                await self._move(plan)
                if not self._tasks:
                    return None
                hint = hint or asyncio.ensure_future(anext(hints))
                await self._wait(hint)
                if hint.done():
                    hint.result()
                    hint = None
        finally:
            if hint is not None:
                hint.cancel()
                await asyncio.gather(hint, return_exceptions=True)

    async def _move(self, plan: CheckedPlan) -> None:
        """Ask, skip, end and start whatever can be, until a pass changes nothing."""
        while not self._control.draining:
            seq, started = self._run.state.seq, len(self._tasks)
            if self._run.state.failing:
                self._brake.pull()
                self._settle(plan)
            else:
                await (simulate_verdicts(self._run) if self._dry else close_expired(self._engine, self._run))
                await self._take_moves(plan)
            if (self._run.state.seq, len(self._tasks)) == (seq, started):
                return

    async def _take_moves(self, plan: CheckedPlan) -> None:
        for move in next_moves(self._engine, self._run.state, plan, busy=self._tasks.keys()):
            if isinstance(move, Start):
                self._start(move.order)
            elif isinstance(move, Ask):
                await ask(self._engine, self._run, move, dry=self._dry)
            else:
                await self._end(move)
            if self._run.state.failing:
                return

    def _settle(self, plan: CheckedPlan) -> None:
        for order in settling(self._engine, self._run.state, plan, busy=self._tasks.keys()):
            self._start(order)

    def _start(self, order: Order) -> None:
        # Orders that only settle must not be stopped by the brake that the failure pulled.
        brake = PedalBrake() if order.settle_only else self._brake
        self._tasks[order.step] = asyncio.create_task(self._perform(order, brake), name=f"step {order.step}")

    async def _perform(self, order: Order, brake: PedalBrake) -> None:
        outcome = await self._invoker.perform(order, self._ledger, brake)
        if isinstance(outcome, Done):
            await self._end(
                End(order.step, order.tool.id, StepStatus.DONE, order.args, outcome.output, found=outcome.found)
            )
        elif isinstance(outcome, Failed):
            await self._end(End(order.step, order.tool.id, StepStatus.FAILED, order.args, failure=outcome.failure))
        elif isinstance(outcome, Unknown):
            await self._ask_outcome(order, outcome.failure)
        elif isinstance(outcome, Later):
            doubt = self._run.state.step(order.step).unsure
            event, timer = waiting(order.step, outcome.at, outcome.why, doubt=doubt, seq=self._run.state.seq)
            await self._run.record(event, rows=[timer])
        elif isinstance(outcome, Stopped):
            await self._stopped(order)
        else:
            assert_never(outcome)

    async def _stopped(self, order: Order) -> None:
        """Between attempts. A run that only drains goes on in the next slice; one that is stopping ends what was not sent.

        What may have been sent is settled first: it is looked up, not written off.
        """
        known = self._run.state.step(order.step)
        if self._run.state.failing and known.open and (order.settle_only or not known.unsure):
            why = "the run was stopping first"
            await self._end(End(order.step, order.tool.id, StepStatus.STOPPED, order.args, why=why))

    async def _ask_outcome(self, order: Order, failure: Failure) -> None:
        question = ask_outcome(self._engine, self._run.state, order.step, failure)
        if question is not None:
            event, rows = question
            await self._run.record(event, rows=rows)

    async def _end(self, end: End) -> None:
        life = self._run.state.step(end.step).life
        body = ev.StepEnded(
            step=end.step,
            tool=end.tool,
            status=end.status,
            args=end.args,
            output=end.output,
            found=end.found,
            simulated=self._dry,
            failure=end.failure,
            why=end.why,
        )
        await self._run.record(Event(f"step:{end.step}:{life}:ended", body))

    async def _wait(self, hint: asyncio.Task[None]) -> None:
        draining = asyncio.ensure_future(self._control.until_draining())
        watched = {*self._tasks.values(), hint}
        if not self._control.draining:
            watched.add(draining)
        try:
            await asyncio.wait(watched, return_when=asyncio.FIRST_COMPLETED)
        finally:
            draining.cancel()
        if self._control.lost:
            raise Fenced("the run belongs to another worker now")
        if self._control.draining:
            self._brake.pull()
        for step_id in [step_id for step_id, task in self._tasks.items() if task.done()]:
            self._tasks.pop(step_id).result()

    async def _cancel_local(self) -> None:
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        self._tasks.clear()
