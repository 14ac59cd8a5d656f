"""A breaker opens after failures in a row, rests, and is tried by exactly one call."""

from __future__ import annotations

from datetime import timedelta

import pytest

from governance.errors import Transient
from tests.unit.tools.stage import HurryingClock
from tools.breakers import BreakerState, SystemBreakers, Verdict


async def opened(clock: HurryingClock) -> SystemBreakers:
    """A breaker that has just opened."""
    breakers = SystemBreakers(clock, threshold=3, rest=timedelta(seconds=30))
    for _ in range(3):
        await breakers.leave(await breakers.enter("shop"), Verdict.FAILED)
    return breakers


async def test_it_opens_after_the_threshold_and_says_for_how_long() -> None:
    """It opens after the threshold and says for how long."""
    breakers = await opened(HurryingClock())
    with pytest.raises(Transient) as refused:
        await breakers.enter("shop")
    assert refused.value.retry_after == timedelta(seconds=30)
    assert breakers.states() == {"shop": BreakerState.OPEN}
    await breakers.leave(await breakers.enter("mail"), Verdict.SOUND)  # another system is not affected


async def test_only_failures_in_a_row_count() -> None:
    """Only failures in a row count."""
    breakers = SystemBreakers(HurryingClock(), threshold=2)
    for verdict in (Verdict.FAILED, Verdict.SOUND, Verdict.FAILED, Verdict.UNTOLD):
        await breakers.leave(await breakers.enter("shop"), verdict)
    assert breakers.states() == {"shop": BreakerState.CLOSED}


async def test_exactly_one_probe_passes_when_it_is_half_open() -> None:
    """Exactly one probe passes when it is half open."""
    clock = HurryingClock()
    breakers = await opened(clock)
    clock.moment += timedelta(seconds=30)
    probe = await breakers.enter("shop")
    assert breakers.states() == {"shop": BreakerState.HALF_OPEN}
    for _ in range(3):
        with pytest.raises(Transient):
            await breakers.enter("shop")
    await breakers.leave(probe, Verdict.SOUND)
    assert breakers.states() == {"shop": BreakerState.CLOSED}
    await breakers.enter("shop")


async def test_a_failed_probe_rests_again_and_a_cancelled_one_makes_room() -> None:
    """A failed probe rests again and a cancelled one makes room."""
    clock = HurryingClock()
    breakers = await opened(clock)
    clock.moment += timedelta(seconds=30)
    await breakers.leave(await breakers.enter("shop"), Verdict.UNTOLD)
    await breakers.leave(await breakers.enter("shop"), Verdict.FAILED)
    with pytest.raises(Transient) as refused:
        await breakers.enter("shop")
    assert refused.value.retry_after == timedelta(seconds=30)


async def test_a_call_that_set_out_before_does_not_close_it() -> None:
    """A call that set out before does not close it."""
    clock = HurryingClock()
    breakers = SystemBreakers(clock, threshold=1)
    early = await breakers.enter("shop")
    await breakers.leave(await breakers.enter("shop"), Verdict.FAILED)
    await breakers.leave(early, Verdict.SOUND)
    assert breakers.states() == {"shop": BreakerState.OPEN}
