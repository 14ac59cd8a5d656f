"""Commands about reviews: list them, answer them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.text import Text

from governance.errors import InvalidInput
from governance.reviews import Choice, ReviewKind, Verdict, fill_in
from governance.reviews import approve as approved
from governance.reviews import edit as edited
from governance.reviews import reject as rejected
from governance.reviews import respond as responded
from governance.runs import ReviewRow
from surfaces.cli.exits import Status
from surfaces.cli.inputs import read_object, read_settings_of
from surfaces.cli.options import By, Json, Reason, ReviewId, Wait
from surfaces.cli.review_page import ANSWERS, answers_to, review_card, review_list, verdict_line, ways
from surfaces.cli.runs import TAKEN_UP, go_on, require_reason
from surfaces.cli.screen import Screen, open_screen
from surfaces.cli.session import acting, know, one_run, opened, read_settings
from surfaces.cli.shapes import plain
from surfaces.cli.timeline import namer

PANEL = "Reviews"
SAYINGS = tuple(saying for sayings in ANSWERS.values() for saying in sayings)


def reviews(
    mine: Annotated[bool, typer.Option("--mine", help="Only those that --by may decide.")] = False,
    run: Annotated[str | None, typer.Option("--run", metavar="RUN", help="Only those of this run.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Answered and withdrawn ones too.")] = False,
    by: By = "",
    json: Json = False,
) -> None:
    """List what waits for people; with one review left, all of it."""

    async def listed(screen: Screen) -> Status:
        settings = read_settings()
        known = know(settings)
        person = acting(known.directory, by) if mine else None
        async with opened(screen, settings, known) as steward:
            wanted = await one_run(steward, run) if run else None
            rows = await steward.reviews(person=person, run=wanted, open_only=not every)
            name = namer(steward.directory)
            if screen.json:
                screen.data(plain(rows))
            elif not rows:
                screen.show(Text(f"Nothing waits for {person.name}." if person else "Nothing waits for anybody."))
            elif len(rows) == 1:
                screen.show(review_card(rows[0], name, steward.clock.now()))
            else:
                screen.show(review_list(rows, name, steward.clock.now()))
        return Status.OK

    raise typer.Exit(asyncio.run(listed(open_screen(json=json))))


def approve(review: ReviewId, reason: Reason = "", by: By = "", wait: Wait = True, json: Json = False) -> None:
    """Say yes to exactly the action that is shown; then work on the run."""
    _decide(review, by, lambda _: approved(reason=reason), wait=wait, json=json)


def reject(review: ReviewId, reason: Reason = "", by: By = "", wait: Wait = True, json: Json = False) -> None:
    """Say no, with a reason that the requester will read."""
    require_reason(reason, "reject")
    _decide(review, by, lambda _: rejected(reason=reason), wait=wait, json=json)


def edit(
    review: ReviewId,
    changes: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="One argument as it should be; repeatable.")
    ] = None,
    args: Annotated[
        Path | None, typer.Option("--args", metavar="FILE", help="All arguments as they should be, as JSON or YAML.")
    ] = None,
    reason: Reason = "",
    by: By = "",
    wait: Wait = True,
    json: Json = False,
) -> None:
    """Say: not so, but with these arguments. They are checked like the plan was."""
    require_reason(reason, "edit")
    if not changes and args is None:
        raise InvalidInput(
            "An edit needs the arguments as they should be.", hint="Give --set name=value or --args FILE"
        )

    read_settings_of(changes or (), {})  # said before anything is started

    def verdict(row: ReviewRow) -> Verdict:
        present = read_object(args) if args is not None else dict(row.card.args)
        return edited(read_settings_of(changes or (), present), reason=reason)

    _decide(review, by, verdict, wait=wait, json=json)


def answer(
    review: ReviewId,
    said: Annotated[str, typer.Argument(metavar="ANSWER", help=f"{' | '.join(SAYINGS)}; none for a form.")] = "",
    fields: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="One field of a form; repeatable.")
    ] = None,
    reason: Reason = "",
    by: By = "",
    wait: Wait = True,
    json: Json = False,
) -> None:
    """Answer another question: did a call happen, how does a parked run go on, what goes into a form?"""
    if fields and not said:
        read_settings_of(fields, {})  # said before anything is started
        _decide(review, by, lambda row: fill_in(_fields(fields, row), reason=reason), wait=wait, json=json)
        return
    responses: dict[str, Literal["happened", "did_not_happen", "resume", "undo", "close"]] = {
        "happened": "happened",
        "did-not-happen": "did_not_happen",
        "did_not_happen": "did_not_happen",
        "resume": "resume",
        "undo": "undo",
        "close": "close",
    }
    if said not in responses:
        hint = f"It is one of {', '.join(SAYINGS)}, or --set name=value for a form"
        raise InvalidInput(f"{said or 'Nothing'} is no answer.", hint=hint)
    _decide(review, by, lambda _: responded(responses[said], reason=reason), wait=wait, json=json)


def _fields(pairs: list[str], row: ReviewRow) -> dict[str, Any]:
    """A form's fields; those that are texts stay texts, also where they look like numbers."""
    known = row.card.args.get("schema", {}).get("properties", {})
    texts = {name: "" for name, field in known.items() if field.get("type") == "string"}
    given = read_settings_of(pairs, texts)
    return {name: value for name, value in given.items() if name not in texts or value != ""}


def _decide(review: str, by: str, verdict: Callable[[ReviewRow], Verdict], *, wait: bool, json: bool) -> None:
    screen = open_screen(json=json)
    raise typer.Exit(asyncio.run(_decided(screen, review, by, verdict, wait=wait)))


async def _decided(
    screen: Screen, review: str, by: str, verdict: Callable[[ReviewRow], Verdict], *, wait: bool
) -> Status:
    settings = read_settings()
    known = know(settings)
    person = acting(known.directory, by)
    async with opened(screen, settings, known) as steward:
        row = await steward.review(review)
        before = await steward.show(row.card.run_id)
        given = verdict(row)
        _require_kind(row, given)
        decided = await steward.decide(row.card.id, given, by=person)
        screen.show(verdict_line(decided, namer(steward.directory)))
        if not wait:
            if screen.json:
                screen.data(plain(decided))
            screen.show(Text(TAKEN_UP, style="dim"))
            return Status.OK
        strict = row.card.kind is ReviewKind.PARKED
        return await go_on(screen, steward, row.card.run_id, strict=strict, after=len(before.timeline))


def _require_kind(row: ReviewRow, given: Verdict) -> None:
    """Raises InvalidInput, with the commands that fit, for an answer to another kind of question."""
    card = row.card
    fits = given.choice in card.allowed
    if fits and given.choice is Choice.RESPOND and card.kind is ReviewKind.FORM:
        fits = given.response == "answered"
    elif fits and given.choice is Choice.RESPOND:
        fits = given.response.replace("_", "-") in answers_to(card)
    if not fits:
        raise InvalidInput(f"{card.id} asks something else: {card.question}", hint=f"Answer it with {_or(ways(card))}")


def _or(commands: list[str]) -> str:
    return " or ".join(f"`{command}`" for command in commands)
