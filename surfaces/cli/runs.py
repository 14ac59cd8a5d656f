"""Commands about runs: begin, look, send on, stop, erase."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from governance.budgets import Raise
from governance.errors import InvalidInput, Refused
from governance.events import ENDED, RunStatus
from governance.priority import Priority
from governance.reviews import ReviewStatus
from runtime.views import RunView
from surfaces.cli.asking import Terminal
from surfaces.cli.board import board, watch
from surfaces.cli.exits import Status
from surfaces.cli.options import By, Json, PlaybookName, Reason, RequestFile, RequestText, RunId, Urgency, Wait, Yes
from surfaces.cli.plan_page import preview_page, undo_part
from surfaces.cli.run_page import run_list, run_page, standing, way_on
from surfaces.cli.screen import Screen, open_screen, rule
from surfaces.cli.session import acting, deciding, know, one_run, opened, read_settings
from surfaces.cli.shapes import plain, run_shape
from surfaces.cli.tables import short
from surfaces.cli.timeline import namer

if TYPE_CHECKING:
    from runtime.application import Application

PANEL = "Runs"
TAKEN_UP = "A worker takes it up: `steward up`, or `steward worker`."
ACTS = {"cancel": "Cancelling", "resume": "Resuming", "erase": "Erasing", "reject": "Rejecting", "edit": "Editing"}


def run(
    playbook: PlaybookName,
    request: RequestFile = None,
    text: RequestText = None,
    by: By = "",
    priority: Urgency = None,
    wait: Wait = True,
    json: Json = False,
) -> None:
    """Begin a run, work on it and watch it until it ends or waits for people."""
    said = (playbook, request, text, by)
    raise typer.Exit(asyncio.run(_run(open_screen(json=json), said, priority=priority, wait=wait)))


async def _run(
    screen: Screen, said: tuple[str, Path | None, str | None, str], *, priority: Priority | None, wait: bool
) -> Status:
    from surfaces.cli.understanding import asked_for  # noqa: PLC0415 - `--help` must not wait for it

    playbook, file, text, by = said
    settings = read_settings()
    known = know(settings)
    person = acting(known.directory, by)
    async with AsyncExitStack() as stack:
        known, steward = await stack.enter_async_context(deciding(screen, settings, known))
        asked = await asked_for(screen, known, playbook, person, file=file, text=text)
        if steward is None:
            steward = await stack.enter_async_context(opened(screen, settings, known))
        row = await steward.start(
            asked.playbook.id,
            asked.request,
            by=person,
            source="cli",
            understanding=asked.understanding,
            priority=priority,
        )
        screen.say(f"Run {row.id} is admitted.", style="dim")
        if not wait:
            screen.show(Text(TAKEN_UP))
            return _told(screen, await steward.show(row.id))
        return await go_on(screen, steward, row.id, strict=True)


def plan(
    playbook: PlaybookName, request: RequestFile = None, text: RequestText = None, by: By = "", json: Json = False
) -> None:
    """Show what a run would do: plan, findings, reviews to come, undo list. Touches nothing."""
    raise typer.Exit(asyncio.run(_plan(open_screen(json=json), playbook, request, text, by)))


async def _plan(screen: Screen, playbook: str, file: Path | None, text: str | None, by: str) -> Status:
    from runtime.preview import preview  # noqa: PLC0415 - `--help` must not wait for it
    from surfaces.cli.understanding import asked_for  # noqa: PLC0415 - `--help` must not wait for it

    settings = read_settings()
    known = know(settings)
    person = acting(known.directory, by)
    async with deciding(screen, settings, known) as (known, _):
        asked = await asked_for(screen, known, playbook, person, file=file, text=text)
        found = await preview(known, asked.playbook.id, asked.request, person)
    if screen.json:
        screen.data(plain(found))
    screen.show(preview_page(found, namer(known.directory), screen.out.width))
    return Status.OK if found.plan is not None else Status.FAILED


def runs(
    status: Annotated[
        RunStatus | None, typer.Option("--status", case_sensitive=False, help="Only runs that stand so.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="At most so many.")] = 50,
    json: Json = False,
) -> None:
    """List runs, the newest first."""

    async def listed(screen: Screen) -> Status:
        async with opened(screen) as steward:
            rows = await steward.runs(limit=limit, status=status)
            if screen.json:
                screen.data(plain(rows))
            elif rows:
                screen.show(run_list(rows, namer(steward.directory), screen.out.width))
            else:
                screen.show(Text("No runs" + (f" that are {status.value}." if status else " yet.")))
        return Status.OK

    raise typer.Exit(asyncio.run(listed(open_screen(json=json))))


def show(run_id: RunId, json: Json = False) -> None:
    """Show a run: plan, steps, reviews, decisions with reason and confidence, undo list, timeline."""

    async def shown(screen: Screen) -> Status:
        async with opened(screen) as steward:
            view = await steward.show(await one_run(steward, run_id))
            if screen.json:
                screen.data(run_shape(view))
            screen.show(run_page(view, namer(steward.directory), screen.out.width))
        return Status.OK

    raise typer.Exit(asyncio.run(shown(open_screen(json=json))))


def cancel(run_id: RunId, reason: Reason = "", by: By = "", wait: Wait = True, json: Json = False) -> None:
    """Stop a run. Calls in flight end first; then what was done is taken back, newest first, where it can be."""
    raise typer.Exit(asyncio.run(_tell(open_screen(json=json), "cancel", run_id, reason, by, wait=wait)))


More = Annotated[
    list[str] | None,
    typer.Option("--more", metavar="NAME=NUMBER", help="More steps, calls, money or hours: calls=500; repeatable."),
]


def resume(
    run_id: RunId, reason: Reason = "", by: By = "", more: More = None, wait: Wait = True, json: Json = False
) -> None:
    """Send a parked run on: what failed is tried again."""
    screen = open_screen(json=json)
    raise typer.Exit(asyncio.run(_tell(screen, "resume", run_id, reason, by, wait=wait, more=more or ())))


def _raise(more: Sequence[str]) -> Raise:
    """What ``--more`` adds. Raises InvalidInput."""
    try:
        return Raise.model_validate({name: float(value) for name, _, value in (each.partition("=") for each in more)})
    except ValueError:
        hint = "Write it like --more calls=500; there are steps, calls, money and hours."
        raise InvalidInput("That cannot be added to a budget.", hint=hint) from None


async def _tell(
    screen: Screen, what: str, run_id: str, reason: str, by: str, *, wait: bool, more: Sequence[str] = ()
) -> Status:
    settings = read_settings()
    known = know(settings)
    person = acting(known.directory, by)
    require_reason(reason, what)
    async with opened(screen, settings, known) as steward:
        before = await steward.show(await one_run(steward, run_id))
        if what == "cancel":
            row = await steward.cancel(before.row.id, reason=reason, by=person)
        else:
            row = await steward.resume(before.row.id, reason=reason, by=person, more=_raise(more))
        if what == "cancel" and before.undo:
            screen.show(rule("What was done is taken back, newest first"), undo_part(before.undo), Text())
        if not wait:
            screen.show(Text(f"Left for run {row.id}. {TAKEN_UP}"))
            return _told(screen, await steward.show(row.id))
        return await go_on(screen, steward, row.id, strict=what == "resume", after=len(before.timeline))


def fork(
    run_id: RunId,
    at: Annotated[int | None, typer.Option("--at", min=1, help="From this event on; default: the last.")] = None,
    by: By = "",
    json: Json = False,
) -> None:
    """Try what would happen from an event on: simulated, on a thread of its own. The run is not touched."""

    async def forked(screen: Screen) -> Status:
        settings = read_settings()
        known = know(settings)
        person = acting(known.directory, by)
        async with opened(screen, settings, known) as steward:
            view = await steward.fork(await one_run(steward, run_id), by=person, at=at)
            if screen.json:
                screen.data(run_shape(view))
            screen.show(Text("A fork: everything from here on is simulated, and the run itself is as it was.\n"))
            screen.show(run_page(view, namer(steward.directory), screen.out.width))
        return Status.OK

    raise typer.Exit(asyncio.run(forked(open_screen(json=json))))


def erase(run_id: RunId, reason: Reason = "", by: By = "", yes: Yes = False, json: Json = False) -> None:
    """Erase the personal data of an ended run for good: final, nobody can bring it back. Its journal stays verifiable."""

    async def erased(screen: Screen) -> Status:
        settings = read_settings()
        known = know(settings)
        person = acting(known.directory, by)
        require_reason(reason, "erase")
        async with opened(screen, settings, known) as steward:
            view = await steward.show(await one_run(steward, run_id))
            _require_ended(view)
            if not yes and not await _is_meant(screen, view):
                screen.say("Nothing was erased.")
                return Status.INTERRUPTED
            row = await steward.erase(view.row.id, reason=reason, by=person)
            if screen.json:
                screen.data(plain(row))
            held = f"`steward audit verify {short(row.id)}` still holds."
            screen.show(Text(f"The personal data of run {row.id} is erased. That is final. {held}"))
        return Status.OK

    raise typer.Exit(asyncio.run(erased(open_screen(json=json))))


def _require_ended(view: RunView) -> None:
    """Raises Refused, with the way to end the run."""
    if view.row.status in ENDED:
        return
    hint = way_on(view, end=True) or f'End it first: `steward cancel {short(view.row.id)} --reason "…"`'
    raise Refused(f"Run {short(view.row.id)} has not ended, so it cannot be erased.", hint=hint)


async def _is_meant(screen: Screen, view: RunView) -> bool:
    """Ask, where somebody is there to answer."""
    if not screen.can_ask:
        return True
    screen.show(Text(f"{view.row.title} [{short(view.row.id)}]: this cannot be taken back.", style="yellow"))
    return await Terminal(screen).choose("Erase its personal data for good?", ("yes", "no")) == "yes"


def require_reason(reason: str, what: str) -> None:
    """Raises InvalidInput when there is none: others will read it."""
    if not reason.strip():
        raise InvalidInput(f"{ACTS[what]} needs a reason.", hint='Give --reason "…": it is what others will read')


async def go_on(screen: Screen, steward: Application, run_id: str, *, strict: bool, after: int = 0) -> Status:
    """Work on a run and show it until it is at rest; ``strict``: FAILED when it is parked then."""
    name = namer(steward.directory)
    async with steward.working():
        with board(screen, name, after=after) as shown:
            view = await watch(steward, run_id, shown)
    screen.show(Text(), standing(view, name))
    _say_how_to_go_on(screen, view)
    status = _told(screen, view)
    return Status.FAILED if strict and view.row.status is RunStatus.PARKED else status


def _say_how_to_go_on(screen: Screen, view: RunView) -> None:
    run_id = short(view.row.id)
    if view.row.status is RunStatus.PARKED:
        screen.show(Text(f"\n{way_on(view)}", style="cyan"))
    elif any(review.status is ReviewStatus.OPEN for review in view.reviews):
        screen.show(Text(f"\nNothing is lost meanwhile. See it with: steward show {run_id}", style="dim"))
    else:
        screen.show(Text(f"\nMore: steward show {run_id}; steward audit verify {run_id}", style="dim"))


def _told(screen: Screen, view: RunView) -> Status:
    if screen.json:
        screen.data(run_shape(view))
    return Status.OK
