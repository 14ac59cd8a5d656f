"""The commands about kept plans: which there are and what they saved; use one no more."""

from __future__ import annotations

import asyncio
from json import dumps
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from governance.templates import saving
from surfaces.cli.exits import Status
from surfaces.cli.options import By, Json, Reason
from surfaces.cli.screen import Screen, open_screen
from surfaces.cli.session import acting, know, opened, read_settings
from surfaces.cli.shapes import plain
from surfaces.cli.tables import count, listing, short

if TYPE_CHECKING:
    from runtime.views import TemplatesView, TemplateView

PANEL = "Knowledge"
templates = typer.Typer(
    help="Plans that are used again: which are kept, what they saved; and use one no more.", rich_markup_mode="rich"
)
_ROOMY = 110
"""Columns from which there is room for who planned it and when."""
_STYLES = {"in use": "green", "out of date": "dim", "dropped": "red"}


@templates.callback(invoke_without_command=True)
def listed(context: typer.Context, json: Json = False) -> None:
    """List the plans that are kept: how often each was used, what that saved, and why others were not kept."""
    if context.invoked_subcommand is not None:
        return

    async def told(screen: Screen) -> Status:
        async with opened(screen) as steward:
            view = await steward.templates()
        if screen.json:
            screen.data(plain(view) | {"hits": view.hits, "planned": view.planned})
        screen.show(page(view, screen.out.width))
        return Status.OK

    raise typer.Exit(asyncio.run(told(open_screen(json=json))))


@templates.command()
def drop(
    template: Annotated[str, typer.Argument(metavar="TEMPLATE", help="A template's id, or the beginning of it.")],
    reason: Reason = "",
    by: By = "",
    json: Json = False,
) -> None:
    """Use a kept plan no more, in any process. The planner is asked again, and the very same plan is not kept again."""

    async def dropped(screen: Screen) -> Status:
        settings = read_settings()
        known = know(settings)
        person = acting(known.directory, by)
        async with opened(screen, settings, known) as steward:
            row = await steward.drop_template(template, reason=reason, by=person)
        if screen.json:
            screen.data(plain(row))
        screen.show(Text(f"Template {row.template.id} is used no more. Runs that have its plan go on with it."))
        return Status.OK

    raise typer.Exit(asyncio.run(dropped(open_screen(json=json))))


def page(view: TemplatesView, width: int) -> RenderableType:
    """All templates, and the misses."""
    if not view.templates and not view.misses:
        return Text("No plans are kept yet. The first run of a kind leaves one.")
    parts: list[RenderableType] = [Text(_summary(view), style="bold"), Text()]
    if view.templates:
        parts += [_table(view, width), Text()]
    for miss in view.misses:
        parts.append(Text(f"{miss.playbook}: {miss.why}, {miss.count} times", style="dim"))
    return Group(*parts)


def _summary(view: TemplatesView) -> str:
    spared = [
        sum(getattr(one, name) for one in view.templates) for name in ("saved_calls", "saved_microusd", "saved_ms")
    ]
    return (
        f"{count(view.hits, 'plan')} from templates, {view.planned} by the planner."
        f" Saved: {saving(spared[0], spared[1], spared[2])}."
    )


def _table(view: TemplatesView, width: int) -> RenderableType:
    roomy = width >= _ROOMY
    between = ("planned by", "in run") if roomy else ()
    table = listing("template", "standing", "for", *between, "used", "failed", "saved", wrap=("for",))
    for one in view.templates:
        template = one.row.template
        table.add_row(
            template.id,
            Text(one.standing, style=_STYLES[one.standing]),
            _kind(one),
            *((template.decider, short(template.first_run)) if roomy else ()),
            str(one.row.hits),
            str(one.row.failures),
            saving(one.saved_calls, one.saved_microusd, one.saved_ms) if one.row.hits else "",
        )
    return table


def _kind(one: TemplateView) -> str:
    """Playbook, the choices that the requests have in common, and why it was dropped."""
    choices = ", ".join(_choices(one.row.template.shape["fields"]))
    told = f"{one.row.template.playbook}: {choices}" if choices else one.row.template.playbook
    return f"{told}. Dropped by {one.row.dropped_by}: {one.row.dropped_why}" if one.row.dropped_why else told


def _choices(fields: dict[str, Any]) -> list[str]:
    found = []
    for name, part in fields.items():
        if isinstance(part, dict) and set(part) == {"is"}:
            value = part["is"]
            found.append(value if isinstance(value, str) else f"{name} {dumps(value)}")
        elif isinstance(part, dict):
            found += _choices(part)
    return found
