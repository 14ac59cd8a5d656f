"""The systems as people see them, over all workers."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import yaml

from governance.systems import SystemStatus
from memory.database import Database
from memory.health import HealthBoard
from memory.sessionlocks import open_session_locks
from tests.conftest import DatabaseUrls
from tests.fixtures.company import steward_on
from tests.integration.runtime.fuse import fuse_home

NOON = datetime(2027, 1, 4, 12, 0, tzinfo=UTC)


async def _fuses(urls: DatabaseUrls, home: Path) -> SystemStatus:
    async with steward_on(urls, home) as steward:
        return {status.name: status for status in await steward.systems()}["fuses"]


async def test_a_system_that_was_never_called_is_closed_and_idle(database_urls: DatabaseUrls, tmp_path: Path) -> None:
    """Its limits are the tool file's, unless systems.yaml has others."""
    home, _ = fuse_home(tmp_path)
    found = await _fuses(database_urls, home)
    assert (found.breaker, found.since, found.in_flight, found.limit, found.rate) == ("closed", None, 0, 8, 0)
    limits = {"fuses": {"concurrency": 3, "rate": 2.5, "url": "http://fuses.acme.example"}}
    (home / "systems.yaml").write_text(yaml.safe_dump(limits), encoding="utf-8")
    found = await _fuses(database_urls, home)
    assert (found.limit, found.rate, found.burst, found.url) == (3, 2.5, 2, "http://fuses.acme.example")


async def test_what_another_process_knows_is_seen(
    database_urls: DatabaseUrls, database: Database, tmp_path: Path
) -> None:
    """Since when it is left alone and why; calls in flight; a probe."""
    home, _ = fuse_home(tmp_path)
    async with open_session_locks(database) as locks:
        board = HealthBoard(database, locks)
        await board.failed("fuses", at=NOON, why="http_503", threshold=1, probe=False)
        number = await locks.number("fuses")
        await locks.run("take_permits", {"number": number, "limit": 8, "held": [], "count": 2})
        found = await _fuses(database_urls, home)
        assert (found.breaker, found.since, found.why, found.in_flight) == ("open", NOON, "http_503", 2)
        assert await board.try_probe("fuses")
        assert (await _fuses(database_urls, home)).breaker == "half_open"
        await board.end_probe("fuses")
        assert (await _fuses(database_urls, home)).breaker == "open"
        await board.sound("fuses", probe=True)
        assert (await _fuses(database_urls, home)).breaker == "closed"
