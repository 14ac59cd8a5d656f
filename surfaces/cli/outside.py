"""Commands in another system's place: its late answer to a step, and what it publishes."""

from __future__ import annotations

import asyncio
import uuid
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from governance.outside import Published, read_event
from surfaces.cli.exits import Status
from surfaces.cli.inputs import read_object, read_settings_of
from surfaces.cli.options import Json
from surfaces.cli.runs import TAKEN_UP
from surfaces.cli.screen import Screen, open_screen
from surfaces.cli.session import opened


def callback(
    address: Annotated[str, typer.Argument(metavar="ADDRESS", help="Where the system was told to answer.")],
    body: Annotated[
        Path, typer.Option("--body", metavar="FILE", help="The tool's output, or {error: why not}; - is stdin.")
    ] = Path("-"),
    json: Json = False,
) -> None:
    """Answer a step that waits for another system, in the system's place."""

    async def answered(screen: Screen) -> Status:
        given = read_object(body)
        async with opened(screen) as steward:
            told = await steward.call_back(address.rpartition("/")[2], given)
            if screen.json:
                screen.data({"first": told.first, "answer": told.answer})
            screen.show(Text(f"Accepted. {TAKEN_UP}" if told.first else f"It was answered before: {told.answer}"))
        return Status.OK

    raise typer.Exit(asyncio.run(answered(open_screen(json=json))))


def event(
    kind: Annotated[str, typer.Argument(metavar="TYPE", help="What happened, such as laptop.shipped.")],
    pairs: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="A field of its data; repeatable.")
    ] = None,
    data: Annotated[
        Path | None, typer.Option("--data", metavar="FILE", help="Its data, as JSON or YAML; - is stdin.")
    ] = None,
    source: Annotated[str, typer.Option("--source", help="Who says so.")] = "cli",
    subject: Annotated[str, typer.Option("--subject", help="What it is about.")] = "",
    name: Annotated[str, typer.Option("--id", help="Its id; the same again is the same event.")] = "",
    json: Json = False,
) -> None:
    """Publish an event to the steps that wait for one like it, in another system's place."""

    async def published(screen: Screen) -> Status:
        given = read_settings_of(pairs or (), read_object(data) if data else {})
        said = {"id": name or str(uuid.uuid4()), "type": kind, "source": source, "subject": subject, "data": given}
        found = read_event({"specversion": "1.0", **said})
        async with opened(screen) as steward:
            told = await steward.publish(found)
        if screen.json:
            screen.data({"id": found.id, "first": told.first, "woken": told.woken})
        screen.show(Text(_told(told)))
        return Status.OK

    raise typer.Exit(asyncio.run(published(open_screen(json=json))))


def _told(published: Published) -> str:
    if not published.first:
        return "It was published before."
    if not published.woken:
        return "Published. No step waits for it; one that begins to within a week may still find it."
    return f"Published, to {published.woken} {'step' if published.woken == 1 else 'steps'}. {TAKEN_UP}"
