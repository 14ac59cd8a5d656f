"""Workers of this process: one for as long as a block lasts, or until the process is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

import structlog

from governance.errors import Fenced, Unavailable
from runtime.ports import Hints
from runtime.worker import Worker, WorkerParts

ANY_RUN = ""
_log = structlog.get_logger("steward.workshop")


class Identity(Protocol):
    """A worker's identity (``memory.liveness.Liveness``): its number, and an event that is set when it is lost."""

    @property
    def worker_id(self) -> int:
        """The owner number in claims."""
        ...

    @property
    def lost(self) -> asyncio.Event:
        """Set when the database session that proves the worker alive is gone."""
        ...


class HintBell:
    """The worker's bell (``runtime.ports.Bell``), rung by any hint."""

    def __init__(self, hints: Hints) -> None:
        self._hints = hints
        self._event = asyncio.Event()

    async def listen(self) -> None:
        """Pass hints on until cancelled."""
        async with contextlib.aclosing(self._hints.watch(ANY_RUN)) as hinted:
            async for _ in hinted:
                self._event.set()

    async def rung(self, seconds: float) -> None:
        """Return at the next hint, or after ``seconds``."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):  # Python 3.11's wait_for can swallow a cancel
                await self._event.wait()
        self._event.clear()


@dataclass(frozen=True)
class LocalWorkshop:
    """The port ``runtime.ports.Workshop``. ``identify`` opens a new worker identity."""

    parts: WorkerParts
    bell: HintBell
    identify: Callable[[], AbstractAsyncContextManager[Identity]]
    retry_seconds: float = 1.0

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """A worker works while the block runs; it drains at the end."""
        stop = asyncio.Event()
        task = asyncio.create_task(self._serve(stop), name="worker")
        try:
            yield
        finally:
            stop.set()
            await task

    async def work_forever(self) -> None:
        """Work until SIGTERM or SIGINT."""
        # What was imported and put together stays: the collector need not walk through it again and again, nor so often
        # while slices come and go. It took a sixth of a busy worker's time.
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 20, 50)
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        try:
            await self._serve(stop)
        finally:
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(number)

    async def _serve(self, stop: asyncio.Event) -> None:
        """Workers one after the other: a lost identity is replaced, an unreachable database waited for."""
        listener = asyncio.create_task(self.bell.listen(), name="bell")
        try:
            while not stop.is_set():
                try:
                    async with self.identify() as identity:
                        await self._one(identity, stop)
                except (Fenced, Unavailable) as error:
                    _log.warning("worker restarts", reason=str(error))
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(self.retry_seconds):
                            await stop.wait()
        finally:
            listener.cancel()
            await asyncio.gather(listener, return_exceptions=True)

    async def _one(self, identity: Identity, stop: asyncio.Event) -> None:
        worker = Worker(self.parts, identity.worker_id)
        running = asyncio.create_task(worker.run(), name=f"worker {identity.worker_id}")
        stopped = asyncio.create_task(stop.wait())
        lost = asyncio.create_task(identity.lost.wait())
        try:
            await asyncio.wait({running, stopped, lost}, return_when=asyncio.FIRST_COMPLETED)
            if identity.lost.is_set():
                worker.lose()
            elif stop.is_set():
                worker.stop()
            await running
        finally:
            for task in (running, stopped, lost):
                task.cancel()
            await asyncio.gather(running, stopped, lost, return_exceptions=True)
