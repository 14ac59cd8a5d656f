"""Commands about journals: verify them, hand them out."""

from __future__ import annotations

import asyncio
import json as jsons
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer
from rich.text import Text

from governance.chain import Verified
from surfaces.cli.exits import Status
from surfaces.cli.options import Json
from surfaces.cli.outputs import new_file
from surfaces.cli.screen import Screen, open_screen
from surfaces.cli.session import one_run, opened
from surfaces.cli.shapes import verified_shape
from surfaces.cli.tables import count, listing, short

if TYPE_CHECKING:
    from runtime.application import Application

PANEL = "Proof"
audit = typer.Typer(no_args_is_help=True, help="Verify journals, or export them.")


@audit.command(name="verify")
def verify(
    target: Annotated[
        str | None, typer.Argument(metavar="[RUN|FILE]", help="A run, or an exported file; all runs if left out.")
    ] = None,
    json: Json = False,
) -> None:
    """Recompute the chain of one run, of all runs, or of an exported file (offline). Exit 1 if it does not hold."""
    screen = open_screen(json=json)
    if target is not None and _is_file(target):
        raise typer.Exit(_file_verdict(screen, Path(target)))
    raise typer.Exit(asyncio.run(_verify(screen, target)))


@audit.command(name="export")
def export(
    run: Annotated[str | None, typer.Argument(metavar="[RUN]", help="A run; all runs if left out.")] = None,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where to write; - is stdout.")] = Path("-"),
) -> None:
    """Write journals as lines of JSON that anyone can verify offline."""
    raise typer.Exit(asyncio.run(_export(open_screen(), run, out)))


async def _verify(screen: Screen, run: str | None) -> Status:
    async with opened(screen) as steward:
        with screen.busy("Verifying …"):
            verified = await steward.verify(await one_run(steward, run) if run else None)
    return _verdict(screen, verified, f"run {run}" if run else "the database")


def _file_verdict(screen: Screen, path: Path) -> Status:
    from runtime.export import verify_file  # noqa: PLC0415 - the only part that this command needs

    verified = verify_file(path)
    if not verified.entries:
        if screen.json:
            screen.data(verified_shape(verified) | {"ok": False})
        screen.say(f"{path} holds no journal.", style="red")
        return Status.FAILED
    status = _verdict(screen, verified, str(path))
    for run in _without_end(path) if verified.ok else ():
        screen.say(
            f"Note: the journal of run {short(run)} does not end with run.ended. It was exported before the run had "
            "ended, or its end is missing: a chain alone cannot show which.",
            style="yellow",
        )
    return status


def _without_end(path: Path) -> list[str]:
    """The runs in a file that verifies whose last entry is not the end of a run."""
    last: dict[str, str] = {}
    with path.open(encoding="utf-8", errors="replace") as file:
        for record in (jsons.loads(line) for line in file if line.strip()):
            last[str(record["run_id"])] = str(record["kind"])
    return [run for run, kind in last.items() if kind != "run.ended"]


def _verdict(screen: Screen, verified: Verified, where: str) -> Status:
    if screen.json:
        screen.data(verified_shape(verified))
    held = f"{count(verified.entries, 'entry').replace('entrys', 'entries')} of {count(verified.runs, 'run')}"
    erased = f" ({verified.erased} erased)" if verified.erased else ""
    if verified.ok:
        screen.show(Text(f"✓ The journal holds: {held}{erased} in {where}.", style="green"))
        return Status.OK
    screen.show(Text(f"✗ The journal does not hold: {held}{erased} in {where}.", style="red"))
    table = listing("run", "entry", "what is wrong", wrap=("what is wrong",))
    for broken in verified.broken:
        table.add_row(short(broken.run_id), str(broken.seq), broken.why)
    screen.show(table)
    return Status.FAILED


async def _export(screen: Screen, run: str | None, out: Path) -> Status:
    async with opened(screen) as steward:
        run_id = (await steward.show(await one_run(steward, run))).row.id if run else None
        if str(out) == "-":
            lines, where = await _write(steward, run_id, sys.stdout), "stdout"
        else:
            with new_file(out) as file:
                lines, where = await _write(steward, run_id, file), str(out)
    screen.say(f"{count(lines, 'entry').replace('entrys', 'entries')} written to {where}.")
    return Status.OK


async def _write(steward: Application, run_id: str | None, file: TextIO) -> int:
    lines = 0
    async for line in steward.export(run_id):
        file.write(line + "\n")
        lines += 1
    file.flush()
    return lines


def _is_file(target: str) -> bool:
    return Path(target).exists() or "/" in target or target.endswith((".ndjson", ".json", ".jsonl"))
