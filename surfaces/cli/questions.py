"""The command that answers questions: from what tools read, with sources, without a run."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer
from rich.text import Text

from runtime.views import Source, Told
from surfaces.cli.exits import Status
from surfaces.cli.inputs import read_words
from surfaces.cli.options import Json
from surfaces.cli.screen import Screen, open_screen
from surfaces.cli.session import acting, know, opened, read_settings
from surfaces.cli.shapes import plain
from surfaces.cli.timeline import brief, moment

Asker = Annotated[
    str,
    typer.Option("--as", "--by", metavar="EMAIL", envvar="STEWARD_USER", help="Who asks; what they may read is read."),
]


def ask(
    question: Annotated[str, typer.Argument(metavar="QUESTION", help="For instance: Which desks are free in Berlin?")],
    by: Asker = "",
    json: Json = False,
) -> None:
    """Answer a question from what the tools read, with sources. Changes nothing and makes no run."""

    async def answered(screen: Screen) -> Status:
        settings = read_settings()
        known = know(settings)
        person = acting(known.directory, by)
        words = read_words(question)
        async with opened(screen, settings, known) as steward:
            told = await steward.ask(words, by=person)
        if screen.json:
            screen.data(plain(told))
        screen.show(answer_page(told))
        return Status.OK if told.statements else Status.FAILED

    raise typer.Exit(asyncio.run(answered(open_screen(json=json))))


def answer_page(told: Told) -> Text:
    """The sentences with their sources below, or what is not known."""
    if not told.statements:
        return Text(told.why)
    text = Text("\n").join(Text(statement.text, style="bold") for statement in told.statements)
    sources = dict.fromkeys(_line(source) for statement in told.statements for source in statement.sources)
    for line in sources:
        text.append(f"\n  from {line}", style="dim")
    return text


def _line(source: Source) -> str:
    args = " ".join(f"{name}={brief({'': value}, most=80).strip()}" for name, value in source.args.items())
    return f"{source.tool}{f' {args}' if args else ''}, {moment(source.at)}"
