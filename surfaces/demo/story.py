"""The demo, scene by scene."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import dataclass
from datetime import date
from time import monotonic

from dateutil.relativedelta import relativedelta
from rich.text import Text

from agents.ports import NotUnderstood
from governance.errors import Unavailable
from governance.events import RunStatus
from governance.people import Person
from governance.reviews import Choice, ReviewKind, ReviewStatus
from runtime.settings import Settings
from runtime.views import RunView
from surfaces.cli.asking import Terminal
from surfaces.cli.board import Lines, board, views
from surfaces.cli.exits import Status
from surfaces.cli.plan_page import decision_line, findings_part, graph, reasons, rulings_part
from surfaces.cli.run_page import standing
from surfaces.cli.screen import Screen, rule
from surfaces.cli.timeline import Namer, namer
from surfaces.cli.understanding import understood_table
from surfaces.demo.acceptance import judge
from surfaces.demo.finale import show_result, show_way_on
from surfaces.demo.stage import Stage, clear, demo_settings, stage
from surfaces.demo.voices import Voices

REQUESTER = "katherine.johnson@acme.example"


@dataclass(frozen=True)
class Play:
    """What the scenes share."""

    screen: Screen
    stage: Stage
    by: Person
    name: Namer


def sentence(today: date) -> str:
    """What Katherine Johnson asks for: somebody who starts on the first of the month after next."""
    start = today.replace(day=1) + relativedelta(months=2)
    return (
        f"Onboard Ada Lovelace as a software engineer in R&D, starting {start.isoformat()}, "
        "manager grace.hopper@acme.example"
    )


async def tell_story(screen: Screen, settings: Settings, *, keep: bool, ask: bool) -> Status:
    """Play the demo. OK only if all nine systems hold the right record exactly once and the journal proves it."""
    began = monotonic()
    settings = demo_settings(settings)
    screen.show(Text("Steward: one sentence, nine systems, and a journal that proves it", style="bold"))
    screen.show(rule("1  A company and a database, just for this"))
    if not keep:
        with screen.busy("Clearing away the last demo …"):
            await clear(settings.state)
    async with stage(screen, settings) as set_up:
        person = set_up.steward.directory.find(REQUESTER)
        if person is None:
            raise Unavailable(f"{REQUESTER} is not in the demo's directory.")
        play = Play(screen, set_up, person, namer(set_up.steward.directory))
        await _open(play, settings, monotonic() - began)
        run_id = await _ask(play)
        asks = ask and screen.can_ask
        voices = Voices(screen, set_up.steward, play.name, Terminal(screen) if asks else None)
        async with set_up.steward.working():
            await _plan(play, run_id)
            view = await _act(play, run_id, voices)
        return await _close(play, view, settings, began)


async def _open(play: Play, settings: Settings, seconds: float) -> None:
    await play.stage.acme.order_faults()
    play.screen.show(
        Text(f"✓ PostgreSQL, a worker, and Acme with its systems run after {seconds:.1f} s ({settings.state}).")
    )
    play.screen.show(
        Text(
            "! To make it interesting, training will answer 503 once, and facilities will assign a desk and then "
            "never answer: nobody can know from outside whether that happened."
        ),
    )


async def _ask(play: Play) -> str:
    """Say the sentence, show how it is understood, begin the run; its id."""
    steward, screen = play.stage.steward, play.screen
    words = sentence(steward.clock.now().astimezone().date())
    screen.show(rule("2  A sentence becomes a request"), Text(f"{play.by.name}: “{words}”", style="italic"), Text())
    found = await steward.understand(words, by=play.by)
    if isinstance(found, NotUnderstood) or not found.ready:
        raise Unavailable(f"The demo's own sentence was not understood: {found}")
    playbook = next(known for known in steward.playbooks() if known.id == found.playbook)
    screen.show(understood_table(playbook, found), decision_line(found.decision))
    row = await steward.start(found.playbook, found.request, by=play.by, source="demo", understanding=found.decision)
    return row.id


async def _plan(play: Play, run_id: str) -> None:
    """Show the plan as soon as it is checked."""
    screen = play.screen
    async with aclosing(views(play.stage.steward, run_id)) as seen:
        async for view in seen:
            if view.plan is not None and any(entry.kind == "plan.checked" for entry in view.timeline):
                break
    if view.plan is None:
        return
    rulings = [step.ruling for step in view.steps if step.ruling is not None]
    written = next((decision for decision in view.decisions if decision.kind.value == "plan"), None)
    screen.show(rule("3  The request becomes a plan"))
    if written is not None:
        screen.show(decision_line(written))
    screen.show(
        graph(view.plan, {step.id: step.needs for step in view.steps}, rulings, width=screen.out.width),
        Text(),
        reasons(view.plan),
        rule("4  The checker reads it like a compiler"),
        findings_part(view.findings),
        rule("5  The policy rules on each step"),
        rulings_part(rulings, play.name),
        rule("6  People decide, machines act, meanwhile"),
    )


async def _act(play: Play, run_id: str, voices: Voices) -> RunView:
    """Show each step as it runs; put each question as it comes up. How the run stands at the end."""
    lines = Lines(play.screen, play.name)
    while True:
        with board(play.screen, play.name) as drawing:
            shown = drawing if play.screen.live else lines
            async with aclosing(views(play.stage.steward, run_id)) as seen:
                async for view in seen:
                    shown.show(view)
                    if _questions(view):
                        break
        if not _questions(view):
            return view
        for review in await play.stage.steward.reviews(run=run_id):
            if review.card.kind is not ReviewKind.PARKED:
                await voices.answer(review)


def _questions(view: RunView) -> bool:
    """Whether a question is open that somebody in the demo answers; a parked run is its end."""
    return any(
        review.status is ReviewStatus.OPEN and review.card.kind is not ReviewKind.PARKED for review in view.reviews
    )


async def _close(play: Play, view: RunView, settings: Settings, began: float) -> Status:
    screen, acme = play.screen, play.stage.acme
    if view.row.status is not RunStatus.DONE:
        screen.show(rule("7  The run stopped"), standing(view, play.name), Text())
        if any(review.verdict is not None and review.verdict.choice is Choice.REJECT for review in view.reviews):
            screen.show(
                Text("A no is a legitimate end: nothing more was done, and the list says how to undo the rest.")
            )
        screen.say("The nine systems do not hold Ada's records, so the demo ends with status 1.", style="yellow")
        show_way_on(screen, settings, view.row.id)
        return Status.FAILED
    verified = await play.stage.steward.verify(view.row.id)
    result = judge(view.request, await acme.records(), await acme.effects(), view.timeline, verified)
    show_result(screen, result, view)
    if result.wrong:
        screen.say("The demo does not hold what it promises:", style="red")
        for sentence_ in result.wrong:
            screen.say(f"  {sentence_}")
        return Status.FAILED
    screen.show(Text(f"\n✓ All of it holds, after {monotonic() - began:.1f} s.", style="bold green"))
    show_way_on(screen, settings, view.row.id)
    return Status.OK
