"""Serving the doors over HTTP, until SIGTERM or Ctrl-C."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import uvicorn

from governance.errors import Unavailable
from runtime.application import Application
from surfaces.http.callbacks import callbacks

_PATIENCE_SECONDS = 5


class _Server(uvicorn.Server):
    """uvicorn without its habit of raising the signal again, which would skip our own clearing up."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop at SIGTERM and Ctrl-C."""
        loop = asyncio.get_running_loop()
        numbers = (signal.SIGTERM, signal.SIGINT)
        for number in numbers:
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in numbers:
                loop.remove_signal_handler(number)


@asynccontextmanager
async def served(steward: Application, host: str, port: int) -> AsyncIterator[asyncio.Task[None]]:
    """The doors, open while the block runs; the task ends when the process is told to stop. ``port`` 0: any free one.

    Raises:
        Unavailable: the address is in use.

    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except OSError as error:
            raise Unavailable(
                f"Steward cannot listen on {host}:{port}: {error.strerror}.",
                hint="Stop what uses the port, or set STEWARD_SERVE_PORT to another one.",
            ) from error
        listener.listen(128)
        # No access log: a callback's path is its secret.
        config = uvicorn.Config(
            callbacks(steward),
            lifespan="off",
            log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=_PATIENCE_SECONDS,
        )
        server = _Server(config)
        task = asyncio.create_task(server.serve(sockets=[listener]), name="doors")
        try:
            yield task
        finally:
            server.should_exit = True
            await task
