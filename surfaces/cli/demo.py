"""`steward demo`: the main job in the terminal, from one sentence to nine systems."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from surfaces.cli.screen import open_screen
from surfaces.cli.session import read_settings


def demo(
    keep: Annotated[bool, typer.Option("--keep", help="Keep what an earlier demo left in .steward/demo.")] = False,
    ask: Annotated[bool, typer.Option("--ask/--no-ask", help="Ask me for the verdicts, if this is a terminal.")] = True,
) -> None:
    """Onboard Ada Lovelace before your eyes: plan, check, reviews, nine systems, a verified journal."""
    from surfaces.demo.story import tell_story  # noqa: PLC0415 - `--help` must not wait for it

    raise typer.Exit(asyncio.run(tell_story(open_screen(), read_settings(), keep=keep, ask=ask)))
