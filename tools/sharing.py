"""Breakers that all workers share. Without the database each process goes by what it has seen itself.

The healthy path reads a local copy. Only what is seen of a failing or recovering system is written to the board.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Protocol

from governance.clock import Clock
from governance.errors import Transient, Unavailable
from governance.systems import Health
from tools.breakers import BreakerState, Pass, SystemBreakers, Verdict


class Board(Protocol):
    """The health of systems, kept where all workers see it. What is async raises Unavailable."""

    @property
    def away(self) -> bool:
        """It could not be reached when it was last asked."""
        ...

    def view(self, system: str) -> Health:
        """The system's health as last heard of; never a round trip."""
        ...

    async def failed(self, system: str, *, at: datetime, why: str, threshold: int, probe: bool) -> None:
        """Count a failure."""
        ...

    async def sound(self, system: str, *, probe: bool) -> None:
        """Count nothing any more; after a probe, close."""
        ...

    async def slow(self, system: str, until: datetime) -> None:
        """It asked everybody to wait until then."""
        ...

    async def try_probe(self, system: str) -> bool:
        """Be the one of all workers who tries."""
        ...

    async def end_probe(self, system: str) -> None:
        """Let somebody else try."""
        ...


class SharedBreakers:
    """The port ``tools.breakers.Breakers`` over a board."""

    def __init__(
        self, board: Board, clock: Clock, *, threshold: int = 5, rest: timedelta = timedelta(seconds=30)
    ) -> None:
        self._board = board
        self._clock = clock
        self._threshold = threshold
        self._rest = rest
        self._own = SystemBreakers(clock, threshold=threshold, rest=rest)
        self._seen: set[str] = set()

    async def enter(self, system: str) -> Pass:
        """Let a call pass (see ``tools.breakers.Breakers``)."""
        self._seen.add(system)
        if self._board.away:
            return await self._own.enter(system)
        if self._board.view(system).opened_at is None:
            return Pass(system)
        self._refuse_while_resting(system)
        try:
            mine = await self._board.try_probe(system)
        except Unavailable:
            return await self._own.enter(system)
        if not mine:
            raise self._left_alone(system, timedelta(seconds=1))
        if self._board.view(system).opened_at is None:  # another worker's probe has just closed it
            await self._end_probe(system)
            return Pass(system)
        try:
            self._refuse_while_resting(system)  # or has just opened it anew
        except Transient:
            await self._end_probe(system)
            raise
        return Pass(system, probe=True)

    async def leave(self, passed: Pass, verdict: Verdict, *, why: str = "") -> None:
        """Count what the call showed, here and for all."""
        await self._own.leave(passed, verdict, why=why)
        system, probe = passed.system, passed.probe
        try:
            if verdict is Verdict.FAILED:
                at = self._clock.now()
                await self._board.failed(system, at=at, why=why, threshold=self._threshold, probe=probe)
            elif verdict is Verdict.SOUND and (probe or self._board.view(system).failures):
                await self._board.sound(system, probe=probe)
        except Unavailable:
            pass  # this process's own view has counted it
        finally:
            if probe:
                await self._end_probe(system)

    def states(self) -> Mapping[str, BreakerState]:
        """The state of each system that this process has called."""
        if self._board.away:
            return self._own.states()
        return {
            name: BreakerState.CLOSED if self._board.view(name).opened_at is None else BreakerState.OPEN
            for name in sorted(self._seen)
        }

    def _refuse_while_resting(self, system: str) -> None:
        opened = self._board.view(system).opened_at
        left = opened + self._rest - self._clock.now() if opened else timedelta(0)
        if left > timedelta(0):
            raise self._left_alone(system, left)

    def _left_alone(self, system: str, left: timedelta) -> Transient:
        times = self._board.view(system).failures
        return Transient(
            f"{system} has failed {times} times in a row and is left alone for now",
            code="breaker_open",
            retry_after=max(left, timedelta(seconds=1)),
        )

    async def _end_probe(self, system: str) -> None:
        try:
            await self._board.end_probe(system)
        except Unavailable:
            return  # the lock went with the session
