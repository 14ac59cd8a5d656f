"""The worker: claims due runs, advances each by a slice, hands it back. Any number of them, on any number of machines."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_exponential

from governance.errors import Fenced, StewardError, Unavailable
from governance.events import RunStatus
from governance.runs import COMPANY, CONVICTED, SUSPECTED, Claim, Rest
from graphs.control import Control
from graphs.engine import Engine
from graphs.fold import Phase
from graphs.live import LiveRun
from graphs.machine import Graph, OpenSaver, Saver
from graphs.recovery import park
from graphs.slice import rest_of, take_in, work_slice
from runtime.ports import Bell, RunStore, Timers

FRUITLESS_LIMIT = 5
_CALM_SECONDS, _LONG_CALM_SECONDS, _LONG_EVERY = 1.0, 16.0, 16
CROWD, CROWD_REST, CROWD_MOST = 3, 32, 256
"""Answered runs are taken up ahead of their turn once there are three for each busy slot, since each costs a claim more; then
until fewer than 32 are left; at most 256 at once."""
CROWD_LOOK_SECONDS = 0.05
TIDY_SECONDS = 60.0
_log = structlog.get_logger("steward.worker")


def _calm(claim: Claim) -> float:
    """How many seconds other slices may take to end before a suspect begins, and then how long it is alone at least.

    Short, for its worker takes on nothing else meanwhile. Long once a worker has died with it alone, and now and then, for
    there may always be slow calls beside a culprit, and it may take its time (docs/decisions/0007).
    """
    serious = claim.deaths > SUSPECTED or claim.epoch % _LONG_EVERY == 0
    return _LONG_CALM_SECONDS if serious else _CALM_SECONDS


@dataclass(frozen=True)
class WorkerParts:
    """What a worker works with. ``tidy`` deletes what is kept for a time and is too old by now."""

    engine: Engine
    graph: Graph
    saver: OpenSaver
    runs: RunStore
    timers: Timers
    bell: Bell
    slots: int
    lease: timedelta
    poll_seconds: float
    tidy: Callable[[datetime], Awaitable[None]]


class Worker:
    """One worker of this process."""

    def __init__(self, parts: WorkerParts, identity: int) -> None:
        self._parts = parts
        self._identity = identity
        self._slices: dict[asyncio.Task[None], Control] = {}
        self._suspect: asyncio.Task[None] | None = None
        self._stopping = asyncio.Event()
        self._lost = False
        self._upkeep_at = 0.0
        self._tidy_at = 0.0
        self._alone_until = 0.0
        self._crowd_at = 0.0
        self._crowded = False
        self._doubtful: list[tuple[int, float]] = []

    def stop(self) -> None:
        """Take nothing new, end what is in flight, hand the rest back."""
        self._stopping.set()
        for control in self._slices.values():
            control.drain()

    def lose(self) -> None:
        """Ownership is lost (the advisory lock's connection broke): stop at once and write nothing."""
        self._lost = True
        self._stopping.set()
        for control in self._slices.values():
            control.lose()

    async def run(self) -> None:
        """Work until told to stop. An unreachable database is waited for; nothing is lost meanwhile.

        Raises:
            Fenced: the worker lost its identity; start it again.

        """
        while not self._stopping.is_set():
            try:
                busy = await self._round()
            except Unavailable as error:
                _log.warning("database unavailable", reason=str(error))
                busy = False
            if not busy:
                await self._rest()
        if self._slices:
            await asyncio.wait(self._slices)
        if self._lost:
            raise Fenced("This worker lost its connection to the database, and with it its runs; others take them up.")

    async def _round(self) -> bool:
        parts = self._parts
        now = asyncio.get_running_loop().time()
        if now >= self._upkeep_at:  # not at every ring of the bell: a busy queue rings it a hundred times a second
            self._upkeep_at = now + parts.poll_seconds
            await parts.timers.fire_due(parts.engine.clock.now())
            await parts.runs.reap()
        if now >= self._tidy_at:
            self._tidy_at = now + TIDY_SECONDS
            await parts.tidy(parts.engine.clock.now())
        if not await self._takes_company(now):
            return False
        free = parts.slots - len(self._slices)
        claims: Sequence[Claim] = ()
        if free > 0:
            claims = await parts.runs.claim(self._identity, free, parts.lease, self._company(now))
        for claim in claims:
            self._begin(claim)
        if len(claims) >= free and self._suspect is None and await self._take_in_crowd(now):
            return True
        return 0 < free == len(claims)

    async def _take_in_crowd(self, now: float) -> bool:
        """With all slots busy: what people left for many waiting runs becomes theirs now, and does not wait for slices to end.

        Those runs hold slots meanwhile, so that no slice begins before they are through.
        """
        parts = self._parts
        if now < self._crowd_at or len(self._slices) > parts.slots:
            return False
        crowd = CROWD_REST if self._crowded else min(CROWD * parts.slots, CROWD_MOST)
        claims = await parts.runs.claim_crowd(self._identity, CROWD_MOST, crowd, parts.lease)
        for claim in claims:
            self._begin(claim, ahead=True)
        self._crowded = bool(claims)
        self._crowd_at = 0.0 if claims else now + CROWD_LOOK_SECONDS
        return bool(claims)

    def _company(self, now: float) -> tuple[int, int]:
        """How many more of the runs in doubt may be begun: those begun a second ago and still there are in less of it."""
        self._doubtful = [(deaths, at) for deaths, at in self._doubtful if now - at < _CALM_SECONDS]
        once, twice = (sum(1 for deaths, _ in self._doubtful if deaths == number) for number in (1, 2))
        return max(0, COMPANY[0] - once), max(0, COMPANY[1] - twice)

    async def _takes_company(self, now: float) -> bool:
        """Whether runs may be begun: a suspect is left alone, but not for long, or slow ones would hold up everybody."""
        if self._suspect is not None:
            if now < self._alone_until:
                return False
            await self._parts.runs.accompany(self._identity)
            self._suspect = None
        return True

    async def _rest(self) -> None:
        """Sleep until something may be due, a slot is free, or it is time to stop."""
        waits = {
            asyncio.ensure_future(self._parts.bell.rung(self._parts.poll_seconds)),
            asyncio.ensure_future(self._stopping.wait()),
        }
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
            await asyncio.gather(*waits, return_exceptions=True)

    def _begin(self, claim: Claim, *, ahead: bool = False) -> None:
        control = Control()
        if claim.deaths:
            self._doubtful.append((claim.deaths, asyncio.get_running_loop().time()))
        work = (
            self._alone(claim, control, [*self._slices]) if claim.suspect else self._work(claim, control, ahead=ahead)
        )
        task = asyncio.create_task(work, name=f"slice of {claim.run_id}")
        self._slices[task] = control
        if claim.suspect:
            self._suspect, self._alone_until = task, math.inf
        task.add_done_callback(self._ended)

    async def _alone(self, claim: Claim, control: Control, others: list[asyncio.Task[None]]) -> None:
        """A run that may have killed workers: nothing is claimed beside it, and it begins when the others have ended, or soon."""
        calm = _calm(claim)
        pending = (await asyncio.wait(others, timeout=calm))[1] if others else set()
        self._alone_until = asyncio.get_running_loop().time() + calm
        await self._work(claim, control, alone=not pending)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._slices.pop(task, None)
        if task is self._suspect:
            self._suspect = None
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, Fenced | Unavailable):
            _log.error("slice could not be handed back", reason=repr(error))

    async def _work(self, claim: Claim, control: Control, *, alone: bool = False, ahead: bool = False) -> None:
        """A slice, and whatever becomes of it, the run handed back: otherwise it would stay ours for ever."""
        saver = self._parts.saver(fresh=claim.epoch == 1)
        work = take_in(self._parts.engine, claim) if ahead else self._attempt(claim, control, saver, alone=alone)
        attempt = asyncio.ensure_future(work)
        await asyncio.wait({attempt})
        error = attempt.exception()
        if error is None:
            back = asyncio.ensure_future(self._hand_back(claim, attempt.result(), saver))
            await asyncio.wait({back})
            error = back.exception()
            if error is None or isinstance(error, Fenced | Unavailable):
                back.result()
                return
            # What this slice, or one that ended with it, leaves cannot be written: the run itself goes back all the same.
        await self._hand_back(claim, self._broken_off(claim, error))

    async def _attempt(self, claim: Claim, control: Control, saver: Saver, *, alone: bool) -> Rest:
        parts = self._parts
        if claim.fruitless >= FRUITLESS_LIMIT or claim.deaths >= CONVICTED:
            return await self._park(claim)
        if alone:
            await parts.runs.isolate(claim)
        return await work_slice(parts.engine, parts.graph, saver, claim, control)

    async def _park(self, claim: Claim) -> Rest:
        """A run whose claims came to nothing again and again. One whose journal cannot be read is parked by its row alone."""
        if claim.deaths >= CONVICTED:
            reason = f"its workers died {claim.deaths} times in a row, in the end with this run alone in their hands"
        else:
            row = await self._parts.runs.get(claim.run_id)
            reason = f"{FRUITLESS_LIMIT} attempts in a row came to nothing: {row.waiting_for}"
        engine = self._parts.engine
        opening = asyncio.ensure_future(LiveRun.open(claim, engine.journal, engine.clock, engine.entropy))
        await asyncio.wait({opening})
        error = opening.exception()
        if isinstance(error, Unavailable | Fenced):
            raise error
        if error is not None:
            return Rest(
                status=RunStatus.PARKED, waiting_for=f"a person, for its journal cannot be read: {_reason(error)}"
            )
        run = opening.result()
        if run.state.phase is Phase.END:  # only its row does not say so yet
            return rest_of(run, again=False, progressed=True)
        await park(engine, run, reason, poison=True)
        return rest_of(run, again=False, progressed=True)

    @staticmethod
    def _broken_off(claim: Claim, error: BaseException) -> Rest:
        """How a run is left whose slice broke off: tried again after a pause, the reason kept for whoever looks."""
        if isinstance(error, Fenced | Unavailable):
            # Perhaps only a commit's result was lost and the run is ours still: then it must be handed back too.
            _log.info("slice given up", run=claim.run_id, epoch=claim.epoch, reason=str(error))
        else:
            _log.error("slice failed", run=claim.run_id, epoch=claim.epoch, reason=_reason(error))
        return Rest(status=RunStatus.QUEUED, waiting_for=_reason(error), again=True, progressed=False)

    async def _hand_back(self, claim: Claim, rest: Rest, saver: Saver | None = None) -> None:
        """Finish, with the slice's checkpoints, however long the database is away: a run that is not handed back would stay ours for ever.

        Raises:
            Fenced: it is not ours any more, so there is nothing to hand back.

        """
        async for attempt in AsyncRetrying(
            retry=retry_if_exception_type(Unavailable), wait=wait_exponential(0.2, max=5), stop=self._gone
        ):
            with attempt:
                fruitless = await self._parts.runs.finish(claim, rest, saver)
                if fruitless == FRUITLESS_LIMIT:  # once: one that cannot even be parked comes back after its pauses
                    await self._parts.runs.wake(claim.run_id)  # to be parked, now

    def _gone(self, _: RetryCallState) -> bool:
        return self._lost


def _reason(error: BaseException) -> str:
    """For logs and lists: a foreign error's text may quote a person's data, so only its kind is told."""
    return str(error) if isinstance(error, StewardError) else f"a defect ({type(error).__name__})"
