"""The command that measures the deciders: right answers, plans, calibration, cost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from governance.errors import InvalidInput
from surfaces.cli.exits import Status
from surfaces.cli.options import Json
from surfaces.cli.screen import Screen, open_screen, rule
from surfaces.cli.session import know, opened, read_settings
from surfaces.cli.tables import count, listing

if TYPE_CHECKING:
    from runtime.evaluation import Evaluation

PANEL = "Knowledge"
_FAULTS = 20
_Tick = Callable[[int, int], None]
_PARTS = ("triage", "plan")


def evaluate(
    against: Annotated[
        str, typer.Option("--against", metavar="offline|model", help="The offline rules, or the model that is set.")
    ] = "offline",
    only: Annotated[str, typer.Option("--only", metavar="triage,plan", help="Only these parts.")] = "triage,plan",
    sample: Annotated[
        int | None, typer.Option("--sample", min=1, help="About so many requests, drawn from every group; else all.")
    ] = None,
    report: Annotated[
        Path | None, typer.Option("--report", metavar="FOLDER", help="Write eval.json, eval.md and eval.svg there.")
    ] = None,
    json: Json = False,
) -> None:
    """Measure how well requests in words are understood and planned, on a corpus whose right answers are known."""
    screen = open_screen(json=json)
    wanted = _Wanted(_choice("--against", against, ("offline", "model")), _parts(only), sample)
    raise typer.Exit(asyncio.run(_evaluated(screen, wanted, report)))


@dataclass(frozen=True)
class _Wanted:
    """What the command line asks for."""

    against: str
    parts: tuple[str, ...]
    sample: int | None


def _choice(option: str, value: str, choices: tuple[str, ...]) -> str:
    if value not in choices:
        raise InvalidInput(f"{option} cannot be {value or 'empty'}.", hint=f"Say {' or '.join(choices)}")
    return value


def _parts(only: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_choice("--only", part.strip(), _PARTS) for part in only.split(",")))


async def _evaluated(screen: Screen, wanted: _Wanted, report: Path | None) -> Status:
    found = await _measured(screen, wanted)
    _show(screen, found)
    from runtime.evaluation import document, write_report  # noqa: PLC0415 - see _measured

    if screen.json:
        screen.data(document(found))
    for path in write_report(found, report) if report is not None else ():
        screen.say(f"Written: {path}")
    return Status.OK


async def _measured(screen: Screen, wanted: _Wanted) -> Evaluation:
    from runtime import evaluation  # noqa: PLC0415 - loads every tool; `--help` must not wait for it

    parts = [evaluation.Part(part) for part in wanted.parts]
    if wanted.against == "offline":
        with _bar(screen) as tick:
            return await evaluation.evaluate(
                know(read_settings()), against="offline", parts=parts, tick=tick, sample=wanted.sample
            )
    async with opened(screen) as steward:
        evaluation.require_model(steward.knowledge)
        with _bar(screen) as tick:
            return await evaluation.evaluate(
                steward.knowledge, against="model", parts=parts, tick=tick, sample=wanted.sample
            )


def _show(screen: Screen, found: Evaluation) -> None:
    from runtime.evaluation import compared, group_rows  # noqa: PLC0415 - see _measured

    figures = listing("", "all", "held out")
    for row in compared(found):
        if any(row[1:]):
            figures.add_row(*row)
    screen.show(rule(f"Against {found.against}, in {found.seconds:.1f} s; in brackets 95 % intervals"), figures)
    groups = listing("group", "n", "right", "held out", "valid", "optimal")
    for cells in group_rows(found):
        groups.add_row(*cells)
    screen.show(rule("By group"), groups)
    faults = list(found.faults())
    if not faults:
        return
    table = listing("request", "fault", wrap=("fault",))
    for case, fault in faults[:_FAULTS]:
        table.add_row(case, fault)
    screen.show(rule(f"{count(len(faults), 'fault').capitalize()}; those of held-out requests are only counted"), table)
    if len(faults) > _FAULTS:
        screen.show(Text(f"and {len(faults) - _FAULTS} more; --report or --json has all of them", style="dim"))


@contextmanager
def _bar(screen: Screen) -> Iterator[_Tick]:
    """A bar on stderr while it goes on, at a terminal only."""
    with Progress(
        TextColumn("Asking"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
        console=screen.err, transient=True, disable=not screen.err.is_terminal,
    ) as progress:  # fmt: skip
        task = progress.add_task("", total=None)
        yield lambda done, whole: progress.update(task, completed=done, total=whole)
