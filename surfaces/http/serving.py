"""Serving the doors over HTTP, until SIGTERM or Ctrl-C."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from fastapi import FastAPI

from runtime.application import Application
from surfaces.http.callbacks import callbacks
from surfaces.http.events import events
from surfaces.listening import Server, listening

_PATIENCE_SECONDS = 5


def doors(steward: Application) -> FastAPI:
    """The app: answers of deferred steps, and events."""
    app = FastAPI(title="Steward's doors", docs_url=None, redoc_url=None, openapi_url=None)
    app.include_router(callbacks(steward))
    app.include_router(events(steward))
    return app


@asynccontextmanager
async def served(steward: Application, host: str, port: int) -> AsyncIterator[asyncio.Task[None]]:
    """The doors, open while the block runs; the task ends when the process is told to stop. ``port`` 0: any free one.

    Raises:
        Unavailable: the address is in use.

    """
    with listening("Steward", host, port, setting="STEWARD_SERVE_PORT") as listener:
        # No access log: a callback's path is its secret.
        config = uvicorn.Config(
            doors(steward),
            lifespan="off",
            log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=_PATIENCE_SECONDS,
        )
        server = Server(config)
        task = asyncio.create_task(server.serve(sockets=[listener]), name="doors")
        try:
            yield task
        finally:
            server.should_exit = True
            await task
