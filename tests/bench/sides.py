"""Both sides as the bench drives them: processes that are started for a round and gone after it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from runtime.application import Application
from runtime.settings import Settings
from runtime.wiring import build
from tests.bench.server import Server
from tests.bench.work import knowledge

ROOT = Path(__file__).parents[2]
LOCAL = ROOT / "reports" / "local"
PROFILE = LOCAL / "worker.prof"


@asynccontextmanager
async def child(module: str, *words: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A process that has said ``ready``; it is asked to end, and waited for."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", module, *words), cwd=ROOT, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    try:
        if (said := await _line(process)) != b"ready\n":
            raise RuntimeError(f"{module} did not start: {said!r}")
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        if await process.wait() not in (0, -signal.SIGTERM):
            raise RuntimeError(f"{module} ended with {process.returncode}")


async def _line(process: asyncio.subprocess.Process) -> bytes:
    assert process.stdout is not None
    return await process.stdout.readline()


@dataclass(frozen=True)
class BareSide:
    """Bare LangGraph's process."""

    process: asyncio.subprocess.Process

    async def ask(self, do: str, **words: Any) -> dict[str, Any]:
        """Have it do something, and wait for its answer."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"do": do, **words}).encode() + b"\n")
        await self.process.stdin.drain()
        answer: dict[str, Any] = json.loads(await _line(self.process))
        return answer


@asynccontextmanager
async def bare_side(server: Server, database: str) -> AsyncIterator[BareSide]:
    """Bare LangGraph, started and warm."""
    async with child("tests.bench.bare", server.owner(database)) as process:
        side = BareSide(process)
        await side.ask("batch", runs=4, at_once=4, own_savers=False)
        yield side


@asynccontextmanager
async def worker(
    server: Server, database: str, *, slots: int | None = None, profile: Path | None = None
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A worker's process, put together."""
    settings: dict[str, Any] = {"database_url": server.app(database), "database_owner_url": server.owner(database)}
    if slots is not None:
        settings["worker_slots"] = slots
    if profile:
        profile.parent.mkdir(parents=True, exist_ok=True)
    given = json.dumps({"settings": settings, "profile": str(profile) if profile else ""})
    async with child("tests.bench.worker", given) as process:
        yield process


@asynccontextmanager
async def application(server: Server, database: str) -> AsyncIterator[Application]:
    """The application as a web process would have it: it admits and decides, workers work elsewhere."""
    settings = Settings(
        database_url=SecretStr(server.app(database)), database_owner_url=SecretStr(server.owner(database))
    )
    async with build(settings, knowledge=knowledge()) as steward:
        yield steward
