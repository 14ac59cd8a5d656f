"""Outside events: what other systems publish to nobody in particular, in the words of CloudEvents 1.0.

An event is known by its source and id, and is processed once. What a step waits for is compared with the event's *fields*:
``type``, ``source``, ``subject``, and each plain value in ``data`` by its path, ``data.order.number``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from governance.canonical import canonical_json
from governance.errors import InvalidInput
from governance.findings import Finding
from governance.text import value_problem

KEPT = timedelta(days=7)
"""How long an event is known at least: a repeat is one, and a step that begins to wait may find it."""
MOST_BYTES = 64 * 1024
MOST_FIELDS = 500
LONGEST_FIELD = 200
"""Characters of a text, and of a path, that can be compared."""
_DEEPEST = 8
_SPEC = "1.0"

Plain = str | int | float | bool


class OutsideEvent(BaseModel):
    """Something that happened elsewhere. Nothing in it is trusted."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(min_length=1, max_length=LONGEST_FIELD)
    type: str = Field(min_length=1, max_length=LONGEST_FIELD)
    source: str = Field(min_length=1, max_length=LONGEST_FIELD)
    subject: str = Field(default="", max_length=LONGEST_FIELD)
    time: AwareDatetime | None = None
    data: dict[str, Any] = Field(default_factory=dict)

    @property
    def key(self) -> bytes:
        """What tells events apart: a digest, for an id may name somebody."""
        return hashlib.sha256(canonical_json([self.source, self.id]).encode()).digest()

    @property
    def envelope(self) -> dict[str, Any]:
        """The JSON form."""
        return {"specversion": _SPEC, **self.model_dump(mode="json", exclude_defaults=True)}

    @property
    def fields(self) -> dict[str, Plain]:
        """What it can be known by: at most 500 of its plain values, those of short paths and texts."""
        found: dict[str, Plain] = {"type": self.type, "source": self.source, "subject": self.subject}
        for path, value in _leaves("data", self.data, _DEEPEST):
            if len(found) == MOST_FIELDS:
                break
            found[path] = value
        return found


@dataclass(frozen=True)
class Published:
    """What became of an event. ``first``: it was not known before; ``woken``: for so many waiting steps it was left."""

    first: bool
    woken: int


def read_event(value: Any) -> OutsideEvent:
    """An event in the JSON form of CloudEvents. What it says beside the fields that are known here is passed over.

    Raises:
        InvalidInput: it is none, or cannot be kept; the findings name every field.

    """
    if not isinstance(value, dict):
        raise InvalidInput("An event is a JSON object.", hint="It has the form of CloudEvents 1.0")
    problem = value_problem(value, most=MOST_BYTES)
    if problem:
        raise InvalidInput(f"The event {problem}.")
    if value.get("specversion") != _SPEC:
        raise InvalidInput(f'An event says "specversion": "{_SPEC}".', hint="It has the form of CloudEvents 1.0")
    if "data_base64" in value:
        raise InvalidInput("The data of an event is a JSON object, and not bytes.")
    known = {name: value[name] for name in OutsideEvent.model_fields if value.get(name) is not None}
    try:
        return OutsideEvent.model_validate(known)
    except ValidationError as error:
        findings = [
            Finding(code="event-field", place=".".join(map(str, each["loc"])), sentence=each["msg"])
            for each in error.errors(include_url=False, include_input=False, include_context=False)
        ]
        raise InvalidInput("The event has not the form of CloudEvents.", findings=findings) from error


def _leaves(path: str, value: Any, deep: int) -> Iterator[tuple[str, Plain]]:
    """The plain values in an object, by path. Lists have none, nor have names with a dot in them, which would be two paths."""
    if isinstance(value, Mapping) and deep:
        for name, part in value.items():
            if "." not in name and len(path) + len(name) < LONGEST_FIELD:
                yield from _leaves(f"{path}.{name}", part, deep - 1)
    elif isinstance(value, bool | int | float) or (isinstance(value, str) and len(value) <= LONGEST_FIELD):
        yield path, value
