"""A wait for something that another system publishes to nobody in particular: what is waited for, and what comes of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Literal, Self

from pydantic import AwareDatetime, Field, model_validator

from governance.forms import answer_findings
from governance.outside import LONGEST_FIELD, OutsideEvent, Plain
from tools.contract import ToolModel

MOST_MATCHED = 8
_PATH = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+){0,6}")
_NOTHING: dict[str, Any] = {"type": "object", "properties": {}}


class AwaitedEvent(ToolModel):
    """An event by its type and, where they are named, source, subject and plain values in its data, by path.

    ``schema`` says which fields of the data the plan goes on with, as a flat JSON Schema; an event that lacks one that is
    required is not the one. ``since``: from the run's admission on, so that one that came before the step waited counts,
    or from when the step begins to wait. The deadline is a moment, or so many seconds from when the step's turn comes.
    """

    type: str = Field(min_length=1, max_length=LONGEST_FIELD)
    source: str = Field(default="", max_length=LONGEST_FIELD)
    subject: str = Field(default="", max_length=LONGEST_FIELD)
    match: dict[str, Plain] = Field(default_factory=dict)
    schema_: dict[str, Any] = Field(default=_NOTHING, alias="schema")
    since: Literal["admission", "wait"] = "admission"
    until: AwareDatetime | None = None
    for_seconds: int | None = Field(default=None, ge=1, le=int(timedelta(days=3660).total_seconds()))

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if (self.until is None) == (self.for_seconds is None):
            raise ValueError("give either until or for_seconds")
        if len(self.match) > MOST_MATCHED:
            raise ValueError(f"at most {MOST_MATCHED} values are matched")
        for path, value in self.match.items():
            if not _PATH.fullmatch(path):
                raise ValueError(f"{path[:40]!r} is no path: letters, digits, - and _, joined by dots")
            if isinstance(value, str) and len(value) > LONGEST_FIELD:
                raise ValueError(f"a text that is matched has at most {LONGEST_FIELD} characters")
        return self

    def ends_at(self, begun: datetime) -> datetime:
        """The deadline, if the wait began then."""
        return self.until or begun + timedelta(seconds=self.for_seconds or 0)

    @property
    def wanted(self) -> Mapping[str, Plain]:
        """The fields that an event must have."""
        named = {name: value for name, value in (("source", self.source), ("subject", self.subject)) if value}
        return {"type": self.type, **named, **{f"data.{path}": value for path, value in self.match.items()}}


class CameEvent(ToolModel):
    """The event that was waited for. ``data`` has the fields of the step's schema and no others."""

    id: str
    type: str
    source: str
    subject: str
    time: AwareDatetime | None
    data: dict[str, Any]


def taken_from(event: OutsideEvent, given: AwaitedEvent) -> CameEvent | str:
    """What a step goes on with; or why the event is not the one, as the end of a sentence."""
    declared = given.schema_.get("properties", {})
    data = {name: event.data[name] for name in declared if name in event.data}
    findings = answer_findings(given.schema_, data)
    if findings:
        return "it does not fit the step's schema: " + "; ".join(str(finding) for finding in findings)
    return CameEvent(**event.model_dump(exclude={"data"}), data=data)
