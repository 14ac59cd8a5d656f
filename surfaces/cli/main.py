"""The entry of `steward`: the commands, and the edge at which every error becomes a sentence and a status."""

from __future__ import annotations

import runtime.import_guard  # isort: split

import importlib.metadata
import io
import os
import platform
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from governance.errors import StewardError
from surfaces.cli import (
    audit,
    autonomy,
    decisions,
    demo,
    evaluation,
    knowledge,
    models,
    outside,
    questions,
    reviews,
    runs,
    services,
    systems,
    templates,
)
from surfaces.cli.exits import Status, status_of, tell
from surfaces.cli.options import Json
from surfaces.cli.screen import open_screen
from surfaces.cli.session import read_settings
from surfaces.cli.traces import keep_trace

app = typer.Typer(
    name="steward",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode="rich",
)


INTERRUPTED = (
    "Interrupted. A run that was admitted is kept and goes on with `steward up` or `steward worker`; "
    "answers to questions before that are not."
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"steward {importlib.metadata.version('steward')}")
        raise typer.Exit


@app.callback()
def _options(
    _: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_print_version, help="Print the version and end.")
    ] = False,
) -> None:
    """Work that a planner plans and people answer for. `steward demo` shows all of it in half a minute."""


def version(json: Json = False) -> None:
    """Print the version of Steward and of Python."""
    screen = open_screen(json=json)
    steward, python = importlib.metadata.version("steward"), platform.python_version()
    if screen.json:
        screen.data({"steward": steward, "python": python})
    screen.show(Text(f"steward {steward} (Python {python})"))


PANELS: Mapping[str, Sequence[Callable[..., None]]] = {
    runs.PANEL: (
        runs.run,
        runs.plan,
        runs.runs,
        runs.show,
        runs.cancel,
        runs.resume,
        outside.callback,
        outside.event,
        runs.fork,
        runs.erase,
    ),
    reviews.PANEL: (reviews.reviews, reviews.approve, reviews.reject, reviews.edit, reviews.answer),
    autonomy.PANEL: (autonomy.calibrate, autonomy.calibration),
    knowledge.PANEL: (
        knowledge.tools,
        knowledge.tool,
        knowledge.playbooks,
        knowledge.playbook,
        knowledge.people,
        questions.ask,
    ),
    services.PANEL: (
        demo.demo,
        services.up,
        services.worker,
        services.serve,
        systems.systems,
        models.models,
        services.sandbox,
        services.chat,
        version,
    ),
}
for panel, commands in PANELS.items():
    for command in commands:
        app.command(rich_help_panel=panel)(command)
app.add_typer(decisions.decisions, name="decisions", rich_help_panel=decisions.PANEL)
app.add_typer(templates.templates, name="templates", rich_help_panel=templates.PANEL)
app.add_typer(autonomy.autonomy, name="autonomy", rich_help_panel=autonomy.PANEL)
app.command("eval", rich_help_panel=evaluation.PANEL)(evaluation.evaluate)
app.add_typer(audit.audit, name="audit", rich_help_panel=audit.PANEL)


def main() -> None:
    """Run the command line and end the process with one of ``exits.Status``."""
    runtime.import_guard.guard()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that lacks a sign gets a question mark, not a crash
    status = _status()
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        status = _nobody_reads()
    sys.exit(status)


def _nobody_reads() -> Status:
    """Whoever read our output has enough: what is left goes nowhere, so that the interpreter's last flush is quiet."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return Status.FAILED


def _status() -> int:
    state = Path(".steward")
    try:
        state = read_settings().state
        app()
    except SystemExit as ended:
        if ended.code == Status.INTERRUPTED:
            open_screen().say(INTERRUPTED, style="yellow")
        return ended.code if isinstance(ended.code, int) else Status.FAILED
    except StewardError as error:
        tell(open_screen(), error)
        return status_of(error)
    except (KeyboardInterrupt, EOFError):
        return Status.INTERRUPTED
    except BrokenPipeError:  # typer ends most of them itself, with the same status
        return _nobody_reads()
    except Exception as error:  # noqa: BLE001 - the edge: whatever went wrong, a person gets a sentence
        kept = keep_trace(error, state)
        open_screen().say(
            f"Something went wrong that Steward did not foresee. What happened is kept in {kept}", style="red"
        )
        return Status.FAILED
    return Status.OK


if __name__ == "__main__":
    main()
