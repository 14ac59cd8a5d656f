"""What the tests of memory share: the stores on the test's own database."""

from __future__ import annotations

from collections.abc import AsyncIterator

import psycopg
import pytest
import pytest_asyncio

from memory.database import Database
from memory.inbox import Inbox
from memory.journal import Journal, open_journal
from memory.reviews import Reviews
from memory.runs import Runs
from memory.timers import Timers
from tests.conftest import DatabaseUrls


@pytest_asyncio.fixture
async def journal(database: Database) -> AsyncIterator[Journal]:
    """The journal."""
    async with open_journal(database) as opened:
        yield opened


@pytest.fixture
def runs(database: Database) -> Runs:
    """The queue."""
    return Runs(database)


@pytest.fixture
def reviews(database: Database) -> Reviews:
    """The reviews."""
    return Reviews(database)


@pytest.fixture
def inbox(database: Database) -> Inbox:
    """The inbox."""
    return Inbox(database)


@pytest.fixture
def timers(database: Database) -> Timers:
    """The timers."""
    return Timers(database)


@pytest_asyncio.fixture
async def owner(database_urls: DatabaseUrls) -> AsyncIterator[psycopg.AsyncConnection]:
    """A connection as the owner, who may do what the application may not."""
    async with await psycopg.AsyncConnection.connect(database_urls.owner_url, autocommit=True) as connection:
        yield connection
