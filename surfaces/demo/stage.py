"""Where the demo plays: a folder of its own, a database of its own, a company of its own."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from governance.errors import InvalidSettings, Unavailable
from runtime.settings import Settings
from surfaces.cli.processes import child, free_block, sandbox_command, until_there
from surfaces.cli.screen import Screen
from surfaces.cli.session import opened
from surfaces.demo.acme import Acme, visit

if TYPE_CHECKING:
    from runtime.application import Application

if sys.platform != "win32":
    import fcntl

PATIENCE_SECONDS = 20.0


@dataclass(frozen=True)
class Stage:
    """Everything that plays a part."""

    steward: Application
    acme: Acme
    port: int


def demo_settings(settings: Settings) -> Settings:
    """The settings of the demo: never a company's own systems, people or database."""
    return settings.model_copy(
        update={
            "home": None,
            "state": settings.state / "demo",
            "database_url": None,
            "database_owner_url": None,
            "sandbox_port": free_block(),
        }
    )


@asynccontextmanager
async def stage(screen: Screen, settings: Settings) -> AsyncIterator[Stage]:
    """Start everything; stop it at the end. Raises Unavailable, DatabaseUnavailable."""
    company = settings.state / "sandbox"
    company.mkdir(parents=True, exist_ok=True)
    ports = company / "ports.json"
    ports.unlink(missing_ok=True)
    async with AsyncExitStack() as stack:
        command = sandbox_command(settings.sandbox_port, company, ports)
        running = await stack.enter_async_context(child("sandbox", command, quiet=settings.state / "sandbox.log"))
        steward = await stack.enter_async_context(opened(screen, settings))
        await until_there(ports, running)
        acme = await stack.enter_async_context(visit(settings.sandbox_port))
        yield Stage(steward, acme, settings.sandbox_port)


async def clear(folder: Path) -> None:
    """Empty the demo's folder once the database of an earlier demo has gone.

    Raises:
        Unavailable: another demo runs there.
        InvalidSettings: the folder cannot be emptied.

    """
    await _until_unused(folder / "postgres" / "server.lock")
    try:
        shutil.rmtree(folder)
    except FileNotFoundError:
        return
    except OSError as error:
        raise InvalidSettings(f"{error.filename} of an earlier demo cannot be removed: {error.strerror}.") from error


async def _until_unused(lock: Path) -> None:
    """The embedded PostgreSQL holds this lock for as long as a process of it lives (memory/embedded.py)."""
    if sys.platform == "win32":
        return
    with contextlib.ExitStack() as stack:
        try:
            held = stack.enter_context(lock.open("rb"))
        except OSError:  # there was no earlier demo
            return
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                while True:
                    try:
                        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    except BlockingIOError:
                        await asyncio.sleep(0.1)
                    else:
                        return
        except TimeoutError as error:
            raise Unavailable(
                f"Another demo runs in {lock.parents[1]}.",
                hint="Wait for its end, or set STEWARD_STATE to another folder",
            ) from error
