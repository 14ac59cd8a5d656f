"""What experiments stand on: one PostgreSQL with everything on that makes it durable, and for each a scene of its own."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import sys
import tempfile
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psycopg
import yaml
from psycopg import sql
from psycopg.conninfo import make_conninfo
from pydantic import SecretStr

from memory.embedded import embedded_postgres
from memory.embedded_place import settle
from memory.migrate import migrate
from runtime.application import Application
from runtime.settings import Settings
from runtime.wiring import build
from tests.chaos.patience import until
from tests.chaos.seismograph import Seismograph
from tests.chaos.toxics import BadWire, before_postgres, before_witness
from tests.chaos.workers import ROOT, Workers, nursery
from tests.conftest import DatabaseUrls

DURABLE = ("fsync", "full_page_writes", "synchronous_commit")
_HOME = Path(__file__).parent / "home"
_SERVER = {"max_connections": "300", **dict.fromkeys(DURABLE, "on")}


@dataclass(frozen=True)
class Ground:
    """A PostgreSQL of the battery's own. ``seed`` is where all chance comes from; ``full`` the long form.

    ``migrating`` is held while a database is brought up to date: Alembic does one at a time in a process.
    """

    folder: Path
    owner_url: str
    seed: int
    full: bool
    migrating: asyncio.Lock

    def size(self, short: int, full: int) -> int:
        """The number for this form."""
        return full if self.full else short

    async def stop_at_once(self) -> None:
        """As by a power cut: no checkpoint, no farewell. The next start recovers from the log."""
        place = settle(self.folder / "postgres")
        process = await asyncio.create_subprocess_exec(
            *(str(place.programs / "pg_ctl"), "stop", "-D", str(place.data), "-m", "immediate", "-w"),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            cwd="/",
            user=place.account.uid,
            group=place.account.gid,
        )
        if await process.wait():
            raise RuntimeError("pg_ctl could not stop the server")

    async def start_again(self) -> None:
        """Start the server as whoever comes first after a crash does."""
        async with embedded_postgres(self.folder / "postgres", settings=_SERVER):
            return

    async def settings(self) -> dict[str, str]:
        """The version, and what makes commits durable."""
        async with await psycopg.AsyncConnection.connect(self.owner_url) as connection:
            found = {}
            for name in ("server_version", *DURABLE):
                row = await (await connection.execute(sql.SQL("SHOW {}").format(sql.Identifier(name)))).fetchone()
                found[name] = str(row[0]) if row else ""
        return found

    async def postmaster(self) -> int:
        """The server's first process."""
        place = settle(self.folder / "postgres")
        return int((place.data / "postmaster.pid").read_text(encoding="ascii").splitlines()[0])


@asynccontextmanager
async def ground(seed: int, *, full: bool) -> AsyncIterator[Ground]:
    """The server, made for the battery and thrown away after it."""
    folder = Path(tempfile.mkdtemp(prefix="steward-chaos-"))
    folder.chmod(0o711)  # noqa: ASYNC240 - once; root's server runs under another account, which must get in
    try:
        async with embedded_postgres(folder / "postgres", settings=_SERVER) as embedded:
            found = Ground(folder, embedded.owner_url, seed, full, asyncio.Lock())
            told = await found.settings()
            if any(told[name] != "on" for name in DURABLE):
                raise RuntimeError(f"the battery proves nothing on a server that is not durable: {told}")
            yield found
            await found.start_again()  # an experiment may have ended between a stop and a start
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


@dataclass(frozen=True)
class Testimony:
    """What the witness counted: class to subject to times, requests by subject, and which lies it told."""

    effects: dict[str, dict[str, int]]
    times: dict[str, dict[str, int]]
    asked: dict[str, int]
    lies: dict[str, int]
    late: int

    @property
    def total(self) -> int:
        """All effects."""
        return sum(sum(of.values()) for of in self.effects.values())


@dataclass(frozen=True)
class WitnessAt:
    """The witness as the battery talks to it."""

    url: str
    folder: Path

    async def says(self) -> Testimony:
        """What it counted so far; its own file must say the same."""
        async with httpx.AsyncClient(timeout=30) as client:
            told = Testimony(**(await client.get(f"{self.url}/effects")).json())
        lines = (self.folder / "effects.jsonl").read_bytes().count(b"\n")
        if lines < told.total:
            raise AssertionError(f"the witness says {told.total} effects and wrote down {lines}")
        return told

    async def at_last(self) -> Testimony:
        """What it counted once nothing that it does late is still to come."""

        async def settled() -> bool:
            return (await self.says()).late == 0

        await until(settled)
        return await self.says()

    async def release(self) -> None:
        """Let all holds answer."""
        async with httpx.AsyncClient(timeout=30) as client:
            await client.post(f"{self.url}/release", json={})


@dataclass(frozen=True)
class Scene:
    """One experiment's world: a database, a witness, the application, and workers."""

    ground: Ground
    urls: DatabaseUrls
    home: Path
    witness: WitnessAt
    steward: Application
    workers: Workers
    seen: Seismograph
    wires: tuple[BadWire, ...] = ()

    async def rest(self, seconds: float = 60) -> None:
        """Return once every run has ended or is parked. Raises TimeoutError."""
        await until(self._resting, seconds=seconds, every=0.1)

    async def holding(self, number: int) -> None:
        """Return once so many holds are in flight. Raises TimeoutError."""

        async def in_flight() -> bool:
            return len((await self.witness.says()).times.get("hold", {})) >= number

        await until(in_flight)

    async def _resting(self) -> bool:
        try:
            return await self.seen.unfinished() == 0
        except psycopg.OperationalError:  # the server is away
            return False


@asynccontextmanager
async def a_scene(
    ground: Ground,
    name: str,
    *,
    lies: float = 0,
    kinds: tuple[str, ...] = (),
    mutation: str = "",
    wired: bool = False,
    **settings: Any,
) -> AsyncIterator[Scene]:
    """Set the scene. ``kinds``: the only lies that are told, and only once each. ``wired``: workers reach PostgreSQL and the witness over wires that can be made bad, in this order."""
    folder = ground.folder / f"{name}-{uuid.uuid4().hex[:6]}"
    folder.mkdir()
    async with (
        a_database(ground, name) as urls,
        a_witness(folder, f"{ground.seed}-{name}", lies, kinds) as witness,
        _wires(urls, witness, folder, wired=wired) as (wires, worker_url, witness_url),
    ):
        home = a_home(folder / "home", witness_url)
        given = {
            "database_url": urls.app_url,
            "database_owner_url": urls.owner_url,
            "home": str(home),
            "lease_seconds": 5,
            **settings,
        }
        order = {**given, "database_url": worker_url}
        async with (
            a_steward(ground, given) as steward,
            nursery(order, folder / "workers.log", mutation) as workers,
        ):
            seen = Seismograph(urls)
            await seen.install()
            yield Scene(ground, urls, home, witness, steward, workers, seen, wires)


@asynccontextmanager
async def a_steward(ground: Ground, given: dict[str, Any]) -> AsyncIterator[Application]:
    """The application, with the database brought up to date while nobody else does that."""
    async with contextlib.AsyncExitStack() as stack:
        async with ground.migrating:
            steward = await stack.enter_async_context(build(as_settings(given)))
        yield steward


@asynccontextmanager
async def _wires(
    urls: DatabaseUrls, witness: WitnessAt, folder: Path, *, wired: bool
) -> AsyncIterator[tuple[tuple[BadWire, ...], str, str]]:
    """The wires, and the addresses at which the workers find PostgreSQL and the witness."""
    if not wired:
        yield (), urls.app_url, witness.url
        return
    async with (
        before_postgres(urls.app_url, folder) as (database, worker_url),
        before_witness(witness.url) as (http, witness_url),
    ):
        yield (database, http), worker_url, witness_url


def as_settings(given: dict[str, Any]) -> Settings:
    """The settings of a scene, typed."""
    secret = {name: SecretStr(given[name]) for name in ("database_url", "database_owner_url")}
    return Settings.model_validate({**given, **secret})


def a_home(folder: Path, witness_url: str) -> Path:
    """A STEWARD_HOME whose only system of its own is the witness."""
    shutil.copytree(_HOME, folder, ignore=shutil.ignore_patterns("__pycache__"))
    systems = {"witness": {"url": witness_url}}
    (folder / "systems.yaml").write_text(yaml.safe_dump(systems), encoding="utf-8")
    return folder


@asynccontextmanager
async def a_database(ground: Ground, name: str) -> AsyncIterator[DatabaseUrls]:
    """A database of the experiment's own."""
    database = f"chaos_{name}_{uuid.uuid4().hex[:8]}".replace("-", "_")
    async with await psycopg.AsyncConnection.connect(ground.owner_url, autocommit=True) as server:
        await server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(database)))
    owner = make_conninfo(ground.owner_url, dbname=database)
    async with ground.migrating:
        await migrate(owner)
    try:
        yield DatabaseUrls(owner, make_conninfo(owner, user="steward_app"))
    finally:
        with contextlib.suppress(psycopg.OperationalError):
            async with await psycopg.AsyncConnection.connect(ground.owner_url, autocommit=True) as server:
                await server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(database)))


@asynccontextmanager
async def a_witness(folder: Path, seed: str, lies: float, kinds: tuple[str, ...]) -> AsyncIterator[WitnessAt]:
    """The witness, a process of its own."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.chaos.witness", str(folder), seed, str(lies), *kinds),
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        port = int(await process.stdout.readline())
        yield WitnessAt(f"http://127.0.0.1:{port}", folder)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
