"""A shop that misbehaves, and clients for it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import psycopg
import pytest
import pytest_asyncio

from tests.conftest import DatabaseUrls
from tests.integration.tools.shopserver import Shop, open_shop
from tests.unit.tools.stage import SHOP, HurryingClock
from tools.credentials import Connection
from tools.http import SystemClients


@pytest.fixture
def clock() -> HurryingClock:
    """A clock whose sleeps take no time."""
    return HurryingClock()


@pytest_asyncio.fixture
async def shop() -> AsyncIterator[Shop]:
    """A running shop."""
    async with open_shop() as opened:
        yield opened


@pytest_asyncio.fixture
async def clients(shop: Shop, clock: HurryingClock) -> AsyncIterator[SystemClients]:
    """Clients of the shop, with its key."""
    connections = {"shop": Connection(shop.url, secret="practice-key")}
    async with SystemClients([SHOP], connections, clock, most_bytes=1000) as opened:
        yield opened


@pytest_asyncio.fixture
async def owner(database_urls: DatabaseUrls) -> AsyncIterator[psycopg.AsyncConnection]:
    """A connection as the owner of the test's database."""
    async with await psycopg.AsyncConnection.connect(database_urls.owner_url, autocommit=True) as connection:
        yield connection
