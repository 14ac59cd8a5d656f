"""The short storm that CI runs: fifty SIGKILLs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.storm import nursery, storm
from tests.conftest import DatabaseUrls
from tests.fixtures.company import home_of, steward_on
from tests.sandbox.running import Company


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Company]:
    """A sandbox of the storm's own."""
    company = Company(tmp_path)
    yield company
    company.end()


@pytest.mark.chaos
@pytest.mark.timeout(300)
async def test_fifty_kills_lose_and_double_nothing(
    database_urls: DatabaseUrls, tmp_path: Path, company: Company
) -> None:
    """Twenty onboardings, fifty kills: all done, every effect counted once by the systems, every chain whole."""
    home = home_of(company, tmp_path / "home")
    async with nursery(database_urls, home) as parent, steward_on(database_urls, home) as steward:
        toll = await storm(steward, company, parent, runs=20, kills=50, seed=1852)
        assert "\n".join(toll.parked) == ""
        assert toll.ended == {"done": 20}
        assert toll.doubled == {}
        assert toll.missing == []
        assert toll.verified.ok
