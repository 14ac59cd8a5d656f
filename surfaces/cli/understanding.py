"""From a file or a sentence to a request: what was understood, what is missing, and asking for it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from agents.ports import NotUnderstood, Understood
from governance.decisions import Decision
from governance.errors import InvalidInput, InvalidRequest
from governance.findings import Finding
from governance.people import Person
from playbooks.model import Playbook
from playbooks.requests import complete, request_findings
from surfaces.cli.asking import Terminal
from surfaces.cli.inputs import read_object, read_words
from surfaces.cli.plan_page import decision_line, request_table
from surfaces.cli.screen import Screen, rule

if TYPE_CHECKING:
    from runtime.knowledge import Knowledge

Understand = Callable[[str, Understood | None], Awaitable[Understood | NotUnderstood]]


@dataclass(frozen=True)
class Asked:
    """A request that is ready to run, and the decision by which words became it (None for a file)."""

    playbook: Playbook
    request: dict[str, Any]
    understanding: Decision | None = None


async def asked_for(
    screen: Screen, knowledge: Knowledge, playbook_name: str, by: Person, *, file: Path | None, text: str | None
) -> Asked:
    """The request that the command line names.

    Raises:
        NotFound: no such playbook.
        InvalidInput: neither or both of file and text, an unusable file, words that leave questions open.
        InvalidRequest: with every problem at once.

    """
    playbook = knowledge.playbook(playbook_name)
    if (file is None) == (text is None):
        raise InvalidInput('Give the request either as --request FILE or as --text "…".')
    if file is not None:
        request = read_object(file)
        _require_fit(playbook, request)
        return Asked(playbook, request)
    words = read_words(text or "")
    _require_meant(words, playbook, knowledge.playbooks.values())

    async def understand(said: str, draft: Understood | None) -> Understood | NotUnderstood:
        today = datetime.now(UTC).astimezone().date()
        return await knowledge.understand(said, [playbook], by=by, today=today, draft=draft)

    understood = await _until_ready(screen, understand, words)
    _require_fit(playbook, understood.request)
    screen.show(rule("Request, as understood"), understood_table(playbook, understood))
    screen.show(decision_line(understood.decision))
    return Asked(playbook, understood.request, understood.decision)


def understood_table(playbook: Playbook, understood: Understood) -> Table:
    """Every field with the words it comes from, or how it was filled in."""
    quoted = {name: value for name, value in understood.request.items() if name in understood.quotes}
    _, added = complete(playbook, quoted)
    whole, _ = complete(playbook, understood.request)
    sources = {name: f"“{' '.join(words.split())}”" for name, words in understood.quotes.items()}
    return request_table(whole, added | sources)


async def _until_ready(screen: Screen, understand: Understand, words: str) -> Understood:
    """Understand; at a terminal ask for what is missing, elsewhere say it."""
    terminal = Terminal(screen)
    draft: Understood | None = None
    while True:
        found = await understand(words, draft)
        if isinstance(found, Understood) and found.ready:
            return found
        if not screen.can_ask:
            raise _questions(found)
        if isinstance(found, NotUnderstood):
            words = await terminal.ask(found.question)
            continue
        draft = found
        field, question = next(iter((found.missing | found.doubtful).items()))
        screen.show(Text(f"({field})", style="dim"))
        words = await terminal.ask(question)


def _questions(found: Understood | NotUnderstood) -> InvalidInput:
    if isinstance(found, NotUnderstood):
        return InvalidInput(f"The text was not understood. {found.question}")
    findings = [
        Finding(code=code, place=f"request.{name}", sentence=question, fix=_fix(question))
        for code, open_ones in (("missing", found.missing), ("doubtful", found.doubtful))
        for name, question in open_ones.items()
    ]
    return InvalidInput(
        "The text leaves questions open.", hint="Say it in --text, or hand over --request FILE", findings=findings
    )


def _fix(question: str) -> str:
    return "write the day with its year, such as 2027-02-01" if "in the past" in question else ""


def _require_meant(words: str, playbook: Playbook, known: Iterable[Playbook]) -> None:
    """Raises InvalidInput when the words name another kind of work and not this one."""
    if _names(words, playbook):
        return
    for other in known:
        if other.name != playbook.name and _names(words, other):
            raise InvalidInput(
                f"That reads like {other.name}, and {playbook.name} is asked for.",
                hint=f"Say `{other.name}` in place of `{playbook.name}`, or other words in --text",
            )


def _names(words: str, playbook: Playbook) -> bool:
    said = f" {' '.join(words.casefold().split())} "
    return any(f" {phrase.casefold()} " in said for phrase in playbook.phrases)


def _require_fit(playbook: Playbook, request: dict[str, Any]) -> None:
    findings = request_findings(playbook, request)
    if findings:
        count = f"{len(findings)} problem{'s' if len(findings) > 1 else ''}"
        raise InvalidRequest(
            f"The request does not fit {playbook.id}: {count}.",
            hint=f"`steward playbook {playbook.name}` shows what is asked for",
            findings=findings,
        )
