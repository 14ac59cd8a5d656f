"""Listening on an address, and a server that ends at a signal: what every door over HTTP begins with."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from collections.abc import Iterator

import uvicorn

from governance.errors import Unavailable


class Server(uvicorn.Server):
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


@contextlib.contextmanager
def listening(who: str, host: str, port: int, *, setting: str) -> Iterator[socket.socket]:
    """A socket on which ``who`` listens; ``port`` 0: any free one. ``setting`` is what names another port.

    Raises:
        Unavailable: the address is in use, or is none of this machine's.

    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except OSError as error:
            raise Unavailable(
                f"{who} cannot listen on {host}:{port}: {error.strerror}.",
                hint=f"Stop what uses the port, or set {setting} to another one.",
            ) from error
        listener.listen(128)
        yield listener
