"""Whom a request is about, where no phrase leads to the name: by a form's labels, a verb, or as the only name there is."""

from __future__ import annotations

import re
from collections.abc import Iterable

from agents.offline.names import NameReading, is_no_name, name_at
from agents.offline.passages import TAKEN, Passage

_FIRST = re.compile(r"\b(?:first|given)[ -]?name\s*[:=]\s*", re.IGNORECASE)
_LAST = re.compile(r"\b(?:last|family|sur)[ -]?name\s*[:=]\s*", re.IGNORECASE)
_WHOLE = re.compile(r"\b[Nn]ame\s*[:=]\s*(?P<last>[A-Z][^\W\d_]+(?:-\w+)?),[ ]*(?P<first>[A-Z][^\W\d_]+(?:-\w+)?)[ ]*$", re.MULTILINE)  # fmt: skip
_VERBS = (
    r"(?:is|was|will|has|had|have|starts?|begins?|joins?|leaves?|comes?|works?|quits?|retires?|resigns?|finish(?:es)?|accepted|signed"
    r"|takes|strengthens)"
)
_PLAIN = re.compile(rf"(?:^|[.,:;!?\n(]\s*|\b(?:for|of|from)\s+)(?=[^\W\d_]+ [^\W\d_]+(?:'s|\s+{_VERBS}\b))", re.IGNORECASE)  # fmt: skip


def labelled_name(passage: Passage) -> NameReading | None:
    """The name in a form: first and last name each by its label, or "Name: Lovelace, Ada"."""
    text = passage.text
    whole = _WHOLE.search(text)
    if whole is not None:
        start, end = whole.start("last"), whole.end("first")
        return NameReading(start, end, text[start:end], whole["first"], whole["last"])
    first, last = (_value(text, label) for label in (_FIRST, _LAST))
    if first is None or last is None:
        return None
    start, end = min(first.start(), last.start()), max(first.end(), last.end())
    return NameReading(start, end, f"{first[0]} {last[0]}", first[0].strip(), last[0].strip())


def only_name(passage: Passage, known: Iterable[str], barred: frozenset[str]) -> NameReading | None:
    """The one person who is named; ``known`` colleagues count only when nobody else is.

    ``barred`` are words that belong to the request's own language and to no name. Two strangers: nobody is chosen.
    """
    colleagues = {name.casefold() for name in known}
    found: dict[str, NameReading] = {}
    for match in re.finditer(r"(?<![\w@.&-])[A-Z]", passage.free):
        if any(one.start <= match.start() < one.end for one in found.values()):
            continue
        name = name_at(passage.free, match.start())
        if name is not None and name.last and name.sure and not _is_barred(name, barred):
            found.setdefault(f"{name.first} {name.last}".casefold(), name)
    strangers = [name for said, name in found.items() if said not in colleagues] or list(found.values())
    if len(strangers) == 1:
        return strangers[0]
    return None if strangers else _plain(passage, barred)


def _value(text: str, label: re.Pattern[str]) -> re.Match[str] | None:
    found = label.search(text)
    return re.compile(r"[^\W\d_]+(?:[ '-][^\W\d_]+)*(?=[ \t]*(?:[,;\n]|$))").match(text, found.end()) if found else None


def _is_barred(name: NameReading, barred: frozenset[str]) -> bool:
    words = f"{name.first} {name.last}".casefold().split()
    return any(word in barred or is_no_name(word) for word in words)


def _plain(passage: Passage, barred: frozenset[str]) -> NameReading | None:
    """A name in small letters at the beginning of a clause, before a verb: "ada lovelace will leave"."""
    for match in _PLAIN.finditer(passage.free):
        end = re.compile(r"[^\W\d_]+ [^\W\d_]+?(?='s|\s)").match(passage.free, match.end())
        name = name_at(passage.free[: end.end()] + TAKEN, match.end()) if end else None
        if name is not None and name.last and not _is_barred(name, barred):
            return name
    return None
