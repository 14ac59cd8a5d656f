"""The program: thirteen HTTP servers in one event loop, from start table to clean stop."""

import asyncio
import contextlib
import json
import signal
import socket
import sqlite3
import time
from collections.abc import Generator
from pathlib import Path
from typing import Annotated

import typer
import uvicorn
from fastapi import FastAPI
from rich.console import Console
from rich.table import Table

from sandbox.company import SYSTEMS, open_company, system_app
from sandbox.control import control_app
from sandbox.engine.silence import TransportInState

_HOST = "127.0.0.1"
_SHUTDOWN_SECONDS = 1


class QuietServer(uvicorn.Server):
    """uvicorn's server as one of thirteen: the program handles the signals, and nothing ticks while nobody calls."""

    def __init__(self, app: FastAPI) -> None:
        config = uvicorn.Config(
            app,
            http=TransportInState,
            ws="none",
            lifespan="off",
            log_level="error",
            access_log=False,
            date_header=False,
            server_header=False,
            timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
        )
        super().__init__(config)
        self.listening = asyncio.Event()
        self.stop = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Leave the signals to the program."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and tell that the server listens."""
        await super().startup(sockets=sockets)
        self.listening.set()

    async def main_loop(self) -> None:
        """Wait for the stop instead of polling for it."""
        await self.stop.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Hang up first, so that a hanging fault holds nothing back."""
        for connection in list(self.server_state.connections):
            connection.transport.close()
        await super().shutdown(sockets=sockets)


def run(
    base_port: Annotated[
        int, typer.Option(help="Port of the control app; the systems follow. 0 takes free ones.")
    ] = 8700,
    state: Annotated[Path, typer.Option(help="Folder that keeps the company's state.")] = Path(".steward/sandbox"),
    ports_file: Annotated[Path | None, typer.Option(help="Write the ports here as JSON once all listen.")] = None,
) -> None:
    """Run the pretend company Acme: twelve systems and a control app, until SIGTERM or Ctrl-C."""
    try:
        sockets = _bind(base_port)
        asyncio.run(_serve(sockets, state, ports_file))
    except sqlite3.OperationalError as error:
        hint = f"is another sandbox running on {state}? Stop it or give another --state"
        typer.echo(f"The sandbox cannot start: {error}; {hint}.", err=True)
        raise typer.Exit(1) from error
    except (OSError, sqlite3.Error) as error:
        typer.echo(f"The sandbox cannot start: {error}", err=True)
        raise typer.Exit(1) from error


def main() -> None:
    """Run the command line."""
    typer.run(run)


def _bind(base_port: int) -> dict[str, socket.socket]:
    sockets: dict[str, socket.socket] = {}
    for offset, name in enumerate(("control", *(system.name for system in SYSTEMS))):
        port = base_port + offset if base_port else 0
        # asyncio switches Nagle's delay off only where the protocol is named
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((_HOST, port))
            listener.listen()
        except OSError as error:
            raise OSError(
                f"port {port} for {name} is not free; stop what uses it or give another --base-port"
            ) from error
        sockets[name] = listener
    return sockets


async def _serve(sockets: dict[str, socket.socket], state: Path, ports_file: Path | None) -> None:
    ports: dict[str, int] = {name: listener.getsockname()[1] for name, listener in sockets.items()}
    urls = {name: f"http://{_HOST}:{port}" for name, port in ports.items()}
    engine = await open_company(state, time.time)
    apps = {"control": control_app(engine, SYSTEMS, urls)}
    apps |= {system.name: system_app(system, engine) for system in SYSTEMS}
    servers = {name: QuietServer(app) for name, app in apps.items()}
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, _stop, list(servers.values()))
    running = [asyncio.create_task(server.serve([sockets[name]])) for name, server in servers.items()]
    for server in servers.values():
        await server.listening.wait()
    if ports_file is not None:
        _write_whole(ports_file, json.dumps(ports))
    _print_table(urls, state)
    await asyncio.gather(*running)
    engine.store.close()


def _stop(servers: list[QuietServer]) -> None:
    for server in servers:
        server.stop.set()


def _write_whole(file: Path, text: str) -> None:
    draft = file.with_name(f"{file.name}.draft")
    draft.write_text(text, encoding="utf-8")
    draft.replace(file)


def _print_table(urls: dict[str, str], state: Path) -> None:
    table = Table(title="Acme, a pretend company", title_justify="left", caption_justify="left")
    for heading in ("system", "address", "auth", "creating"):
        table.add_column(heading)
    table.add_row("control", urls["control"], "none", "open it in a browser: all effects")
    for system in SYSTEMS:
        table.add_row(system.name, urls[system.name], system.auth, system.creating)
    table.caption = f"State is kept in {state}. Credentials and endpoints: sandbox/README.md. Ctrl-C stops it."
    Console().print(table)
