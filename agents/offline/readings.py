"""What was read from a text for one field, and what every reader may look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from agents.offline.passages import Passage
from agents.offline.roles import Roles
from agents.offline.slots import Slot, slots
from governance.people import Directory
from playbooks.model import Playbook


@dataclass(frozen=True)
class Reading:
    """A value and the words it was read from. With a ``question`` it is doubtful; the value may then be None."""

    value: Any
    quote: str
    question: str = ""


@dataclass
class Ground:
    """A text that is being read for a playbook's fields. ``open`` are the fields still asked for in a draft."""

    playbook: Playbook
    passage: Passage
    directory: Directory
    today: date
    open: frozenset[str] = frozenset()
    found: dict[str, Reading] = field(default_factory=dict)
    earlier: Mapping[str, str] = field(default_factory=dict)  # quotes of a draft, by field
    phrases: Sequence[str] = ()  # the words by which the text speaks of this work

    @property
    def schema(self) -> Mapping[str, Any]:
        """The request's properties, by name."""
        properties = self.playbook.request.get("properties", {})
        return {name: one for name, one in properties.items() if isinstance(one, Mapping)}

    @property
    def slots(self) -> Sequence[Slot]:
        """The request's fields."""
        return slots(self.playbook.request)

    @property
    def roles(self) -> Roles:
        """The relation words among the fields."""
        return Roles.of_request(self.slots)

    def cues(self, name: str) -> tuple[str, ...]:
        """The words that announce a field: ``x-cues`` of the playbook, or the field's own name."""
        given = self.schema[name].get("x-cues")
        return tuple(map(str, given)) if isinstance(given, list) else (name.replace("_", " "),)

    def ask(self, name: str) -> str:
        """The question that asks for a field."""
        return str(self.schema[name].get("x-ask") or f"What is the {name.replace('_', ' ')}?")

    def set(self, name: str, value: Any, quote: str, question: str = "") -> None:
        """Keep what was read; the first reading of a field holds."""
        self.found.setdefault(name, Reading(value, quote, question))
