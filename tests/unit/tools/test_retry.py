"""Delays grow, keep to their limits and to what the system asks, and end at the brake."""

from __future__ import annotations

import asyncio
import random
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.effects import Failure, FailureClass
from tests.fakes import FakeClock
from tests.unit.tools.stage import START, HurryingClock, Pedal
from tools.contract import Retry
from tools.retry import Again, backoff, pause, repeat

FAILURE = Failure(failure=FailureClass.TRANSIENT, message="no")


@given(number=st.integers(1, 10_000), seed=st.integers(0, 99), after=st.none() | st.floats(0, 1e6))
def test_the_delay_is_within_its_bounds(number: int, seed: int, after: float | None) -> None:
    """The delay is within its bounds."""
    asked = None if after is None else timedelta(seconds=after)
    delay = backoff(Retry(first=1, factor=2, most=60), number, random.Random(seed), asked)
    planned = min(2.0 ** min(number - 1, 20), 60)
    least = asked.total_seconds() if asked is not None else 0
    assert max(planned * 0.8, least) <= delay <= max(planned * 1.2, least)


def test_jitter_comes_from_the_generator_given() -> None:
    """Jitter comes from the generator given."""

    def drawn(seed: int) -> list[float]:
        rng = random.Random(seed)
        return [backoff(Retry(), 1, rng) for _ in range(3)]

    assert drawn(1) == drawn(1) != drawn(2)


async def test_a_pulled_brake_ends_a_pause_and_leaves_no_sleeper() -> None:
    """A pulled brake ends a pause and leaves no sleeper."""
    asleep, ended = asyncio.Event(), asyncio.Event()

    class Endless(HurryingClock):
        async def sleep(self, seconds: float) -> None:
            asleep.set()
            try:
                await asyncio.Event().wait()
            finally:
                ended.set()

    brake = Pedal()
    pausing = asyncio.create_task(pause(Endless(), 60, brake))
    await asleep.wait()
    brake.event.set()
    await asyncio.wait_for(pausing, 2)
    assert ended.is_set()


async def test_what_the_brake_raises_passes() -> None:
    """What the brake raises passes."""

    class Broken(Pedal):
        async def wait(self) -> None:
            raise LookupError("the brake is broken")

    with pytest.raises(LookupError):
        await pause(FakeClock(), 60, Broken())


@pytest.mark.parametrize(("linger", "calls"), [(5, 3), (1, 1)])
async def test_short_delays_are_slept_and_long_ones_are_handed_back(linger: float, calls: int) -> None:
    """Short delays are slept and long ones are handed back."""
    clock, made = HurryingClock(), 0

    async def attempt() -> str | Again:
        nonlocal made
        made += 1
        return "done" if made == 3 else Again(FAILURE, 2.0, START)

    result = await repeat(attempt, linger=linger, clock=clock, brake=Pedal())
    assert made == calls
    assert (result == "done") == (calls == 3)
    assert clock.slept == [2.0] * (calls - 1)
