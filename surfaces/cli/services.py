"""Commands that serve: everything at once, a worker, the sandbox company, the chat."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import Annotated

import typer

from governance.errors import InvalidInput, Unavailable
from runtime.settings import Settings
from surfaces.cli.exits import Status
from surfaces.cli.processes import ROOT, SYSTEMS, is_free, sandbox_command
from surfaces.cli.screen import Screen, open_screen
from surfaces.cli.session import know, opened, read_settings
from surfaces.cli.traces import log_to_screen
from surfaces.crew import cores, crew
from surfaces.lifeline import hold

PANEL = "Serving"
MOST_PROCESSES = 1_000


def up() -> None:
    """Run everything: the sandbox company, a worker and the chat, until Ctrl-C."""
    _serve(with_company=True)


def worker(
    processes: Annotated[
        str, typer.Option("--processes", metavar="N", help="So many processes, one core each; auto: one for each core.")
    ] = "",
    lifeline: Annotated[int | None, typer.Option("--lifeline", hidden=True)] = None,
) -> None:
    """Work on runs until SIGTERM or Ctrl-C, then hand back what is not finished."""
    settings = read_settings()
    count = _processes(processes, settings)
    if lifeline is not None:
        hold(lifeline)
    work = (
        _work(open_screen(), settings, alone=lifeline is None) if lifeline is not None or count == 1 else _lead(count)
    )
    raise typer.Exit(asyncio.run(work))


def _processes(wanted: str, settings: Settings) -> int:
    """How many are wanted; 0: as many as there are cores. Raises InvalidInput."""
    if not wanted:
        return settings.worker_processes
    if wanted != "auto" and not (wanted.isascii() and wanted.isdecimal() and int(wanted) <= MOST_PROCESSES):
        raise InvalidInput(f"--processes takes a number up to {MOST_PROCESSES} or auto, not {wanted[:40]}.")
    return 0 if wanted == "auto" else int(wanted)


async def _work(screen: Screen, settings: Settings, *, alone: bool) -> Status:
    """One worker, in this process; ``alone``: nobody else speaks for it."""
    async with opened(screen, settings, serving=True) as steward:
        if alone:
            screen.say("The worker works; Ctrl-C stops it.")
        await steward.work_forever()
        if alone:
            screen.say("The worker has stopped; nothing is lost.")
    return Status.OK


async def _lead(count: int) -> Status:
    """Worker processes, of which this one is none."""
    screen, stop = open_screen(), asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    know(read_settings())  # what cannot be used is said once, and not by each of them again and again
    screen.say(f"{count or cores()} worker processes work; Ctrl-C stops them.")
    async with crew(count, screen.say):
        await stop.wait()
        screen.say("They are told to stop, and end what is in their hands.")
    screen.say("The workers have stopped; nothing is lost.")
    return Status.OK


def serve() -> None:
    """Take the late answers of other systems and the events that they publish, over HTTP; with a worker, until Ctrl-C."""
    from surfaces.http.serving import served  # noqa: PLC0415 - the server's imports; nothing else here needs them

    async def run(screen: Screen) -> Status:
        settings = read_settings()
        host, port = settings.serve_host, settings.serve_port
        async with opened(screen, settings, serving=True) as steward, served(steward, host, port) as doors:
            screen.say(
                f"Callbacks are taken at http://{host}:{port}/callbacks, events at http://{host}:{port}/events; "
                "Ctrl-C stops it."
            )
            async with steward.working():
                await doors
            screen.say("It has stopped; nothing is lost.")
        return Status.OK

    raise typer.Exit(asyncio.run(run(open_screen())))


def sandbox() -> None:
    """Run the sandbox company Acme: twelve systems and a page that counts what is done to them."""
    settings = read_settings()
    ports = range(settings.sandbox_port, settings.sandbox_port + SYSTEMS + 1)
    taken = [str(port) for port in ports if not is_free(port)]
    if taken:
        hint = "A sandbox may run there already; STEWARD_SANDBOX_PORT names another block of ports"
        raise Unavailable(
            f"The sandbox needs the ports {ports[0]} to {ports[-1]}; in use: {', '.join(taken)}.", hint=hint
        )
    command = sandbox_command(settings.sandbox_port, settings.state / "sandbox")
    # It becomes this process, so that signals and the exit status are its own.
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
    os.execv(command[0], command)  # noqa: S606 - no shell wanted


def chat(
    alone: Annotated[bool, typer.Option("--alone", help="Only the chat; worker and systems run elsewhere.")] = False,
) -> None:
    """Serve the chat in the browser, with a worker and the sandbox company beside it."""
    _serve(with_company=not alone)


def _serve(*, with_company: bool) -> None:
    from surfaces.chat.serve import serve  # noqa: PLC0415 - the chat's imports; nothing else here needs them

    settings = read_settings()
    log_to_screen(settings.log_level)
    serve(settings, with_company=with_company)
