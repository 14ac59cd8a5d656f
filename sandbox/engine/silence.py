"""Not answering: a response that keeps silent and then closes the socket, and the protocol that lets it."""

import asyncio
from contextlib import suppress

from fastapi import Response
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol


class TransportInState(H11Protocol):
    """uvicorn's HTTP protocol, with the connection's transport put into the request's state."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn types it
        """Remember the transport for the requests of this connection."""
        super().connection_made(transport)
        self.app_state = {**self.app_state, "transport": transport}


class Silence(Response):
    """No answer for `seconds`, or until the caller hangs up; then the socket closes."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002  it never sends
        """Wait and close."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self.seconds):
                await _hung_up(receive)
        scope["state"]["transport"].abort()
        await _hung_up(receive)


async def _hung_up(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
