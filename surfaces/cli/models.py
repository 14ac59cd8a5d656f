"""The command about models: who decides here, within which limits, and what that took today."""

from __future__ import annotations

import asyncio

import typer
from rich.console import RenderableType
from rich.text import Text

from governance.models import MICRO, ModelsStatus, ModelStatus
from surfaces.cli.exits import Status
from surfaces.cli.options import Json
from surfaces.cli.screen import Screen, open_screen, rule
from surfaces.cli.session import opened
from surfaces.cli.shapes import plain
from surfaces.cli.tables import listing, pairs


def models(json: Json = False) -> None:
    """Show who decides: the models that are set, their limits, and today's calls, tokens, spend and failures."""

    async def shown(screen: Screen) -> Status:
        async with opened(screen) as steward:
            found = await steward.models()
        if screen.json:
            screen.data(plain(found))
        screen.show(*_page(found))
        return Status.OK

    raise typer.Exit(asyncio.run(shown(open_screen(json=json))))


def _page(found: ModelsStatus) -> list[RenderableType]:
    parts: list[RenderableType] = [Text(found.sentence, style="bold")]
    if found.kinds:
        limits = found.limits
        parts += [
            rule("Limits"),
            pairs(
                [
                    ("calls", f"{limits.calls_per_minute} a minute of each" if limits.calls_per_minute else "no limit"),
                    ("a run", _dollars(limits.run_microusd) if limits.run_microusd else "no limit"),
                    ("a day", _of_day(found)),
                ]
            ),
        ]
    if found.models:
        parts += [rule("Today (UTC)"), _table(found)]
    unpriced = [status.day.model for status in found.models if status.price is None and status.role != "before"]
    if unpriced:
        parts.append(
            Text(
                f"\nNo price is known for {', '.join(unpriced)}: tokens are counted, and limits in dollars do not hold "
                "for it. Set STEWARD_MODEL_PRICES.",
                style="yellow",
            )
        )
    return parts


def _table(found: ModelsStatus) -> RenderableType:
    table = listing("model", "is", "calls", "failed", "tokens", "cost", "mean", "last failure", wrap=("last failure",))
    for status in found.models:
        day = status.day
        table.add_row(
            day.model,
            status.role,
            str(day.calls),
            Text(str(day.failed), style="red" if day.failed else ""),
            f"{day.tokens_in:,} + {day.tokens_out:,}",
            _cost(status),
            f"{day.latency_ms / 1000:.1f} s" if day.calls else "",
            day.last_failure,
        )
    return table


def _cost(status: ModelStatus) -> str:
    return _dollars(status.day.cost_microusd) if status.price is not None else "unknown"


def _of_day(found: ModelsStatus) -> str:
    spent = _dollars(found.day_microusd)
    limit = found.limits.day_microusd
    return f"{spent} of {_dollars(limit)} spent" if limit else f"{spent} spent, no limit"


def _dollars(micro: int) -> str:
    """Money: cents where that is enough, else four places."""
    dollars = micro / MICRO
    return f"${dollars:,.2f}" if micro % 10_000 == 0 or dollars >= 1 else f"${dollars:,.4f}"
