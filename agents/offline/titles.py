"""Job titles: known by their words, in front of a name, behind it, or as the only one in the text."""

from __future__ import annotations

import re
from collections.abc import Iterable

from agents.offline.passages import TAKEN
from agents.offline.readings import Ground
from agents.offline.roles import name_words

_HEADS = (
    "engineer scientist accountant recruiter administrator executive partner analyst designer developer architect"
    " consultant specialist assistant officer director controller intern trainee counsel programmer technician clerk"
)
_KINDS = (
    "senior junior principal staff lead chief deputy assistant software hardware data system systems network security"
    " account accounts product project program programme engineering marketing sales people hr it finance financial"
    " office operations support customer business research test quality legal talent payroll working student"
)
_KIND = "|".join(_KINDS.split())
_TITLE = re.compile(
    rf"(?<![\w@&.-])(?:(?:{_KIND})\s+){{0,3}}(?:(?:{'|'.join(_HEADS.split())})|(?:{_KIND})\s+(?:manager|lead|head))(?![\w@&-])",
    re.IGNORECASE,
)
_SOMEBODY_ELSE = re.compile(r"\b(?:the|our|by|from)\s+$", re.IGNORECASE)


def read_title(ground: Ground) -> None:
    """Fill the field for a job title, where no cue led to one, with the only title that the text names.

    "The recruiter" is somebody else when another title is there.
    """
    for slot in ground.slots:
        if slot.name in ground.found or slot.kind != "string" or not {"title", "job"} & name_words(slot.name):
            continue
        found = [match for match in _TITLE.finditer(ground.passage.free) if TAKEN not in match[0]]
        named = [m for m in found if not _SOMEBODY_ELSE.search(ground.passage.free[: m.start()])] or found
        said = {match[0].casefold(): match for match in reversed(named)}
        if len(said) == 1:
            (match,) = said.values()
            ground.set(slot.name, ground.passage.text[match.start() : match.end()], match[0])
            ground.passage.take(*match.span())


def trimmed(words: str, choices: Iterable[str]) -> str:
    """The words up to a choice of another field that follows a whole title: "accountant finance" is an accountant."""
    title = _TITLE.match(words)
    rest = words[title.end() :].strip().casefold() if title else ""
    return title[0] if title and any(rest == one or rest.startswith(f"{one} ") for one in choices) else words
