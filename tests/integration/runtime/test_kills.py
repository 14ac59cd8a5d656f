"""Ten real SIGKILLs: nothing lost, nothing twice."""

from __future__ import annotations

from pathlib import Path

from tests.chaos.onboardings import onboard, onboarders
from tests.conftest import DatabaseUrls
from tests.fixtures.company import steward_on
from tests.sandbox.running import Company


async def test_ten_kills_lose_and_double_nothing(database_urls: DatabaseUrls, home: Path, company: Company) -> None:
    """Workers die at work; every run ends done, and the systems counted every effect exactly once."""
    async with onboarders(database_urls, home) as workers, steward_on(database_urls, home) as steward:
        toll = await onboard(steward, company, workers, runs=6, kills=10, seed=1815)
        assert toll.ended == {"done": 6}
        assert toll.doubled == {}
        assert toll.missing == []
        assert toll.verified.ok
        assert toll.kinds["step.attempted"] > 0
