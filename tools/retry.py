"""When a call is made again: growing delays with jitter, never sooner than the system asks, never past the brake.

The loop is tenacity's. A delay longer than ``linger`` is not slept: the step then leaves the slice and comes back by a
timer.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar, cast

from tenacity import AsyncRetrying, RetryCallState, retry_if_result

from governance.clock import Clock
from governance.effects import Failure
from tools.contract import Brake, Retry

T = TypeVar("T")

_JITTER = 0.2


@dataclass(frozen=True)
class Again:
    """An attempt failed and the step is not at its end: ``at`` is when to go on, in ``delay`` seconds."""

    failure: Failure
    delay: float
    at: datetime


def backoff(retry: Retry, number: int, rng: random.Random, retry_after: timedelta | None = None) -> float:
    """Seconds to wait after attempt ``number`` (from 1): ``first * factor**(number - 1)``, at most ``most``, ±20%.

    ``retry_after`` is what the system asked for: the wait is never shorter.
    """
    doublings = min(number - 1, 64)  # so that a float never overflows; ``most`` was reached long before
    delay = min(retry.first * retry.factor**doublings, retry.most) * rng.uniform(1 - _JITTER, 1 + _JITTER)
    return max(delay, retry_after.total_seconds() if retry_after else 0.0)


async def pause(clock: Clock, seconds: float, brake: Brake) -> None:
    """Return after ``seconds`` of the clock's time, or as soon as the brake is pulled."""
    if seconds <= 0:
        return
    racers = (asyncio.ensure_future(clock.sleep(seconds)), asyncio.ensure_future(brake.wait()))
    try:
        done, _ = await asyncio.wait(racers, return_when=asyncio.FIRST_COMPLETED)
        for racer in done:
            racer.result()  # what the clock or the brake raises is theirs, and passes
    finally:
        for racer in racers:
            racer.cancel()
        await asyncio.gather(*racers, return_exceptions=True)


async def repeat(
    attempt: Callable[[], Awaitable[T | Again]], *, linger: float, clock: Clock, brake: Brake
) -> T | Again:
    """Call ``attempt`` until it returns something else than :class:`Again`, or one with more than ``linger`` seconds.

    How many attempts there are is the attempt's to say: it counts over the life of the step, not of this loop.
    """
    first = await attempt()
    if not isinstance(first, Again):
        return first  # nearly every call: tenacity's loop is for those that fail
    tried: list[T | Again] = [first]

    async def once() -> T | Again:  # tenacity awaits only what it sees to be a coroutine function
        return tried.pop() if tried else await attempt()

    async def sleep(seconds: float) -> None:
        await pause(clock, seconds, brake)

    loop = AsyncRetrying(
        retry=retry_if_result(lambda result: isinstance(result, Again)),
        wait=lambda state: _again(state).delay,
        stop=lambda state: _again(state).delay > linger,
        sleep=sleep,
        retry_error_callback=_again,
    )
    return cast("T | Again", await loop(once))


def _again(state: RetryCallState) -> Any:
    """What the attempt returned (tenacity hands over its state)."""
    if state.outcome is None:
        raise RuntimeError("tenacity asked about an attempt that has not ended")
    return state.outcome.result()
