"""Traffic: how many calls to a system may be in flight, and how many may leave in a second, over all workers."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Protocol

from governance.clock import Clock
from governance.errors import Unavailable
from governance.systems import Permit, Turn
from tools.contract import System
from tools.sharing import Board

MOST_PERMITS = 1000  # the numbers of a system's locks (memory/sql/systems.sql)


class Traffic(Protocol):
    """What an attempt asks before it calls."""

    def try_take(self, system: str) -> Permit | None:
        """A permit, if one is at hand."""
        ...

    async def take(self, system: str) -> Permit:
        """A permit, waited for. Every one needs its ``give``."""
        ...

    def give(self, permit: Permit) -> None:
        """The call has ended."""
        ...

    async def turn(self, system: str, *, linger: float) -> Turn:
        """When the next call may leave; reserved if that is within ``linger`` seconds."""
        ...

    async def slow(self, system: str, until: datetime) -> None:
        """The system asked to be left in peace until then, by whomever."""
        ...


class OwnTraffic:
    """Nothing is shared: only the process's own slots count."""

    def try_take(self, system: str) -> Permit | None:
        """At hand, always."""
        return Permit(system)

    async def take(self, system: str) -> Permit:
        """At hand, always."""
        return Permit(system)

    def give(self, permit: Permit) -> None:
        """Nothing to give back."""

    async def turn(self, system: str, *, linger: float) -> Turn:  # noqa: ARG002 - the port's
        """At once."""
        return Turn()

    async def slow(self, system: str, until: datetime) -> None:
        """The caller's own retry waits as long as it was asked to."""


class Permits(Protocol):
    """Permits that all workers share (``memory.permits``)."""

    def try_take(self, system: str, limit: int) -> Permit | None:
        """One that is at hand."""
        ...

    async def take(self, system: str, limit: int) -> Permit:
        """One, waited for."""
        ...

    def give(self, permit: Permit) -> None:
        """It is free again."""
        ...


class Rates(Protocol):
    """Token buckets that all workers share (``memory.rates``)."""

    async def turn(self, system: str, *, rate: float, burst: int, linger: float) -> Turn:
        """When the next call may leave."""
        ...


class SharedTraffic:
    """The port :class:`Traffic` over permits, rates and the board of health."""

    def __init__(self, systems: Iterable[System], permits: Permits, rates: Rates, board: Board, clock: Clock) -> None:
        self._systems = {system.name: system for system in systems}
        self._permits = permits
        self._rates = rates
        self._board = board
        self._clock = clock

    def try_take(self, system: str) -> Permit | None:
        """A permit that this process has at hand."""
        return self._permits.try_take(system, self._limit(system))

    async def take(self, system: str) -> Permit:
        """A permit, as soon as this process gets one."""
        return await self._permits.take(system, self._limit(system))

    def give(self, permit: Permit) -> None:
        """The call has ended."""
        self._permits.give(permit)

    async def turn(self, system: str, *, linger: float) -> Turn:
        """After what the system asked for, and after its rate. One without a rate costs nothing."""
        until = self._board.view(system).not_before
        if until is not None and (left := until - self._clock.now()) > timedelta(0):
            return Turn(left, taken=left.total_seconds() <= linger)
        rated = self._systems[system]
        if rated.rate <= 0:
            return Turn()
        return await self._rates.turn(system, rate=rated.rate, burst=rated.most_at_once, linger=linger)

    def _limit(self, system: str) -> int:
        return min(self._systems[system].concurrency, MOST_PERMITS)

    async def slow(self, system: str, until: datetime) -> None:
        """Tell all workers. Without the database the caller's own retry still waits."""
        try:
            await self._board.slow(system, until)
        except Unavailable:
            return
