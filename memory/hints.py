"""Hints: PostgreSQL's notifications, spread to whoever watches. They may be late, doubled or lost: polling is the truth."""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager

import psycopg

from governance.errors import DatabaseUnavailable
from memory.database import GROWTH, WAKES, Database, connect, explained

_ANY = ""
_RECONNECT_SECONDS = 1


class Hints:
    """Spreads hints on one event loop. Made by ``open_hints``."""

    def __init__(self, url: str, *, poll_seconds: float) -> None:
        self._url = url
        self._poll_seconds = poll_seconds
        self._watchers: defaultdict[tuple[str, str], set[Callable[[], None]]] = defaultdict(set)
        self.listening = asyncio.Event()
        """Set while notifications are received."""

    def watch(self, run_id: str) -> AsyncGenerator[None, None]:
        """Yields at once, after each wake of the run, and at least once a second. Closing it stops the watching.

        Hints in quick succession count as one. The first yield says that nothing from now on is missed.
        """
        return self._watch((WAKES, run_id))

    def watch_any(self) -> AsyncGenerator[None, None]:
        """As ``watch``, for all runs: what a worker waits for when nothing is due."""
        return self._watch((WAKES, _ANY))

    def watch_growth(self, run_id: str = _ANY) -> AsyncGenerator[None, None]:
        """As ``watch``, after each change of the run's journal or row, or of any run's: what people look at."""
        return self._watch((GROWTH, run_id))

    @contextlib.contextmanager
    def attend(self, run_id: str, told: Callable[[], None]) -> Iterator[None]:
        """Call ``told`` after each wake of the run, while the block runs."""
        with self._attended((WAKES, run_id), told):
            yield

    @contextlib.contextmanager
    def _attended(self, what: tuple[str, str], told: Callable[[], None]) -> Iterator[None]:
        self._watchers[what].add(told)
        try:
            yield
        finally:
            self._watchers[what].discard(told)
            if not self._watchers[what]:
                del self._watchers[what]

    async def _watch(self, what: tuple[str, str]) -> AsyncGenerator[None, None]:
        hinted = asyncio.Event()
        hinted.set()
        with self._attended(what, hinted.set):
            while True:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._poll_seconds):  # Python 3.11's wait_for can swallow a cancel
                        await hinted.wait()
                hinted.clear()
                yield

    async def listen(self) -> None:
        """Receive until cancelled; connect again whenever the connection is lost."""
        while True:
            with contextlib.suppress(DatabaseUnavailable), explained(self._url):
                await self._receive()
            self.listening.clear()
            await asyncio.sleep(_RECONNECT_SECONDS)

    async def _receive(self) -> None:
        async with await connect(self._url) as connection:
            for channel in (WAKES, GROWTH):
                await connection.execute(psycopg.sql.SQL("LISTEN {}").format(psycopg.sql.Identifier(channel)))
            self.listening.set()
            self._spread(WAKES, "")  # whatever was missed
            self._spread(GROWTH, "")
            async for notification in connection.notifies():
                self._spread(notification.channel, notification.payload)

    def _spread(self, channel: str, payload: str) -> None:
        hinted = [(channel, run_id) for run_id in (*payload.split(","), _ANY)] if payload else list(self._watchers)
        for what in hinted:
            for told in self._watchers.get(what, ()) if what[0] == channel else ():
                told()


@asynccontextmanager
async def open_hints(database: Database, *, poll_seconds: float = 1) -> AsyncIterator[Hints]:
    """Hints from ``database``, on a connection of their own."""
    hints = Hints(database.url, poll_seconds=poll_seconds)
    listener = asyncio.create_task(hints.listen(), name="hints")
    try:
        yield hints
    finally:
        listener.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await listener
