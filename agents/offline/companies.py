"""Names of companies, read for fields that name a supplier where no cue led to one."""

from __future__ import annotations

import re

from agents.offline.names import is_no_name
from agents.offline.readings import Ground
from agents.offline.roles import name_words

_RUN = re.compile(r"(?<![\w@.&-])[A-Z][\w-]*(?: (?:[A-Z][\w-]*|&|and(?= [A-Z])))+")
_FORM = re.compile(r"\b(?:Ltd|Limited|GmbH|AG|Inc|LLC|Co|Corp|UAB|SE|SA|BV|plc)\b")


def read_company(ground: Ground) -> None:
    """Fill a supplier's field with the only company that the text names: two words with capitals, and nobody known.

    One with its legal form goes before others.
    """
    people = {person.name.casefold() for person in ground.directory.everyone()}
    for slot in ground.slots:
        if slot.name in ground.found or slot.kind != "string" or not {"supplier", "vendor"} & name_words(slot.name):
            continue
        found = [match for match in _RUN.finditer(ground.passage.free) if _may_be_one(match[0], people)]
        formal = [match for match in found if _FORM.search(match[0])] or found
        if len({match[0] for match in formal}) == 1:
            ground.set(slot.name, formal[0][0], formal[0][0])
            ground.passage.take(*formal[0].span())


def _may_be_one(words: str, people: set[str]) -> bool:
    return words.casefold() not in people and not is_no_name(words.split(maxsplit=1)[0])
