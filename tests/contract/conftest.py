"""One running company for all tests of this folder, as at its first start before each."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from governance.clock import SystemClock
from tests.contract.world import FILES, World
from tests.sandbox.running import Company
from tools.credentials import Connection
from tools.http import SystemClients


@pytest.fixture(scope="session")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    """The sandbox, started once."""
    running = Company(tmp_path_factory.mktemp("company"))
    yield running
    running.end()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def clients(company: Company) -> AsyncIterator[SystemClients]:
    """The clients of its systems, with the secrets that the tool files name."""
    connections = {
        file.SYSTEM.name: Connection(
            company.url(file.SYSTEM.name), file.SYSTEM.user, file.SYSTEM.secret.removeprefix("practice:")
        )
        for file in FILES
    }
    async with SystemClients([file.SYSTEM for file in FILES], connections, SystemClock()) as opened:
        yield opened


@pytest.fixture
def world(company: Company, clients: SystemClients) -> World:
    """The company as at its first start."""
    company["control"].post("/reset").raise_for_status()
    return World(company, clients)
