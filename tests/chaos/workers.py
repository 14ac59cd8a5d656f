"""The workers of an experiment: real processes, forked from a warm parent, to be killed, stopped and counted."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
_DEFECT = re.compile(r"slice failed.*?reason=('[^']*'|\"[^\"]*\"|\S+)")


@dataclass
class Workers:
    """Living workers by pid. ``kills`` counts those that were killed here, ``died`` those that ended by themselves."""

    parent: asyncio.subprocess.Process
    log: Path
    alive: list[int] = field(default_factory=list)
    kills: int = 0
    died: int = 0
    _forking: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def fork(self) -> int:
        """One more worker."""
        async with self._forking:
            return await self._fork()

    async def keep(self, number: int) -> None:
        """As a supervisor does: start anew what has ended, until there are so many."""
        async with self._forking:
            gone = [pid for pid in self.alive if not running(pid)]
            self.died += len(gone)
            self.alive = [pid for pid in self.alive if pid not in gone]
            while len(self.alive) < number:
                await self._fork()

    async def _fork(self) -> int:
        assert self.parent.stdin is not None
        assert self.parent.stdout is not None
        self.parent.stdin.write(b"\n")
        await self.parent.stdin.drain()
        pid = int(await self.parent.stdout.readline())
        self.alive.append(pid)
        return pid

    def kill(self, pid: int) -> None:
        """SIGKILL."""
        self.alive.remove(pid)
        self.kills += 1
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)

    def defects(self) -> dict[str, int]:
        """Why slices failed that should not have, and how often."""
        text = self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""
        return dict(Counter(_DEFECT.findall(text)))

    def said(self, words: str) -> int:
        """How often the workers have logged something."""
        return self.log.read_text(encoding="utf-8", errors="replace").count(words) if self.log.exists() else 0


def running(pid: int) -> bool:
    """Whether there is such a process."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@asynccontextmanager
async def nursery(settings: Mapping[str, Any], log: Path, mutation: str = "") -> AsyncIterator[Workers]:
    """The warm parent, in a process group of its own that is killed at the end."""
    order = json.dumps({"settings": dict(settings), "log": str(log), "mutation": mutation})
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.chaos.nursery", order),
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    try:
        yield Workers(process, log)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
