"""Starts worker processes and talks to them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class Worker:
    """A process that has its identity and waits for the word to claim."""

    process: asyncio.subprocess.Process
    worker_id: int

    async def claim(self) -> list[str]:
        """Let it claim all it can get; the ids of its runs."""
        assert self.process.stdin
        self.process.stdin.write(b"go\n")
        found: list[str] = (await _said(self.process))["claimed"]
        return found

    async def kill(self) -> None:
        """End it as the kernel does."""
        self.process.kill()
        await self.process.wait()


@asynccontextmanager
async def worker(url: str, *, at_once: int = 5) -> AsyncIterator[Worker]:
    """A worker process for as long as the block lasts."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.integration.memory.worker",
        url,
        str(at_once),
        cwd=_ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield Worker(process, (await _said(process))["worker"])
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def _said(process: asyncio.subprocess.Process) -> Any:
    assert process.stdout
    return json.loads(await process.stdout.readline())
