"""People named in a text: e-mail addresses, and whoever the directory knows by whole name, first or last name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from governance.people import Directory

_EMAIL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._%+'-]*@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")


@dataclass(frozen=True)
class Mention:
    """Where somebody is named, and as whom."""

    start: int
    end: int
    email: str
    quote: str


def people_in(text: str, directory: Directory) -> Iterator[Mention]:
    """Everybody who is surely meant. A first or last name counts when only one person of the directory has it."""
    taken: list[tuple[int, int]] = []
    for match in _EMAIL.finditer(text):
        taken.append(match.span())
        yield Mention(*match.span(), match[0].lower(), match[0])
    everyone = directory.everyone()
    parts = [part for person in everyone for part in person.name.split()]
    names = {person.name: person.id for person in everyone}
    names |= {part: person.id for person in everyone for part in person.name.split() if parts.count(part) == 1}
    for name in sorted(names, key=len, reverse=True):
        for match in re.finditer(rf"(?<![\w@.-]){re.escape(name)}(?:['\u2019]s)?(?![\w@-])", text):
            if all(match.end() <= start or match.start() >= end for start, end in taken):
                taken.append(match.span())
                yield Mention(*match.span(), names[name], name)
