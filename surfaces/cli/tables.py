"""Small tables that look the same everywhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from rich.table import Table
from rich.text import Text

STATES: Mapping[str, tuple[str, str]] = {
    "planned": ("·", "dim"),
    "waiting": ("?", "yellow"),
    "running": ("▸", "cyan"),
    "done": ("✓", "green"),
    "found": ("✓", "green"),
    "skipped": ("-", "dim"),
    "stopped": ("■", "yellow"),
    "failed": ("✗", "red"),
    "refused": ("✗", "red"),
    "unknown": ("!", "red"),
}
RUN_STYLES: Mapping[str, str] = {
    "done": "green",
    "waiting": "yellow",
    "parked": "red",
    "running": "cyan",
    "queued": "cyan",
    "cancelled": "yellow",
    "closed": "yellow",
    "undone": "yellow",
}


def listing(*headings: str, wrap: Iterable[str] = ()) -> Table:
    """A table with headings and no frame; the columns in ``wrap`` take what room is left and break lines."""
    table = Table(box=None, header_style="bold dim", padding=(0, 2, 0, 0), pad_edge=False)
    loose = set(wrap)
    for heading in headings:
        table.add_column(heading, no_wrap=heading not in loose, overflow="fold" if heading in loose else "ellipsis")
    return table


def pairs(values: Iterable[tuple[str, str | Text]]) -> Table:
    """Names and what they hold."""
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in values:
        table.add_row(name, value)
    return table


def mark(state: str) -> Text:
    """The sign of a step's state."""
    sign, style = STATES.get(state, ("?", ""))
    return Text(sign, style=style)


def short(run_id: str) -> str:
    """Enough of a run's id to name it."""
    return run_id[:13]


def count(number: int, word: str) -> str:
    """``1 step``, ``2 steps``."""
    return f"{number} {word}" if number == 1 else f"{number} {word}s"
