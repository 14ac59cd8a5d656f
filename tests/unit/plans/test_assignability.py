"""Does every value of one type fit another?"""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from plans.assignability import Kind, fit
from plans.schemas import Shape, formats
from tests.unit.plans.worlds import record, sample

TEXT, WHOLE, NUMBER, NULL = {"type": "string"}, {"type": "integer"}, {"type": "number"}, {"type": "null"}
ACCOUNT = {"type": "string", "x-semantic": "AccountId"}
EMPLOYEE = {"type": "string", "x-semantic": "EmployeeId"}
DATE = {"type": "string", "format": "date"}


def _enum(*values: Any) -> dict[str, Any]:
    return {"enum": list(values)}


def _list(items: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "array", "items": items, **more}


def _object(required: list[str], *, closed: bool = True, **properties: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"type": "object", "properties": properties, "required": required}
    return {**found, "additionalProperties": False} if closed else found


def _any(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": list(parts)}


TREE = {"$ref": "#/$defs/Tree", "$defs": {"Tree": _object(["v"], v=TEXT, kids=_list({"$ref": "#/$defs/Tree"}))}}
NODE = {"$ref": "#/$defs/Node", "$defs": {"Node": _object(["v"], v=TEXT, kids=_list({"$ref": "#/$defs/Node"}))}}
WRONG_TREE = {"$ref": "#/$defs/Tree", "$defs": {"Tree": _object(["v"], v=WHOLE, kids=_list({"$ref": "#/$defs/Tree"}))}}

FITS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (TEXT, TEXT),
    (TEXT, {}),
    (WHOLE, NUMBER),
    (ACCOUNT, ACCOUNT),
    (ACCOUNT, TEXT),
    (DATE, TEXT),
    (DATE, DATE),
    (_enum("a"), _enum("a", "b")),
    (_enum("a", "b"), TEXT),
    ({"const": "a"}, _enum("a", "b")),
    (_enum(1, 2), {"type": "integer", "maximum": 2}),
    (TEXT, _any(TEXT, NULL)),
    (_any(TEXT, NULL), _any(NULL, TEXT)),
    (_any(WHOLE, TEXT), _any(TEXT, NUMBER)),
    ({"type": ["string", "null"]}, _any(TEXT, NULL)),
    (_any(ACCOUNT, NULL), _any(ACCOUNT, NULL)),
    ({**_any(TEXT, NULL), "x-semantic": "AccountId"}, _any(ACCOUNT, NULL)),
    ({"type": "integer", "minimum": 2}, {"type": "number", "minimum": 1}),
    ({"type": "integer", "minimum": 2}, {"type": "number", "exclusiveMinimum": 1}),
    ({"type": "integer", "exclusiveMinimum": 0}, {"type": "integer", "minimum": 0}),
    ({"type": "string", "maxLength": 5, "minLength": 1}, {"type": "string", "maxLength": 9}),
    ({"type": "string", "pattern": "^a$"}, {"type": "string", "pattern": "^a$"}),
    (_list(WHOLE), _list(NUMBER)),
    (_list(TEXT, maxItems=2), {"type": "array", "maxItems": 3}),
    (_object(["a"], a=TEXT), _object([], a=TEXT)),
    (_object(["a"], a=WHOLE), _object(["a"], a=NUMBER, b=TEXT)),
    (_object(["a"], a=TEXT), {"type": "object"}),
    (_object(["a"], a=WHOLE), {"type": "object", "additionalProperties": NUMBER}),
    (TREE, TREE),
    (TREE, NODE),
    ({"allOf": [TEXT], "x-semantic": "AccountId"}, ACCOUNT),
]
DOES_NOT: list[tuple[Kind, dict[str, Any], dict[str, Any]]] = [
    (Kind.TYPE, TEXT, WHOLE),
    (Kind.TYPE, NUMBER, WHOLE),
    (Kind.TYPE, {}, TEXT),
    (Kind.TYPE, TEXT, DATE),
    (Kind.TYPE, DATE, {"type": "string", "format": "date-time"}),
    (Kind.SEMANTIC, ACCOUNT, EMPLOYEE),
    (Kind.SEMANTIC, TEXT, EMPLOYEE),
    (Kind.SEMANTIC, ACCOUNT, _any(EMPLOYEE, NULL)),
    (Kind.SEMANTIC, _list(ACCOUNT), _list(EMPLOYEE)),
    (Kind.NULL, _any(TEXT, NULL), TEXT),
    (Kind.NULL, {"type": ["string", "null"]}, TEXT),
    (Kind.NULL, _object([], a=TEXT), _object(["a"], a=TEXT)),
    (Kind.TYPE, TEXT, _enum("a")),
    (Kind.TYPE, _enum("a", "c"), _enum("a", "b")),
    (Kind.TYPE, {"const": 1}, TEXT),
    (Kind.TYPE, _any(TEXT, WHOLE), TEXT),
    (Kind.TYPE, WHOLE, {"type": "integer", "minimum": 0}),
    (Kind.TYPE, {"type": "number", "minimum": 1}, {"type": "number", "exclusiveMinimum": 1}),
    (Kind.TYPE, TEXT, {"type": "string", "maxLength": 9}),
    (Kind.TYPE, TEXT, {"type": "string", "pattern": "^a$"}),
    (Kind.TYPE, _list(TEXT), _list(WHOLE)),
    (Kind.TYPE, _list(TEXT), _list(TEXT, maxItems=3)),
    (Kind.TYPE, _list(TEXT), _list(TEXT, uniqueItems=True)),
    (Kind.TYPE, {"type": "array"}, _list(TEXT)),
    (Kind.TYPE, _object(["a"], a=TEXT), _object(["a", "b"], a=TEXT, b=TEXT)),
    (Kind.TYPE, _object(["a"], a=TEXT, b=TEXT), _object(["a"], a=TEXT)),
    (Kind.TYPE, _object(["a"], closed=False, a=TEXT), _object(["a"], a=TEXT)),
    (Kind.TYPE, _object(["a"], a=WHOLE), {"type": "object", "additionalProperties": TEXT}),
    (Kind.TYPE, TREE, WRONG_TREE),
    (Kind.TYPE, TEXT, {"type": "string", "not": {"const": "x"}}),
    (Kind.TYPE, TEXT, {"$ref": "#/$defs/Gone"}),
]


@pytest.mark.parametrize(("source", "target"), FITS)
def test_a_type_fits_one_that_takes_all_its_values(source: dict[str, Any], target: dict[str, Any]) -> None:
    """Same, narrower, or without the semantic type that is not asked for."""
    assert fit(Shape(source, source), Shape(target, target)) is None


@pytest.mark.parametrize(("kind", "source", "target"), DOES_NOT)
def test_a_type_does_not_fit_one_that_refuses_some_value(
    kind: Kind, source: dict[str, Any], target: dict[str, Any]
) -> None:
    """And the reason says of what kind the trouble is."""
    misfit = fit(Shape(source, source), Shape(target, target))
    assert misfit is not None
    assert misfit.kind is kind, misfit


@given(st.randoms(use_true_random=False))
def test_what_fits_is_valid(rng: random.Random) -> None:
    """Random types: each value of one that fits another is valid there."""
    source, target = record(rng), record(rng)
    for own in source["properties"].values():
        for other in target["properties"].values():
            if fit(Shape(own, source), Shape(other, target)) is None:
                schema = {**other, "$defs": target["$defs"]}
                validator = Draft202012Validator(schema, format_checker=formats())
                assert all(validator.is_valid(sample(own, source, rng)) for _ in range(5))
