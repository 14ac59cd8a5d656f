"""Sentences that the chat says, and values as people read them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from typing import Any

from governance.decisions import Decision
from governance.effects import UndoItem
from governance.errors import InvalidInput, StewardError
from governance.people import Directory
from governance.runs import RunRow
from runtime.views import Source, Told

HELP = (
    "You can ask for work, and about it, in your own words:\n\n"
    "- *Onboard Ada Lovelace as a software engineer in R&D, starting 1 January 2027, "
    "manager grace.hopper@acme.example*\n"
    "- *Which desks are free in Berlin?*, *who is Annie's manager?* is looked up, with its sources\n"
    "- *What waits for me?* shows the questions that you may answer\n"
    "- *Approve the badge because …*, *reject the salary because …*\n"
    "- *Status*, *why payroll?*, *cancel because …*, *resume because …*"
)
_STATUS = {
    "queued": "is about to be worked on",
    "running": "is being worked on",
    "waiting": "waits",
    "parked": "is parked: it cannot go on by itself",
    "done": "is done",
    "cancelled": "was cancelled",
    "closed": "was closed",
    "undone": "was taken back",
}


def names(directory: Directory, ids: Sequence[str], joint: str = "or") -> str:
    """People as a list in words."""
    found = [person.name if (person := directory.find(each)) else each for each in ids]
    if len(found) < 2:
        return "".join(found)
    return f"{', '.join(found[:-1])} {joint} {found[-1]}"


def told(error: StewardError) -> str:
    """An error in chat: a sentence, the way out, and every finding on a line of its own."""
    parts = [str(error)[:1].upper() + str(error)[1:]]
    if error.hint:
        parts.append(error.hint if error.hint.endswith((".", "?", "!")) else f"{error.hint}.")
    lines = [" ".join(parts)]
    if isinstance(error, InvalidInput):
        lines += [f"- {finding}" for finding in error.findings]
    return "\n".join(lines)


def run_line(row: RunRow) -> str:
    """Where a run stands, in a sentence."""
    waits = f" for {row.waiting_for}" if row.status.value == "waiting" and row.waiting_for else ""
    return f"**{plain(row.title)}** {_STATUS[row.status.value]}{waits}."


def count(number: int, one: str, many: str) -> str:
    """``1 question waits``, ``2 questions wait``."""
    return f"{number} {one if number == 1 else many}"


def shown(value: Any) -> str:
    """A value as people read it: text as it is, dates in words, structures as JSON."""
    if isinstance(value, str):
        try:
            return f"{date.fromisoformat(value):%-d %B %Y}"
        except ValueError:
            return value
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ", ".join(value)
    if isinstance(value, list) and value and all(isinstance(item, dict) and "provides" in item for item in value):
        return ", ".join(f"{item.get('id')} ({item['provides']})" for item in value)  # goals that a request names
    return "" if value is None else pretty(value)


def pretty(value: Any) -> str:
    """A structure as indented JSON."""
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)


def sure(decision: Decision) -> str:
    """A decision's reasoning with its confidence and who made it."""
    return f"{decision.reasoning.rstrip('.')}. ({decision.confidence:.0%} sure, {decider(decision.decider)})"


def decider(text: str) -> str:
    """``rule:triage`` as people read it."""
    kind, _, name = text.partition(":")
    return {"rule": f"a rule: {name}", "model": f"the model {name}", "person": name}.get(kind, text)


def undo_line(item: UndoItem) -> str:
    """One line of an undo list."""
    if item.call is None:
        return (
            f"{item.what.rstrip('.')} ({item.step}): cannot be taken back: {item.why.rstrip('.') or 'it has no undo'}."
        )
    return f"{item.what.rstrip('.')} ({item.step}): {item.call.tool}"


def is_question(text: str) -> bool:
    """Whether a message can be a question: short, and marked as one."""
    return text.strip().endswith("?") and len(text) <= 500


def answer_lines(told: Told) -> str:
    """An answer, each sentence with the calls that it is taken from; or what is not known."""
    if not told.statements:
        return plain(told.why)
    lines = [plain(statement.text) for statement in told.statements]
    sources = dict.fromkeys(source for statement in told.statements for source in map(source_line, statement.sources))
    return "\n\n".join([*lines, "*Read just now: " + "; ".join(map(plain, sources)) + "*"])


def source_line(source: Source) -> str:
    """A call as people read it: the tool, what it was asked with, and when."""
    args = ", ".join(f"{name} {shown(value)}" for name, value in source.args.items())
    return f"{source.tool}{f' ({args})' if args else ''} at {source.at:%H:%M} UTC"


def plain(text: str) -> str:
    """Somebody's words inside our Markdown: nothing in them formats or links."""
    return "".join(f"\\{sign}" if sign in "\\`*_{}[]()#+-!|<>~" else sign for sign in text)
