"""Permits: at most so many calls to a system in flight over all workers.

A permit is a session advisory lock, so a killed worker's are free at once. A process keeps its permits while it is busy
and gives them back after a second of idleness: a hot worker pays no round trip for a call. Whoever gets none queues up
visibly (a shared lock); then every process keeps no more than its part, and where there are fewer permits than processes
they go round.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import structlog

from governance.errors import Unavailable
from governance.systems import Permit
from memory.sessionlocks import SessionLocks

_IDLE_SECONDS = 1.0
_LOOK_SECONDS = 0.05
_REST_SECONDS = 0.25
_log = structlog.get_logger("steward.permits")


@dataclass
class _Pool:
    """One system's permits in this process."""

    system: str
    limit: int
    number: int | None = None
    generation: int = 0
    free: list[int] = field(default_factory=list)
    used: set[int] = field(default_factory=set)
    waiters: deque[asyncio.Future[Permit]] = field(default_factory=deque)
    surplus: list[int] = field(default_factory=list)  # to be unlocked
    most: int = 0  # how many this process may keep at present
    queued: bool = False
    touched: float = 0.0
    cool_until: float = 0.0

    @property
    def held(self) -> int:
        return len(self.free) + len(self.used)

    def hand_out(self) -> None:
        """Free permits to those who wait, first come first served."""
        while self.free and self.waiters:
            waiter = self.waiters.popleft()
            if not waiter.done():
                waiter.set_result(self.use())

    def use(self) -> Permit:
        slot = self.free.pop()
        self.used.add(slot)
        self.touched = time.monotonic()
        return Permit(self.system, slot, self.generation)

    def forget(self, generation: int) -> None:
        """The session was lost, and with it all locks."""
        self.generation, self.queued = generation, False
        self.free.clear()
        self.used.clear()
        self.surplus.clear()


class Permits:
    """All systems' permits of this process. Made by ``open_permits``."""

    def __init__(self, locks: SessionLocks) -> None:
        self._locks = locks
        self._pools: dict[str, _Pool] = {}
        self._wanted = asyncio.Event()
        self._looked = 0.0

    def try_take(self, system: str, limit: int) -> Permit | None:
        """A permit that this process has at hand, if nobody here waits for one."""
        pool = self._pools.get(system)
        if pool is None or not pool.free or pool.waiters or pool.generation != self._locks.generation:
            return None
        pool.limit = limit
        return pool.use()

    async def take(self, system: str, limit: int) -> Permit:
        """Wait for a permit; first come first served within this process."""
        pool = self._pools.setdefault(system, _Pool(system, limit, most=limit))
        pool.limit = limit
        waiter: asyncio.Future[Permit] = asyncio.get_running_loop().create_future()
        pool.waiters.append(waiter)
        if pool.generation == self._locks.generation:
            pool.hand_out()
        if pool.held < min(pool.limit, pool.most):
            self._wanted.set()
        try:
            return await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled():
                self.give(waiter.result())
            with contextlib.suppress(ValueError):
                pool.waiters.remove(waiter)
            raise

    def give(self, permit: Permit) -> None:
        """The call has ended."""
        pool = self._pools[permit.system]
        if permit.slot is None or permit.generation != pool.generation:
            return
        pool.used.discard(permit.slot)
        pool.touched = time.monotonic()
        if pool.held >= pool.most:
            pool.surplus.append(permit.slot)
            self._wanted.set()
        else:
            pool.free.append(permit.slot)
            pool.hand_out()

    async def serve(self) -> None:
        """Fetch permits, and give them back, until cancelled."""
        while True:
            self._wanted.clear()
            for pool in list(self._pools.values()):
                try:
                    await self._attend(pool)
                except Unavailable as error:
                    _log.warning("limits are this process's own for now", system=pool.system, reason=str(error))
                    self._go_without(pool)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._pause()):
                    await self._wanted.wait()
            await asyncio.sleep(0)  # those who ask at the same moment are served together

    def _pause(self) -> float | None:
        pools = self._pools.values()
        if any(pool.waiters for pool in pools):
            return _LOOK_SECONDS
        return _REST_SECONDS if any(pool.held or pool.queued for pool in pools) else None

    async def _attend(self, pool: _Pool) -> None:
        if pool.generation != self._locks.generation:
            pool.forget(self._locks.generation)
        if not (pool.waiters or pool.held or pool.queued or pool.surplus):
            return
        if pool.number is None:
            pool.number = await self._locks.number(pool.system)
        await self._look_around()
        self._let_go(pool)
        if pool.surplus:
            slots, pool.surplus = pool.surplus, []
            await self._locks.run("give_permits", {"number": pool.number, "slots": slots})
        await self._fetch(pool)
        await self._line_up(pool)

    def _let_go(self, pool: _Pool) -> None:
        """What is too much, or idle, goes back."""
        pool.hand_out()
        idle = time.monotonic() - pool.touched > _IDLE_SECONDS
        while pool.free and (idle or pool.held > pool.most):
            pool.surplus.append(pool.free.pop())

    async def _fetch(self, pool: _Pool) -> None:
        pool.waiters = deque(waiter for waiter in pool.waiters if not waiter.done())
        count = min(len(pool.waiters), min(pool.limit, pool.most) - pool.held)
        if count <= 0 or time.monotonic() < pool.cool_until:
            return
        values = {"number": pool.number, "limit": pool.limit, "held": [*pool.free, *pool.used], "count": count}
        rows = await self._locks.run("take_permits", values)
        if pool.generation != self._locks.generation:  # a session of its own: the first, or one after a loss
            pool.forget(self._locks.generation)
        pool.free += [int(row["slot"]) for row in rows]
        pool.hand_out()

    async def _line_up(self, pool: _Pool) -> None:
        """Show others that somebody here waits, or that nobody does any more."""
        waited_for = bool(pool.waiters)  # others may come while the statement runs
        if waited_for != pool.queued:
            await self._locks.run("queue" if waited_for else "leave_queue", {"number": pool.number})
            pool.queued = waited_for

    async def _look_around(self) -> None:
        """Learn how many others want what we have, and what our part of it is then."""
        now = time.monotonic()
        if now - self._looked < _REST_SECONDS:
            return
        self._looked = now
        rivals = {int(row["number"]): row for row in await self._locks.run("rivals", {})}
        for pool in self._pools.values():
            row = rivals.get(pool.number or 0)
            if row is None or not row["waiting"]:
                pool.most = pool.limit
                continue
            everyone = int(row["rivals"]) + 1
            pool.most = -(-pool.limit // everyone)
            if pool.limit < everyone and pool.held and now >= pool.cool_until:
                # Fewer permits than processes: ours goes round, and we do not snatch it back at once.
                pool.most = 0
                pool.cool_until = now + _REST_SECONDS + _LOOK_SECONDS

    def _go_without(self, pool: _Pool) -> None:
        """Without the database the process's own limit has to do."""
        while pool.waiters:
            waiter = pool.waiters.popleft()
            if not waiter.done():
                waiter.set_result(Permit(pool.system))


@asynccontextmanager
async def open_permits(locks: SessionLocks) -> AsyncIterator[Permits]:
    """Permits for as long as the block lasts."""
    permits = Permits(locks)
    server = asyncio.create_task(permits.serve(), name="permits")
    try:
        yield permits
    finally:
        server.cancel()
        await asyncio.gather(server, return_exceptions=True)
