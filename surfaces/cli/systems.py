"""The command about systems: whether each is left alone and why, and how busy it is over all workers."""

from __future__ import annotations

import asyncio

import typer
from rich.text import Text

from governance.systems import SystemStatus
from surfaces.cli.exits import Status
from surfaces.cli.options import Json
from surfaces.cli.screen import Screen, open_screen
from surfaces.cli.session import opened
from surfaces.cli.shapes import plain
from surfaces.cli.tables import listing

_STYLES = {"closed": "green", "half_open": "yellow", "open": "red"}


def systems(json: Json = False) -> None:
    """List the systems: address, breaker, calls in flight over all workers, limits."""

    async def listed(screen: Screen) -> Status:
        async with opened(screen) as steward:
            found = await steward.systems()
        if screen.json:
            screen.data(plain(found))
        table = listing("system", "address", "breaker", "in flight", "rate", "why", wrap=("address", "why"))
        for status in found:
            breaker = Text(status.breaker.replace("_", "-"), style=_STYLES[status.breaker])
            rate = f"{status.rate:g}/s" if status.rate else ""
            table.add_row(
                status.name, status.url, breaker, f"{status.in_flight} of {status.limit}", rate, _reason(status)
            )
        screen.show(table)
        return Status.OK

    raise typer.Exit(asyncio.run(listed(open_screen(json=json))))


def _reason(status: SystemStatus) -> str:
    parts = []
    if status.since is not None:
        parts.append(f"{status.why} since {status.since:%Y-%m-%d %H:%M:%S} UTC")
    if status.not_before is not None:
        parts.append(f"asked for quiet until {status.not_before:%H:%M:%S} UTC")
    return ", ".join(parts)
