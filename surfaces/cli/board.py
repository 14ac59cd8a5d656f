"""Watching a run: a live table at a terminal, a line for each event elsewhere."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from rich.console import Group, RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from governance.events import ENDED, RunStatus
from governance.reviews import ReviewStatus
from runtime.views import RunView, StepView
from surfaces.cli.run_page import headline, outcome
from surfaces.cli.screen import Screen
from surfaces.cli.tables import mark
from surfaces.cli.timeline import Namer, lines

if TYPE_CHECKING:
    from runtime.application import Application

LOOK_SECONDS = 0.3
SOON = timedelta(minutes=10)
"""Whoever watches stays for what happens by itself within this time."""


class Board(Protocol):
    """Where a run is shown while it goes on."""

    def show(self, view: RunView) -> None:
        """The run as it stands now."""
        ...


async def views(steward: Application, run_id: str) -> AsyncGenerator[RunView, None]:
    """The run, again and again as it changes, until it is at rest: ended, parked, or waiting for people only."""
    changed = asyncio.Event()
    listening = asyncio.create_task(_listen(steward, run_id, changed))
    try:
        while True:
            changed.clear()
            view = await steward.show(run_id)
            yield view
            if at_rest(view):
                return
            # The journal's hints come at once; a run's row (claimed, handed back) changes without one.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):  # Python 3.11's wait_for can swallow a cancel
                    await changed.wait()
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)


def at_rest(view: RunView) -> bool:
    """Nothing will happen unless a person does something."""
    row = view.row
    if row.status in ENDED:
        return True
    # A run that waits for people wakes by itself when their time is over, many hours from now: that is rest.
    if row.owner is not None or (row.wake_at is not None and row.wake_at < datetime.now(UTC) + SOON):
        return False
    asked = {review.card.step for review in view.reviews if review.status is ReviewStatus.OPEN}
    timed = any(step.state == "waiting" and step.id not in asked for step in view.all_steps)
    return row.status is RunStatus.PARKED or (row.status is RunStatus.WAITING and bool(asked) and not timed)


async def watch(steward: Application, run_id: str, board: Board) -> RunView:
    """Show a run until it is at rest; how it stands then."""
    async with aclosing(views(steward, run_id)) as seen:
        async for view in seen:
            board.show(view)
            last = view
    return last


class Lines:
    """A board for files and pipes: each event once, as a line."""

    def __init__(self, screen: Screen, name: Namer, *, after: int = 0) -> None:
        self._screen = screen
        self._name = name
        self._seen = after

    def show(self, view: RunView) -> None:
        """Write the lines that are new."""
        console = self._screen.err if self._screen.json else self._screen.out
        for told in lines(view.timeline, self._name):
            if told.seq > self._seen:
                self._seen = told.seq
                console.print(Text(str(told)), soft_wrap=True)


class Drawing:
    """A board for terminals: the steps as a table that changes in place, the newest events below it."""

    def __init__(self, live: Live, screen: Screen, name: Namer) -> None:
        self._live = live
        self._screen = screen
        self._name = name
        self._spinner = Spinner("dots", style="cyan")

    def show(self, view: RunView) -> None:
        """Draw the run."""
        room = self._screen.out.size.height - len(view.all_steps) - 5
        newest = list(lines(view.timeline, self._name))[-min(room, 6) :] if room > 0 else []
        tail = [Text(str(found), style="dim", no_wrap=True, overflow="ellipsis") for found in newest]
        self._live.update(Group(headline(view.row), self._steps(view), Text(), *tail))

    def _steps(self, view: RunView) -> Table:
        table = Table(box=None, show_header=False, padding=(0, 1), pad_edge=False)
        table.add_column(no_wrap=True)
        table.add_column(no_wrap=True)
        table.add_column(no_wrap=True, style="dim")
        table.add_column()  # the only one that gives way where the terminal is narrow
        for step in view.all_steps:
            came = Text(outcome(step), no_wrap=True, overflow="ellipsis")
            table.add_row(self._sign(step), step.id, _took(step), came)
        return table

    def _sign(self, step: StepView) -> RenderableType:
        return self._spinner if step.state == "running" else mark(step.state)


@contextmanager
def board(screen: Screen, name: Namer, *, after: int = 0) -> Iterator[Board]:
    """The board that fits the screen. ``after``: events up to there have been told already."""
    if not screen.live:
        yield Lines(screen, name, after=after)
        return
    with Live(console=screen.out, refresh_per_second=8, transient=False) as live:
        yield Drawing(live, screen, name)


def _took(step: StepView) -> str:
    if step.began is None or step.ended is None:
        return step.state
    return f"{(step.ended - step.began).total_seconds():.1f} s"


async def _listen(steward: Application, run_id: str, changed: asyncio.Event) -> None:
    async for _ in steward.events(run_id):
        changed.set()
