"""Commands about confidence and autonomy: what decisions were worth, and which rules people allow because of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from governance.autonomy import AutonomyRule, RuleStatus
from governance.errors import InvalidInput
from governance.people import Person
from surfaces.cli.exits import Status
from surfaces.cli.options import By, Json, Reason
from surfaces.cli.screen import Screen, open_screen
from surfaces.cli.session import acting, know, opened, read_settings
from surfaces.cli.shapes import plain
from surfaces.cli.tables import count, listing, pairs, short
from surfaces.cli.timeline import Namer, moment, namer

if TYPE_CHECKING:
    from runtime.application import Application
    from runtime.views import KindFigures

PANEL = "Trust"
autonomy = typer.Typer(help="See which rules experience proposes, and decide on them.")
RuleId = Annotated[str, typer.Argument(metavar="RULE", help="A rule's id, or the beginning of it.")]
_STYLES = {"proposed": "yellow", "ratified": "green", "suspended": "red", "rejected": "dim", "expired": "dim"}


def calibrate(json: Json = False) -> None:
    """Score what was decided since the last time, and propose rules where experience speaks for them."""

    async def caught_up(screen: Screen) -> Status:
        async with opened(screen) as steward:
            with screen.busy("Reading journals …"):
                read = await steward.autonomy.catch_up()
            rules = await steward.autonomy.listed()
        waiting = [rule for rule in rules if rule.status is RuleStatus.PROPOSED]
        if screen.json:
            screen.data({"runs_read": read, "proposed": [rule.id for rule in waiting]})
        told = f"{count(read, 'run')} read; {count(len(waiting), 'proposal')} for people to decide on"
        screen.show(Text(f"{told}{': `steward autonomy`' if waiting else ''}."))
        return Status.OK

    raise typer.Exit(asyncio.run(caught_up(open_screen(json=json))))


def calibration(
    picture: Annotated[
        Path | None, typer.Option("--picture", metavar="FILE", help="Draw the reliability diagram as SVG.")
    ] = None,
    json: Json = False,
) -> None:
    """Show how well each kind of decision knows itself, and what experience makes of its confidence."""

    async def shown(screen: Screen) -> Status:
        async with opened(screen) as steward:
            with screen.busy("Reading journals …"):
                await steward.autonomy.catch_up()
            found = await steward.autonomy.calibration()
        if picture is not None:
            _draw(picture, found)
        if screen.json:
            screen.data(plain(found))
        if not found:
            screen.show(Text("Nothing that was decided has come to its end yet, so there is nothing to say."))
            return Status.OK
        screen.show(_figures(found), Text(), Text(_READING, style="dim"))
        if picture is not None:
            screen.say(f"The reliability diagram is in {picture}.")
        return Status.OK

    raise typer.Exit(asyncio.run(shown(open_screen(json=json))))


_READING = (
    "right: nobody overrode it and it worked. Brier and error: 0 is perfect. better: Brier against somebody who only knows "
    "the share of right ones, 95 % for certain (below 0 is better). corrected: Brier and error when the others of its kind correct it."
)


@autonomy.callback(invoke_without_command=True)
def listed(
    context: typer.Context,
    every: Annotated[bool, typer.Option("--all", help="Rejected, suspended and expired ones too.")] = False,
    json: Json = False,
) -> None:
    """List the rules that are proposed or hold, with what they rest on."""
    if context.invoked_subcommand is not None:
        return

    async def found(screen: Screen) -> Status:
        async with opened(screen) as steward:
            with screen.busy("Reading journals …"):
                await steward.autonomy.catch_up()
            rules = await steward.autonomy.listed(every=every)
            if screen.json:
                screen.data(plain(rules))
            elif not rules:
                screen.show(Text("No rule is proposed, and none holds: what the policy gates, people answer."))
            else:
                screen.show(_rules(rules, namer(steward.directory)))
        return Status.OK

    raise typer.Exit(asyncio.run(found(open_screen(json=json))))


@autonomy.command()
def ratify(
    rule: RuleId,
    until: Annotated[datetime, typer.Option("--until", metavar="DATE", formats=["%Y-%m-%d"], help="Its last day.")],
    reason: Reason = "",
    by: By = "",
    json: Json = False,
) -> None:
    """Let a proposed rule hold to the end of a day. Not for whom it rests on: four eyes."""
    last = until.date()
    _decide(by, json, lambda steward, person: _ratified(steward, rule, last, person, reason))


@autonomy.command()
def reject(rule: RuleId, reason: Reason = "", by: By = "", json: Json = False) -> None:
    """Say no to a proposal; the counting begins anew."""
    _decide(by, json, lambda steward, person: steward.autonomy.reject(rule, reason=reason, by=person))


@autonomy.command()
def suspend(rule: RuleId, reason: Reason = "", by: By = "", json: Json = False) -> None:
    """End a rule that holds, at once."""
    _decide(by, json, lambda steward, person: steward.autonomy.suspend(rule, reason=reason, by=person))


async def _ratified(steward: Application, rule: str, until: date, person: Person, reason: str) -> AutonomyRule:
    return await steward.autonomy.ratify(rule, until=until, by=person, reason=reason)


def _decide(by: str, json: bool, act: Callable[[Application, Person], Awaitable[AutonomyRule]]) -> None:
    async def decided(screen: Screen) -> Status:
        settings = read_settings()
        known = know(settings)
        person = acting(known.directory, by)
        async with opened(screen, settings, known) as steward:
            rule = await act(steward, person)
            if screen.json:
                screen.data(plain(rule))
            screen.show(_page(rule, namer(steward.directory)))
        return Status.OK

    raise typer.Exit(asyncio.run(decided(open_screen(json=json))))


def _draw(path: Path, found: Sequence[KindFigures]) -> None:
    from surfaces.cli.reliability import reliability_svg  # noqa: PLC0415 - for the one option that draws

    panels = {}
    for figures in found:
        panels[f"{figures.kind}, as stated"] = figures.stated
        if figures.corrected is not None:
            panels[f"{figures.kind}, corrected"] = figures.corrected
    try:
        path.write_text(reliability_svg("How sure, and how many right", panels), encoding="utf-8")
    except OSError as error:
        raise InvalidInput(f"{path} cannot be written: {error.strerror}.", hint="Give another file.") from error


def _figures(found: Sequence[KindFigures]) -> Table:
    table = listing("kind", "n", "right", "sure", "Brier", "better", "error", "corrected")
    for figures in found:
        stated, after = figures.stated, figures.corrected
        low, high = stated.difference
        corrected = f"{after.brier:.3f}, {after.ece:.3f}" if after else "too few"
        table.add_row(
            figures.kind,
            f"{stated.n:,}",
            f"{stated.base_rate:.0%}",
            f"{stated.mean:.0%}",
            f"{stated.brier:.3f}",
            f"{low:+.3f} to {high:+.3f}",
            f"{stated.ece:.3f}",
            corrected,
        )
    return table


def _rules(rules: Sequence[AutonomyRule], name: Namer) -> RenderableType:
    parts: list[RenderableType] = []
    for rule in rules:
        parts += [_page(rule, name), Text()]
    return Group(*parts[:-1])


def _page(rule: AutonomyRule, name: Namer) -> RenderableType:
    """One rule: what it would change, what it rests on, where it stands, and how to decide on it."""
    evidence = rule.evidence
    runs = ", ".join(short(run) for run in evidence.runs[-5:])
    more = f" and {len(evidence.runs) - 5} more: --json" if len(evidence.runs) > 5 else ""
    lines: list[tuple[str, str | Text]] = [
        ("rule", Text.assemble((rule.id, "bold"), "  ", (rule.status.value, _STYLES[rule.status.value]))),
        ("would", _effect(rule)),
        ("because", f"{rule.because} ({moment(evidence.first)[:10]} to {moment(evidence.last)[:10]})"),
        ("runs", f"{runs}{more}"),
    ]
    if rule.decided_by:
        until = f", until {moment(rule.until)}" if rule.until else ""
        lines.append(("decided", f"by {name(rule.decided_by)} {moment(rule.decided_at)}{until}"))
    if rule.why:
        lines.append(("why", rule.why))
    if rule.status is RuleStatus.PROPOSED:
        lines += [
            ("answer", Text(f"steward autonomy ratify {rule.id} --until DATE --by EMAIL", style="cyan")),
            ("", Text(f'steward autonomy reject {rule.id} --reason "…" --by EMAIL', style="cyan")),
        ]
    if rule.status is RuleStatus.RATIFIED:
        lines.append(("end it", Text(f'steward autonomy suspend {rule.id} --reason "…" --by EMAIL', style="cyan")))
    return pairs(lines)


def _effect(rule: AutonomyRule) -> str:
    where = f"{rule.tool} in {rule.playbook}"
    if rule.terms is None:
        return f"ask {' or '.join(rule.approvers)} before {where}, which goes by {' and '.join(rule.answers)} now"
    terms = rule.terms
    most = "" if terms.amount_at_most is None else f", for amounts up to {terms.amount_at_most:,.0f}"
    return (
        f"approve {where} without a person where {' and '.join(rule.answers)} asks one: when {terms.decider} advises it, "
        f"experience makes that at least {terms.confidence_at_least:.0%} sure from {terms.minimum} decisions or more{most}"
    )
