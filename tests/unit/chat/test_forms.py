"""A form from a tool's schema, and typed arguments from a form."""

from __future__ import annotations

import pytest

from governance.errors import InvalidInput
from surfaces.chat.forms import args_from, form_of

SCHEMA = {
    "properties": {
        "name": {"type": "string", "description": "as on the contract"},
        "salary": {"type": "integer"},
        "share": {"type": "number"},
        "start": {"type": "string", "format": "date"},
        "level": {"enum": ["staff", "lab"]},
        "parking": {"type": "boolean"},
        "tags": {"type": "array", "items": {"type": "string"}},
        "site": {"anyOf": [{"type": "string"}, {"type": "null"}], "description": "or none"},
        "boss": {"$ref": "#/$defs/Mail"},
    },
    "$defs": {"Mail": {"type": "string", "format": "email"}},
    "required": ["name", "salary"],
}
ARGS = {
    "name": "Ada",
    "salary": 72000,
    "share": 0.5,
    "start": "2027-01-01",
    "level": "lab",
    "parking": False,
    "tags": ["a", "b"],
    "boss": "grace.hopper@acme.example",
}


def test_every_kind_of_field_is_offered_and_comes_back_as_it_was() -> None:
    """Round trip: what nobody touched is unchanged, with its type."""
    form = form_of(SCHEMA, ARGS)
    kinds = {field["name"]: field["kind"] for field in form}
    assert kinds == {
        "name": "line",
        "salary": "integer",
        "share": "number",
        "start": "date",
        "level": "choice",
        "parking": "choice",
        "tags": "json",
        "site": "line",
        "boss": "email",
    }
    assert args_from(SCHEMA, {field["name"]: field["value"] for field in form}) == ARGS


def test_long_text_gets_room() -> None:
    """A mail's body is not edited in one line."""
    (field, *_) = form_of(SCHEMA, {"name": "word " * 40})
    assert field["kind"] == "text"


def test_all_that_cannot_be_read_is_told_at_once() -> None:
    """By field; whether a value fits is the checker's to say."""
    with pytest.raises(InvalidInput) as caught:
        args_from(SCHEMA, {"name": " ", "salary": "much", "tags": "[", "unknown": "x"})
    assert [finding.place for finding in caught.value.findings] == ["name", "salary", "tags"]
