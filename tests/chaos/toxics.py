"""Bad wires: a proxy before PostgreSQL (a socket file) or before the witness (TCP) that is slow, breaks, or says nothing."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from tests.chaos.patience import until

LATENCY = 2.0
BYTES_PER_SECOND = 1024
_FOR_EVER = 3600
Wire = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Toxic(StrEnum):
    """What is wrong with the wire."""

    NONE = "fine"
    LATENCY = "2 s of latency"
    RESET = "connections reset"
    HALF_OPEN = "half-open: open, and nothing comes through"
    BANDWIDTH = "1 KB/s"


@dataclass
class BadWire:
    """Forwards connections as ``toxic`` says, which may change at any time and holds for the open ones too."""

    connect: Callable[[], Awaitable[Wire]]
    toxic: Toxic = Toxic.NONE
    passed: int = 0
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            with contextlib.suppress(OSError, asyncio.CancelledError):  # the far end is away, or the wire is cut
                await self._serve(reader, writer)
        finally:
            self._tasks.discard(task)
            writer.transport.abort()

    def cut(self) -> None:
        """Break all connections."""
        for task in self._tasks:
            task.cancel()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.toxic is Toxic.RESET:
            return
        far_reader, far_writer = await self.connect()
        ways = {
            asyncio.create_task(self._pass(reader, far_writer)),
            asyncio.create_task(self._pass(far_reader, writer)),
        }
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            far_writer.transport.abort()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65536):
                await self._suffer(len(data))
                self.passed += len(data)
                writer.write(data)
                await writer.drain()

    async def _open_again(self) -> bool:
        return self.toxic is not Toxic.HALF_OPEN

    async def _suffer(self, size: int) -> None:
        if self.toxic is Toxic.LATENCY:
            await asyncio.sleep(LATENCY / 2)  # sleep: each way takes half
        elif self.toxic is Toxic.BANDWIDTH:
            await asyncio.sleep(size / BYTES_PER_SECOND)  # sleep: a thin wire
        elif self.toxic is Toxic.HALF_OPEN:
            await until(self._open_again, seconds=_FOR_EVER)


@asynccontextmanager
async def before_postgres(url: str, folder: Path) -> AsyncIterator[tuple[BadWire, str]]:
    """A wire to the server of ``url``, and the address at its near end. ``folder`` must have a short path."""
    parts = conninfo_to_dict(url)
    name = f".s.PGSQL.{parts.get('port') or 5432}"
    wire = BadWire(lambda: asyncio.open_unix_connection(Path(str(parts["host"])) / name))
    async with await asyncio.start_unix_server(wire.accept, folder / name):
        try:
            yield wire, make_conninfo(url, host=str(folder))
        finally:
            wire.cut()


@asynccontextmanager
async def before_witness(url: str) -> AsyncIterator[tuple[BadWire, str]]:
    """A wire to the HTTP server of ``url``, and the address at its near end."""
    parts = urlsplit(url)
    wire = BadWire(lambda: asyncio.open_connection(parts.hostname, parts.port))
    server = await asyncio.start_server(wire.accept, "127.0.0.1", 0)
    async with server:
        try:
            yield wire, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        finally:
            wire.cut()
