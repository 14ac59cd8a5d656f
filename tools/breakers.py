"""Breakers: a system that fails again and again is left alone for a while, then tried with exactly one call.

Why no library stands behind the port. ``purgatory`` 3.0.1 reads ``time.time()`` inside its states, so a test cannot
inject a clock; its half-open state lets any number of calls through; and a cancelled call counts as a failure, or, when
excluded, closes a half-open circuit. Working around that took more code than the three states do
(docs/decisions/0006-own-breakers.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from governance.clock import Clock
from governance.errors import Transient


class BreakerState(StrEnum):
    """Closed: calls pass. Open: none does. Half-open: one is trying."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class Verdict(StrEnum):
    """What a call says of its system's health. UNTOLD: nothing (cancelled, never sent, asked to slow down)."""

    SOUND = "sound"
    FAILED = "failed"
    UNTOLD = "untold"


@dataclass(frozen=True)
class Pass:
    """The permission for one call, to be handed back with what it showed."""

    system: str
    probe: bool = False


class Breakers(Protocol):
    """One breaker for each system."""

    async def enter(self, system: str) -> Pass:
        """Let a call to ``system`` pass.

        Raises:
            Transient: the breaker is open; ``retry_after`` says for how long.

        """
        ...

    async def leave(self, passed: Pass, verdict: Verdict, *, why: str = "") -> None:
        """The call has ended; ``why`` says how it failed. Every ``enter`` that returned needs its ``leave``."""
        ...

    def states(self) -> Mapping[str, BreakerState]:
        """The state of each system that has been called, for people to see."""
        ...


@dataclass
class _Breaker:
    failures: int = 0
    opened: datetime | None = None
    probing: bool = False


class SystemBreakers:
    """Breakers in this process: ``threshold`` failures in a row open one, ``rest`` later one call may try."""

    def __init__(self, clock: Clock, *, threshold: int = 5, rest: timedelta = timedelta(seconds=30)) -> None:
        self._clock = clock
        self._threshold = threshold
        self._rest = rest
        self._breakers: dict[str, _Breaker] = {}

    async def enter(self, system: str) -> Pass:
        """Let a call pass (see :class:`Breakers`)."""
        breaker = self._breakers.setdefault(system, _Breaker())
        if breaker.opened is None:
            return Pass(system)
        left = breaker.opened + self._rest - self._clock.now()
        if left > timedelta(0) or breaker.probing:
            raise Transient(
                f"{system} has failed {breaker.failures} times in a row and is left alone for now",
                code="breaker_open",
                retry_after=max(left, timedelta(seconds=1)),
            )
        breaker.probing = True
        return Pass(system, probe=True)

    async def leave(self, passed: Pass, verdict: Verdict, *, why: str = "") -> None:  # noqa: ARG002 - the port's
        """Count what the call showed."""
        breaker = self._breakers.setdefault(passed.system, _Breaker())
        if passed.probe:
            breaker.probing = False
        if verdict is Verdict.FAILED:
            breaker.failures += 1
            if passed.probe or (breaker.opened is None and breaker.failures >= self._threshold):
                breaker.opened = self._clock.now()
        elif verdict is Verdict.SOUND and (passed.probe or breaker.opened is None):
            # A call that set out before the breaker opened proves nothing when it comes back late.
            breaker.failures, breaker.opened = 0, None

    def states(self) -> Mapping[str, BreakerState]:
        """The state of each system that has been called, by name."""
        return {name: _state(breaker) for name, breaker in sorted(self._breakers.items())}


def _state(breaker: _Breaker) -> BreakerState:
    if breaker.opened is None:
        return BreakerState.CLOSED
    return BreakerState.HALF_OPEN if breaker.probing else BreakerState.OPEN
