"""Commands about journals: verify them, hand them out."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from governance.chain import Verified
from governance.errors import InvalidInput
from surfaces.cli.exits import Status
from surfaces.cli.options import Json
from surfaces.cli.screen import Screen, open_screen
from surfaces.cli.session import opened
from surfaces.cli.shapes import verified_shape
from surfaces.cli.tables import count, listing, short

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
        raise typer.Exit(_verdict(screen, _verified_file(Path(target)), target))
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
            verified = await steward.verify(run)
    return _verdict(screen, verified, f"run {run}" if run else "the database")


def _verified_file(path: Path) -> Verified:
    from runtime.export import verify_file  # noqa: PLC0415 - the only part that this command needs

    return verify_file(path)


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
    plain_out = str(out) == "-"
    lines = 0
    async with opened(screen) as steward:
        try:
            with sys.stdout if plain_out else out.open("x", encoding="utf-8") as file:
                async for line in steward.export(run):
                    file.write(line + "\n")
                    lines += 1
        except FileExistsError as error:
            hint = "Choose another name: an export never writes over a file"
            raise InvalidInput(f"{out} is there already.", hint=hint) from error
        except OSError as error:
            raise InvalidInput(f"{out} cannot be written: {error.strerror}.") from error
    screen.say(f"{count(lines, 'entry').replace('entrys', 'entries')} written to {'stdout' if plain_out else out}.")
    return Status.OK


def _is_file(target: str) -> bool:
    return Path(target).exists() or "/" in target or target.endswith((".ndjson", ".json", ".jsonl"))
