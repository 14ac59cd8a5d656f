"""The words that a playbook and a catalog have of their own: all that a kept plan may be made of."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from governance.effects import EffectClass
from playbooks.model import Playbook
from tools.contract import ToolSpec

Scalar = str | int | float
_WORD = re.compile(r"[^\W_]+")
# What the offline planner's reasons say beside names.
_OURS = "finds the of for and was asked could be as well taken would fit do doubtful"


@dataclass(frozen=True)
class Vocabulary:
    """What plans may be made of.

    ``names`` are keys of objects and fields of schemas; ``literals`` the values that the playbook states and those that a
    tool takes when nothing is said; ``answers`` the words that tools choose among in their outputs, for conditions;
    ``words`` the words in all of it. ``effects`` are the ids of tools that change something.
    """

    names: frozenset[str]
    literals: frozenset[Scalar]
    answers: frozenset[Scalar]
    words: frozenset[str]
    effects: frozenset[str]

    def says(self, text: str) -> bool:
        """Whether every word of a text is one of the vocabulary's."""
        return words_of(text) <= self.words


def vocabulary_of(playbook: Playbook, tools: Mapping[str, ToolSpec]) -> Vocabulary:
    """What stands in a playbook and in the contracts of tools. Some milliseconds for a large catalog: keep it."""
    book = playbook.model_dump(mode="json")
    contracts = [spec.model_dump(mode="json") for spec in tools.values()]
    stated = [book["goals"], book["derived"], _stated(book["request"], {"enum", "const", "default"})]
    stated += [_stated(contract["input"], {"const", "default"}) for contract in contracts]
    names = frozenset(_keys([book, contracts]))
    texts = [text for text in _scalars([book, contracts]) if isinstance(text, str)]
    return Vocabulary(
        names=names,
        literals=frozenset(_scalars(stated)),
        answers=frozenset(
            _scalars([_stated(contract["output"], {"enum", "const", "default"}) for contract in contracts])
        ),
        words=frozenset().union(*map(words_of, [*names, *texts, _OURS])),
        effects=frozenset(spec.id for spec in tools.values() if spec.effect is not EffectClass.READ),
    )


def words_of(text: str) -> frozenset[str]:
    """The words of a text, without case; an underscore ends a word."""
    return frozenset(_WORD.findall(text.casefold()))


def _stated(schema: Any, keywords: set[str]) -> list[Any]:
    """The values that a JSON Schema states under these keywords, at any depth."""
    return list(_each_stated(schema, keywords))


def _each_stated(schema: Any, keywords: set[str]) -> Iterator[Any]:
    if isinstance(schema, Mapping):
        for name, part in schema.items():
            if name in keywords:
                yield part
            else:
                yield from _each_stated(part, keywords)
    elif isinstance(schema, list):
        for part in schema:
            yield from _each_stated(part, keywords)


def _keys(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        yield from value
        for part in value.values():
            yield from _keys(part)
    elif isinstance(value, list):
        for part in value:
            yield from _keys(part)


def _scalars(value: Any) -> Iterator[Scalar]:
    if isinstance(value, Mapping):
        for part in value.values():
            yield from _scalars(part)
    elif isinstance(value, list):
        for part in value:
            yield from _scalars(part)
    elif isinstance(value, str | int | float) and not isinstance(value, bool):
        yield value
