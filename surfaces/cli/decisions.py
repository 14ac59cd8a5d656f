"""Commands about decisions: all of a run, on a screen or a page; those of many runs as lines of JSON."""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer
from typer.core import TyperGroup

from governance.decisions import DecisionKind
from governance.errors import InvalidInput
from governance.record import Wanted
from surfaces.cli.decision_page import decision_page
from surfaces.cli.exits import Status
from surfaces.cli.options import Json, RunId
from surfaces.cli.outputs import new_file
from surfaces.cli.screen import Screen, open_screen
from surfaces.cli.session import one_run, opened
from surfaces.cli.shapes import decisions_shape
from surfaces.cli.tables import count
from surfaces.cli.timeline import namer

if TYPE_CHECKING:
    from runtime.application import Application

PANEL = "Proof"


class RunFirst(TyperGroup):
    """``steward decisions RUN`` is short for ``steward decisions show RUN``."""

    def spelled_out(self, args: list[str]) -> list[str]:
        """The arguments with ``show`` before what is no command."""
        given = next((word for word in args if not word.startswith("-")), "")
        return ["show", *args] if given and given not in self.commands else args

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the arguments as if they were spelled out."""
        return super().parse_args(ctx, self.spelled_out(args))


decisions = typer.Typer(
    cls=RunFirst,
    no_args_is_help=True,
    help="Who decided what in a run, and why: `steward decisions RUN`. Or export decisions.",
)


@decisions.command(name="show")
def show(
    run_id: RunId,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write them as one HTML page instead.")
    ] = None,
    json: Json = False,
) -> None:
    """Show every decision of a run: by whom, how sure, why, at what cost, and who went against it."""
    raise typer.Exit(asyncio.run(_show(open_screen(json=json), run_id, html)))


@decisions.command(name="export")
def export(
    since: Annotated[
        str, typer.Option("--since", metavar="WHEN", help="From then on: 2027-02-01, or with a time.")
    ] = "",
    until: Annotated[str, typer.Option("--until", metavar="WHEN", help="Before then.")] = "",
    playbook: Annotated[str, typer.Option("--playbook", help="Only its runs: onboarding or onboarding@1.")] = "",
    kind: Annotated[
        list[DecisionKind] | None, typer.Option("--kind", case_sensitive=False, help="Only such; repeatable.")
    ] = None,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where to write; - is stdout.")] = Path("-"),
) -> None:
    """Write decisions of all runs as lines of JSON, run by run. Says on stderr how many."""
    wanted = Wanted(
        playbook=playbook.strip() or None,
        kinds=frozenset(kind or ()),
        since=_moment(since, "--since"),
        until=_moment(until, "--until"),
    )
    if wanted.since and wanted.until and wanted.since >= wanted.until:
        raise InvalidInput("--since is not before --until.", hint="Nothing can lie between them")
    raise typer.Exit(asyncio.run(_export(open_screen(), wanted, out)))


async def _show(screen: Screen, run: str, html: Path | None) -> Status:
    async with opened(screen) as steward:
        decided = await steward.decisions(await one_run(steward, run))
        name = namer(steward.directory)
        if html is not None:
            from surfaces.http.decision_page import decision_html  # noqa: PLC0415 - the template is for this alone

            with new_file(html) as file:
                file.write(decision_html(decided, name, steward.named))
            screen.say(f"{count(len(decided.records), 'decision')} written to {html}.")
        if screen.json:
            screen.data(decisions_shape(decided))
        elif html is None:
            screen.show(decision_page(decided, name, steward.named))
    return Status.OK if decided.verified.ok else Status.FAILED


async def _export(screen: Screen, wanted: Wanted, out: Path) -> Status:
    async with opened(screen) as steward:
        if str(out) == "-":
            lines, where = await _write(steward, wanted, sys.stdout), "stdout"
        else:
            with new_file(out) as file:
                lines, where = await _write(steward, wanted, file), str(out)
        screen.say(f"{count(lines, 'decision')} written to {where}.")
        known = {name for each in steward.playbooks() for name in (each.id, each.name)}
        if not lines and wanted.playbook and wanted.playbook not in known:
            screen.say(f"No playbook here is called {wanted.playbook}; `steward playbooks` lists them.", style="yellow")
    return Status.OK


async def _write(steward: Application, wanted: Wanted, file: TextIO) -> int:
    lines = 0
    async for line in steward.export_decisions(wanted):
        file.write(line + "\n")
        lines += 1
    file.flush()
    return lines


def _moment(text: str, option: str) -> datetime | None:
    """A day or a moment; UTC, unless it says otherwise. Raises InvalidInput."""
    if not text.strip():
        return None
    try:
        given = datetime.fromisoformat(text.strip())
    except ValueError:
        hint = "Write a day like 2027-02-01, or a moment like 2027-02-01T09:30+01:00; without an offset it is UTC"
        raise InvalidInput(f"{option} {text} is no moment.", hint=hint) from None
    return given if given.tzinfo else given.replace(tzinfo=UTC)
