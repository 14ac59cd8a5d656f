"""A wire to PostgreSQL that a test can cut: before the server's answer comes back, or altogether."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict, make_conninfo


class Wire:
    """Forwards connections. ``swallow``: the server hears, its next answer never comes back and the wire breaks."""

    def __init__(self, target: str) -> None:
        self._target = target
        self._tasks: set[asyncio.Task[None]] = set()
        self.swallow = False
        self.down = False

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)
        try:
            if self.down:
                return
            from_server, to_server = await asyncio.open_unix_connection(self._target)
            try:
                with contextlib.suppress(asyncio.CancelledError):  # cut
                    await self._forward(reader, writer, from_server, to_server)
            finally:
                to_server.close()
        finally:
            self._tasks.discard(task)
            writer.close()

    def cut(self) -> None:
        """Break all connections and take no new ones."""
        self.down = True
        for task in self._tasks:
            task.cancel()

    async def _forward(
        self,
        from_client: asyncio.StreamReader,
        to_client: asyncio.StreamWriter,
        from_server: asyncio.StreamReader,
        to_server: asyncio.StreamWriter,
    ) -> None:
        ways = {
            asyncio.create_task(self._pass(from_client, to_server, answers=False)),
            asyncio.create_task(self._pass(from_server, to_client, answers=True)),
        }
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, answers: bool) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65536):
                if answers and self.swallow:
                    self.swallow = False
                    return
                writer.write(data)
                await writer.drain()


@asynccontextmanager
async def wire_to(url: str, folder: Path) -> AsyncIterator[tuple[Wire, str]]:
    """A wire to the server of ``url``, and the address at its near end. ``folder`` must have a short path."""
    parts = conninfo_to_dict(url)
    name = f".s.PGSQL.{parts.get('port') or 5432}"
    wire = Wire(str(Path(str(parts["host"])) / name))
    async with await asyncio.start_unix_server(wire.accept, folder / name):
        try:
            yield wire, make_conninfo(url, host=str(folder))
        finally:
            wire.cut()
