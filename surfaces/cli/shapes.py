"""The shapes that `--json` prints: the values of `runtime.views` and `governance`, field by field, as plain JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from pydantic_core import to_jsonable_python

from governance.chain import Verified, to_record
from governance.people import Person
from runtime.views import RunDecisions, RunView


def plain(value: Any) -> Any:
    """Any of our values as JSON. Dataclasses and models become objects with their fields."""
    return to_jsonable_python(value, by_alias=True)


def run_shape(view: RunView) -> dict[str, Any]:
    """A whole run; its timeline as exported journal records."""
    shape = {part.name: plain(getattr(view, part.name)) for part in fields(view) if part.name != "timeline"}
    return shape | {"timeline": [to_record(entry) for entry in view.timeline]}


def decisions_shape(decided: RunDecisions) -> dict[str, Any]:
    """Every decision of a run, as in an export; with what models took in sum, and what the journal's check said."""
    return {
        "row": plain(decided.row),
        "decisions": [record.shape() for record in decided.records],
        "spent": plain(decided.spent),
        "verified": verified_shape(decided.verified),
        "head": decided.head,
    }


def people_shape(people: Sequence[Person]) -> list[dict[str, Any]]:
    """People; sets as ordered lists, so that the same directory prints the same text."""
    return [
        plain(person) | {"roles": sorted(person.roles), "permissions": sorted(person.permissions)} for person in people
    ]


def verified_shape(verified: Verified) -> dict[str, Any]:
    """A verification, with its verdict."""
    return {"ok": verified.ok, **plain(verified)}
