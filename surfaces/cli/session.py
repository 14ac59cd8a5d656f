"""How a command begins: settings, what Steward knows, the application, and who acts."""

from __future__ import annotations

import difflib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from pydantic import ValidationError

from governance.errors import InvalidInput, InvalidSettings, NotFound
from governance.findings import Finding
from governance.people import Directory, Person
from runtime.settings import Settings
from surfaces.cli.screen import Screen
from surfaces.cli.timeline import moment
from surfaces.cli.traces import log_to_file, log_to_screen

SHORTEST = 4
WHOLE = 36
LATEST = 1_000
"""Digits that a beginning has at least, characters of a whole id, and how many runs candidates are looked for among."""

if TYPE_CHECKING:
    from runtime.application import Application
    from runtime.knowledge import Knowledge


def read_settings() -> Settings:
    """The settings of this process. Raises InvalidSettings, naming every variable that does not hold."""
    try:
        return Settings()
    except ValidationError as error:
        findings = [
            Finding(code="setting", place=f"STEWARD_{'_'.join(map(str, part['loc'])).upper()}", sentence=part["msg"])
            for part in error.errors(include_input=False)
        ]
        raise InvalidSettings("The settings cannot be used.", findings=findings) from error


def know(settings: Settings) -> Knowledge:
    """Tools, playbooks and people; no database is touched. Raises InvalidSettings."""
    from runtime.knowledge import load_knowledge  # noqa: PLC0415 - loads every tool; `--help` must not wait for that

    return load_knowledge(settings.home)


@asynccontextmanager
async def opened(
    screen: Screen,
    settings: Settings | None = None,
    knowledge: Knowledge | None = None,
    *,
    serving: bool = False,
) -> AsyncIterator[Application]:
    """The application, with its database started or found; ``serving``: log lines are for the screen.

    Raises:
        InvalidSettings: a setting or a company's file cannot be used.
        DatabaseUnavailable: PostgreSQL cannot be reached or started.

    """
    settings = settings or read_settings()
    if serving:
        log_to_screen(settings.log_level)
    else:
        log_to_file(settings.state, settings.log_level)
    async with AsyncExitStack() as stack:
        with screen.busy("Reaching the database …" if settings.database_url else "Starting PostgreSQL …"):
            from runtime.wiring import build  # noqa: PLC0415 - a second of imports; `--help` must not wait for it

            steward = await stack.enter_async_context(build(settings, knowledge=knowledge))
        yield steward


@asynccontextmanager
async def deciding(
    screen: Screen, settings: Settings, known: Knowledge
) -> AsyncIterator[tuple[Knowledge, Application | None]]:
    """What Steward knows, with those who decide; where that is a model, the application too: its calls are counted there.

    Raises what ``opened`` raises.
    """
    screen.say(settings.who_decides, style="dim")
    if not settings.has_model:
        yield known, None
        return
    async with opened(screen, settings, known) as steward:
        yield steward.knowledge, steward


async def one_run(steward: Application, text: str) -> str:
    """``text``, unless it begins the ids of several runs.

    Raises:
        NotFound: it does; the findings are the candidates among the latest runs.

    """
    beginning = text.strip().lower()
    if len(beginning) < SHORTEST or len(beginning) >= WHOLE:
        return text
    rows = [row for row in await steward.runs(limit=LATEST) if row.id.startswith(beginning)]
    if not rows[1:]:
        return text
    found = [Finding(code="run", place=row.id, sentence=f"{row.title}, {moment(row.admitted_at)}") for row in rows[:10]]
    raise NotFound(f"{len(rows)} runs begin with {text}.", hint="Give more of the id", findings=found)


def acting(directory: Directory, by: str) -> Person:
    """The person who acts.

    Raises:
        InvalidInput: nobody is named.
        NotFound: the name is not in the directory.

    """
    if not by.strip():
        raise InvalidInput(
            "Nobody is named as the one who acts.",
            hint="Give --by EMAIL or set STEWARD_USER; `steward people` lists who is known",
        )
    person = directory.find(by)
    if person is None:
        near = _nearest(by.casefold(), [known.id for known in directory.everyone()])
        hint = f"Did you mean {near}?" if near else "`steward people` lists who is known"
        raise NotFound(f"{by} is not in the directory.", hint=hint)
    return person


def _nearest(by: str, known: list[str]) -> str:
    """The address whose part before the @ is nearly this one; what all addresses share makes nobody near."""
    names = {address.partition("@")[0]: address for address in known}
    near = difflib.get_close_matches(by.partition("@")[0], names, n=1, cutoff=0.75)
    return names[near[0]] if near else ""
