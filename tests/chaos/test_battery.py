"""The battery's short form, an experiment at a time: ``pytest -m chaos -k B7``. ``make chaos`` makes all, with a report."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.chaos.battery import EXPERIMENTS, experience
from tests.chaos.ground import Ground, ground


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stood_on() -> AsyncIterator[Ground]:
    """A durable PostgreSQL for all of them."""
    async with ground(1843, full=False) as found:
        yield found


@pytest.mark.chaos
@pytest.mark.timeout(400)
@pytest.mark.parametrize("name", EXPERIMENTS)
@pytest.mark.asyncio(loop_scope="module")
async def test_every_target_is_met(stood_on: Ground, name: str) -> None:
    """What the experiment promises, measured."""
    result = await experience(name, stood_on)
    assert [f"{m.what}: {m.measured}, not {m.target}" for m in result.measures if not m.ok] == []
    assert result.measures
