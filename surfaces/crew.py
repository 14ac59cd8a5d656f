"""A crew of worker processes, one core each: started together, started again when they die, ended together."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
"""Seconds before a process that died is started again: twice as many each time."""
WELL_SECONDS = 60.0
"""Whoever lived so long was well: its next pause is the first again."""
ROOT = Path(__file__).resolve().parents[1]
WORKER = (sys.executable, "-P", "-m", "surfaces.cli.main", "worker")  # -P: the folder one is in may have a tools/ too

Say = Callable[[str], None]


def cores() -> int:
    """The cores that this process may use."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@asynccontextmanager
async def crew(count: int, say: Say, command: Sequence[str] = WORKER) -> AsyncIterator[None]:
    """So many processes for as long as the block lasts, or as many as there are cores for 0.

    ``command`` is given ``--lifeline`` and a descriptor (:mod:`surfaces.lifeline`). At the end each gets SIGTERM, and is waited
    for however long it takes. If this process is killed, they notice and end by themselves. ``say`` hears what happens.
    """
    reading, writing = os.pipe()  # the end to write to is inherited by nobody
    staff = _Crew((*command, "--lifeline", str(reading)), reading, say)
    places = [
        asyncio.create_task(staff.keep(number + 1), name=f"worker {number + 1}") for number in range(count or cores())
    ]
    try:
        yield
    finally:
        staff.stop.set()
        try:
            await asyncio.gather(*places)
        finally:
            os.close(reading)
            os.close(writing)


@dataclass(frozen=True)
class _Crew:
    command: Sequence[str]
    lifeline: int
    say: Say
    stop: asyncio.Event = field(default_factory=asyncio.Event)

    async def keep(self, number: int) -> None:
        """One after the other, until told to stop."""
        loop, pause = asyncio.get_running_loop(), FIRST_PAUSE
        while not self.stop.is_set():
            began = loop.time()
            how = await self._one(number)
            if self.stop.is_set():
                return
            pause = FIRST_PAUSE if loop.time() - began >= WELL_SECONDS else pause
            self.say(f"Worker process {number} ended: {how}. Another one starts in {pause:g} s.")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self.stop.wait()
            pause = min(2 * pause, LONGEST_PAUSE)

    async def _one(self, number: int) -> str:
        """A process from its start to its end; how it ended."""
        path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
        try:
            process = await asyncio.create_subprocess_exec(
                *self.command,
                env={**os.environ, "PYTHONPATH": path},
                stdin=asyncio.subprocess.DEVNULL,
                pass_fds=(self.lifeline,),
                start_new_session=True,  # Ctrl-C is for us, who tell them in our turn
            )
        except OSError as error:
            return f"it could not start ({error.strerror})"
        self.say(f"Worker process {number} is {process.pid}.")
        ended, stopping = asyncio.create_task(process.wait()), asyncio.create_task(self.stop.wait())
        try:
            await asyncio.wait({ended, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if not ended.done():
                with contextlib.suppress(ProcessLookupError):
                    process.terminate()
            status = await ended
        finally:
            stopping.cancel()
        return f"killed by {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"
