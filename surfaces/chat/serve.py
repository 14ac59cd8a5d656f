"""The chat as a process: one server, with the worker and the sandbox company beside it when asked for."""

from __future__ import annotations

import runtime.import_guard  # noqa: F401 - importing it is the check, before anything of ours

import asyncio
import importlib
import logging
from collections.abc import Coroutine
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import TYPE_CHECKING, Any

import uvicorn
from rich.console import Console
from rich.table import Table

from runtime.application import Application
from runtime.settings import Settings
from runtime.wiring import build
from surfaces.chat.company import company
from surfaces.chat.keys import demo_password
from surfaces.chat.place import prepare
from surfaces.crew import crew
from surfaces.listening import Server, listening

if TYPE_CHECKING:
    from starlette.types import ASGIApp

FRONT_DOOR = "app"
_PATIENCE_SECONDS = 2


def serve(settings: Settings, *, with_company: bool = True) -> None:
    """Serve the chat until SIGTERM or Ctrl-C.

    ``with_company``: also run the sandbox company (unless it listens already) and a worker, so that this is enough to
    play. Prints the address, and the people of the directory with the demo password.

    Raises:
        Unavailable: the port is taken, or the database or the company does not start.
        InvalidSettings: a file in STEWARD_HOME, or a setting, cannot be used.

    """
    asyncio.run(_serve(settings, with_company=with_company))


async def _serve(settings: Settings, *, with_company: bool) -> None:
    password = demo_password(settings)
    host, port = settings.chat_host, settings.chat_port
    with listening("The chat", host, port, setting="STEWARD_CHAT_PORT") as listener:
        port = listener.getsockname()[1]
        async with AsyncExitStack() as stack:
            if with_company:
                await stack.enter_async_context(company(settings))
            steward = await stack.enter_async_context(build(settings))
            if with_company:
                await stack.enter_async_context(_working(steward, settings.worker_processes))
            # Chainlit is imported only now: it looks for its folder and its secret when it is.
            prepare(settings)
            app, keeping_up = _open(steward, password, _origins(settings.chat_host, port))
            server = Server(
                uvicorn.Config(app, lifespan="off", log_level="warning", timeout_graceful_shutdown=_PATIENCE_SECONDS)
            )
            keeping = asyncio.create_task(keeping_up, name="pages")
            stack.push_async_callback(_stop, keeping)
            _announce(steward, settings, port, password)
            await server.serve(sockets=[listener])


def _working(steward: Application, processes: int) -> AbstractAsyncContextManager[None]:
    """A worker in this process, or a crew of them beside it."""
    return steward.working() if processes == 1 else crew(processes, Console(stderr=True).print)


def _open(steward: Application, password: str, origins: list[str]) -> tuple[ASGIApp, Coroutine[Any, Any, None]]:
    """Open the front door: it is loaded by its name, so that nothing depends on it."""
    config = importlib.import_module("chainlit.config").config
    config.project.allow_origins = origins
    config.ui.default_theme = "system"  # its page knows this word, its settings file does not
    logging.getLogger("chainlit").setLevel(logging.WARNING)
    room = importlib.import_module("surfaces.chat.room").Room(steward, password)
    importlib.import_module(FRONT_DOOR).open_door(room)
    pages = importlib.import_module("surfaces.chat.pages").pages(steward)
    app = importlib.import_module("surfaces.chat.web").harden(origins, room.connected, pages)
    return app, room.screens.keep_up()


async def _stop(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def _origins(host: str, port: int) -> list[str]:
    hosts = dict.fromkeys(("127.0.0.1", "localhost", host))
    return [f"http://{each}:{port}" for each in hosts]


def _announce(steward: Application, settings: Settings, port: int, password: str) -> None:
    console = Console()
    table = Table(
        title="Log in as one of the demo people",
        title_justify="left",
        caption_justify="left",
        caption=f"Password of all: {password}",
    )
    for heading in ("e-mail", "name", "roles"):
        table.add_column(heading)
    for person in steward.directory.everyone():
        table.add_row(person.id, person.name, ", ".join(sorted(person.roles)))
    console.print(table)
    host = "127.0.0.1" if settings.chat_host in {"", "0.0.0.0"} else settings.chat_host  # noqa: S104 - compared, not bound
    console.print(f"The chat is at http://{host}:{port}  (Ctrl-C stops it; nothing is lost)", highlight=False)
