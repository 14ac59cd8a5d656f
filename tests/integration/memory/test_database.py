"""Opening the database: what is proved before Steward trusts it, and the sentences when it cannot."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import socket
import tempfile
import uuid
from collections.abc import Iterator, MutableMapping, Sequence
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from structlog.testing import capture_logs

from governance.errors import DatabaseUnavailable
from memory.database import Database, open_database
from tests.conftest import DatabaseUrls


async def refused(url: str) -> DatabaseUnavailable:
    """How opening ``url`` is refused."""
    with pytest.raises(DatabaseUnavailable) as caught:
        async with open_database(url):
            pass
    assert str(caught.value).endswith(".")
    assert caught.value.hint
    return caught.value


async def test_connections_act_as_the_application_in_utc(database: Database) -> None:
    """Also the second and third connection, and whatever the server's defaults."""
    for row in await asyncio.gather(*(database.fetch(b"SELECT current_user AS u, now() AS n") for _ in range(3))):
        assert row[0]["u"] == "steward_app"
        assert row[0]["n"].utcoffset().total_seconds() == 0


async def test_an_owners_address_takes_on_the_applications_role(database_urls: DatabaseUrls) -> None:
    """One address is enough for a small installation, and even then the application cannot rewrite the journal."""
    async with open_database(database_urls.owner_url) as database:
        with pytest.raises(DatabaseUnavailable, match="does not permit this: permission denied for table journal"):
            await database.fetch(b"UPDATE journal SET body = ''")


async def test_a_login_that_could_put_the_role_off_is_warned_of(database_urls: DatabaseUrls, server_url: str) -> None:
    """A superuser, an owner, a member of the owner; the application's own login is not."""
    name = f"login_{uuid.uuid4().hex[:8]}"
    member = make_conninfo(database_urls.app_url, user=name)
    async with await psycopg.AsyncConnection.connect(server_url, autocommit=True) as server:
        await server.execute(f"CREATE ROLE {name} LOGIN".encode())
        try:
            await server.execute(f"GRANT steward_app TO {name}".encode())
            assert await warned(member) == await warned(database_urls.app_url) == []
            await server.execute(f'GRANT "{server.info.user}" TO {name}'.encode())
            for url, login in ((member, name), (database_urls.owner_url, server.info.user)):
                (warning,) = await warned(url)
                assert (warning["log_level"], warning["login"]) == ("warning", login)
                assert "use-your-own-postgresql.md" in warning["way_out"]
        finally:
            await server.execute(f"DROP ROLE {name}".encode())


async def warned(url: str) -> Sequence[MutableMapping[str, Any]]:
    """What is logged when ``url`` is opened."""
    with capture_logs() as logged:
        async with open_database(url):
            pass
    return logged


async def test_an_unreachable_server_gives_one_sentence_without_the_password() -> None:
    """The sentence names the place and the reason."""
    error = await refused("postgresql://steward_app:s3cret@127.0.0.1:1/steward?connect_timeout=2")
    assert "127.0.0.1 (port 1, database steward) does not answer" in str(error)
    assert "s3cret" not in str(error)


async def test_an_unreadable_address_is_said_to_be_one() -> None:
    """No part of it is repeated: it may hold a password."""
    error = await refused("postgres//steward:s3cret@host")
    assert str(error) == "The address of PostgreSQL cannot be read."


async def test_a_database_without_our_tables_is_refused(empty_database_urls: DatabaseUrls) -> None:
    """The hint says what to do."""
    assert "has no tables of Steward" in str(await refused(empty_database_urls.app_url))


@pytest.mark.parametrize("right", ["UPDATE", "UPDATE (body)", "DELETE", "TRUNCATE"])
async def test_an_application_that_could_rewrite_the_journal_does_not_start(
    right: str, database_urls: DatabaseUrls, owner: psycopg.AsyncConnection
) -> None:
    """Whatever the right, and if only on a column."""
    await owner.execute(f"GRANT {right} ON journal TO steward_app".encode())
    assert "could rewrite the journal" in str(await refused(database_urls.app_url))


async def test_a_stranger_to_the_applications_role_is_refused(
    database_urls: DatabaseUrls, owner: psycopg.AsyncConnection
) -> None:
    """A log-in that is not a member of steward_app."""
    name = f"stranger_{os.getpid()}"
    await owner.execute(f"CREATE ROLE {name} LOGIN".encode())
    try:
        assert "permission denied to set role" in str(await refused(make_conninfo(database_urls.app_url, user=name)))
    finally:
        await owner.execute(f"DROP ROLE {name}".encode())


async def test_after_a_restart_of_the_server_at_most_one_call_fails(
    database: Database, owner: psycopg.AsyncConnection
) -> None:
    """All connections of the pool are dead; the first call that finds out drops them all."""
    await asyncio.gather(*(database.fetch(b"SELECT pg_sleep(0.05)") for _ in range(4)))
    await owner.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'steward_app'")
    with pytest.raises(DatabaseUnavailable):
        await database.fetch(b"SELECT 1")
    for _ in range(8):
        assert await database.fetch(b"SELECT 1 AS one") == [{"one": 1}]


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that another account may read; pytest's own is private."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.mark.skipif(shutil.which("pgbouncer") is None, reason="needs pgbouncer, the usual pooler")
@pytest.mark.parametrize("mode", ["transaction", "session"])
async def test_a_transaction_pooler_is_refused_and_a_session_pooler_is_not(
    mode: str, database_urls: DatabaseUrls, open_folder: Path
) -> None:
    """Through a real pgbouncer."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    target = conninfo_to_dict(database_urls.app_url)
    users = open_folder / "users.txt"
    users.write_text('"steward_app" ""\n')
    settings = open_folder / "pgbouncer.ini"
    settings.write_text(
        f"[databases]\nsteward = host={target['host']} dbname={target['dbname']} user=steward_app\n"
        f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = any\n"
        f"auth_file = {users}\npool_mode = {mode}\nignore_startup_parameters = extra_float_digits\n"
    )
    # It refuses to run as root, and must get into the server's socket folder: be whoever that belongs to.
    account = owner_of(str(target["host"])) if os.geteuid() == 0 else None
    pooler = await asyncio.create_subprocess_exec("pgbouncer", str(settings), user=account)
    url = f"postgresql://steward_app@127.0.0.1:{port}/steward"
    try:
        async with asyncio.timeout(10):
            await answers(port)
        if mode == "transaction":
            assert "transaction pooler" in str(await refused(url))
        else:
            async with open_database(url) as database:
                assert await database.fetch(b"SELECT 1 AS one") == [{"one": 1}]
    finally:
        with contextlib.suppress(ProcessLookupError):
            pooler.kill()
        await pooler.wait()


def owner_of(folder: str) -> int:
    """Whose it is."""
    return Path(folder).stat().st_uid


async def answers(port: int) -> None:
    """Return once somebody listens."""
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.02)  # sleep: pgbouncer does not say when it listens
        else:
            writer.close()
            return
