"""What a tool's output can tell: its fields, those of the records in its lists, and which of them a question is about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from agents.offline.enquiry import Enquiry
from agents.offline.roles import RELATIONS
from agents.offline.slots import Slot, slots
from agents.offline.toolwords import words_of
from tools.contract import ToolSpec

_NO_WORD = frozenset({"id", "code", "display", "number", "no"})


@dataclass(frozen=True)
class Fact:
    """A field of an output; ``within`` names the list whose records have it, or is empty."""

    name: str
    within: str
    slot: Slot

    @property
    def semantic(self) -> str:
        """The type of its values."""
        return self.slot.semantic

    @property
    def words(self) -> frozenset[str]:
        """The words of its name."""
        return frozenset(words_of(self.name)) - _NO_WORD

    @property
    def is_somebody(self) -> bool:
        """Whether it says who by an id: the manager, the head."""
        return bool(self.words & RELATIONS) and self.name.endswith("_id")


@dataclass(frozen=True)
class Facts:
    """A tool's output as a question sees it. ``asked`` are the fields that it is about."""

    all: tuple[Fact, ...]
    asked: tuple[Fact, ...] = field(default=())

    @property
    def words(self) -> frozenset[str]:
        """Every word of every field."""
        return frozenset(word for fact in self.all for word in (*fact.words, *words_of(fact.within)))

    @property
    def own(self) -> frozenset[str]:
        """The words of the fields that are asked for."""
        return frozenset(word for fact in self.asked for word in (*fact.words, *words_of(fact.within)))

    @property
    def semantics(self) -> frozenset[str]:
        """The types of all fields."""
        return frozenset(fact.semantic for fact in self.all)


def facts_of(spec: ToolSpec, enquiry: Enquiry | None) -> Facts:
    """The fields of a tool's output, and those that ``enquiry`` asks for."""
    every = tuple(_every(spec.output))
    return Facts(every, _asked(every, enquiry) if enquiry is not None else ())


def _every(schema: Mapping[str, Any]) -> Iterator[Fact]:
    definitions = schema.get("$defs", {})
    for slot in slots(schema):
        inner = _records(schema["properties"][slot.name], definitions) if slot.many else None
        if inner is None:
            yield Fact(slot.name, "", slot)
        else:
            yield from (Fact(part.name, slot.name, part) for part in slots({**inner, "$defs": definitions}))


def _records(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> Mapping[str, Any] | None:
    items = schema.get("items", {})
    inner = definitions.get(str(items.get("$ref", "")).rpartition("/")[2], items)
    return inner if isinstance(inner, Mapping) and inner.get("properties") else None


def _asked(every: tuple[Fact, ...], enquiry: Enquiry) -> tuple[Fact, ...]:
    """The fields that share most words with the question; without any, those that its form asks for."""
    most = max((len(fact.words & enquiry.words) for fact in every), default=0)
    if most:
        named = tuple(fact for fact in every if len(fact.words & enquiry.words) == most)
        exact = tuple(fact for fact in named if fact.words <= enquiry.words)
        found = exact or named
        if enquiry.moment and not any(fact.slot.format == "date" for fact in found):
            return _dates(every) or found
        return found
    if enquiry.moment:
        return _dates(every)
    if enquiry.place:
        return tuple(fact for fact in every if fact.semantic == "Site")
    if enquiry.who or enquiry.counts:
        return tuple(fact for fact in every if fact.semantic == "PersonName")
    return ()


def _dates(every: tuple[Fact, ...]) -> tuple[Fact, ...]:
    return tuple(fact for fact in every if fact.slot.format == "date")[:1]
