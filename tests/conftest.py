"""What every test may use: a clean environment, and a database of its own.

The server is the embedded PostgreSQL, one for each process of a session, gone at its end. ``STEWARD_TEST_DATABASE_URL`` names another one instead
(a superuser's address, for instance ``postgresql://postgres@/postgres?host=/var/run/postgresql``).
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import tempfile
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
import pytest_asyncio
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from memory.database import Database, open_database
from memory.embedded import embedded_postgres

# LangGraph reads this once, when it is imported.
os.environ["LANGGRAPH_STRICT_MSGPACK"] = "true"
from memory.migrate import migrate

pytest_plugins = ("tests.fixtures.acme",)
_OTHER_SERVER = os.environ.get("STEWARD_TEST_DATABASE_URL")


@dataclass(frozen=True)
class DatabaseUrls:
    """One database, as its owner and as the application."""

    owner_url: str
    app_url: str


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees the STEWARD_ variables of whoever runs it."""
    for name in list(os.environ):
        if name.startswith("STEWARD_"):
            monkeypatch.delenv(name)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def server_url() -> AsyncIterator[str]:
    """The superuser's address of a server on which the role ``steward_app`` may log in."""
    if _OTHER_SERVER:
        await _let_app_log_in(_OTHER_SERVER)
        yield _OTHER_SERVER
        return
    with tempfile.TemporaryDirectory(prefix="steward-test-") as folder:
        Path(folder).chmod(0o711)  # noqa: ASYNC240 - once; root's server runs under another account, which must get in
        # No test cuts the power: all others would only wait for the disk.
        settings = {"max_connections": "200", "fsync": "off", "full_page_writes": "off"}
        async with embedded_postgres(Path(folder) / "postgres", settings=settings) as embedded:
            yield embedded.owner_url
        await _stopped(embedded.folder)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def template_urls(server_url: str) -> AsyncIterator[DatabaseUrls]:
    """A migrated database, made once, which each test's own is a copy of. Nobody may be connected to it."""
    async with _new_database(server_url) as urls:
        await migrate(urls.owner_url)
        yield urls


@pytest_asyncio.fixture
async def empty_database_urls(server_url: str) -> AsyncIterator[DatabaseUrls]:
    """A database without any table."""
    async with _new_database(server_url) as urls:
        yield urls


@pytest_asyncio.fixture
async def database_urls(server_url: str, template_urls: DatabaseUrls) -> AsyncIterator[DatabaseUrls]:
    """A migrated database for this test alone."""
    async with _new_database(server_url, template=conninfo_to_dict(template_urls.owner_url)["dbname"]) as urls:
        yield urls


@pytest_asyncio.fixture
async def database(database_urls: DatabaseUrls) -> AsyncIterator[Database]:
    """The test's database, opened as the application."""
    async with open_database(database_urls.app_url) as opened:
        yield opened


@asynccontextmanager
async def _new_database(server_url: str, template: object = "template1") -> AsyncIterator[DatabaseUrls]:
    name = f"steward_test_{uuid.uuid4().hex}"
    async with await psycopg.AsyncConnection.connect(server_url, autocommit=True) as server:
        make = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY")
        await server.execute(make.format(sql.Identifier(name), sql.Identifier(str(template))))
    try:
        yield DatabaseUrls(
            make_conninfo(server_url, dbname=name), make_conninfo(server_url, dbname=name, user="steward_app")
        )
    finally:
        async with await psycopg.AsyncConnection.connect(server_url, autocommit=True) as server:
            await server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


async def _stopped(cluster: Path) -> None:
    """Return once the server has ended after its last user: its guard holds this lock until then.

    Raises TimeoutError when it has not after a minute: somebody still uses it.
    """
    with (cluster / "guard.lock").open("rb") as lock:
        async with asyncio.timeout(60):
            while True:
                with contextlib.suppress(BlockingIOError):
                    return fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                await asyncio.sleep(0.05)  # sleep: a lock has no event


async def _let_app_log_in(server_url: str) -> None:
    async with await psycopg.AsyncConnection.connect(server_url, autocommit=True) as server:
        with contextlib.suppress(psycopg.errors.DuplicateObject, psycopg.errors.UniqueViolation):
            await server.execute("CREATE ROLE steward_app")
        with contextlib.suppress(psycopg.errors.InternalError_):  # another process does the same at this moment
            await server.execute("ALTER ROLE steward_app LOGIN")
