"""Implication of conditions: never wrong, and able to see what people write."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.conditions import Truth, evaluate
from plans.implication import conjuncts, exists, implies
from tests.unit.plans.company import eq, ne, ref

A, B, C = eq("r.a", 1), eq("r.b", 2), ne("r.c", 3)


@pytest.mark.parametrize(
    ("known", "wanted"),
    [
        (A, A),
        ({"$all": [A, B]}, A),
        ({"$all": [A, B]}, {"$all": [B, A]}),
        (A, {"$any": [B, A]}),
        ({"$any": [A, {"$all": [A, B]}]}, A),
        ({"$not": {"$any": [{"$not": A}, B]}}, A),
        (A, {"$eq": [1, ref("r.a")]}),
        (A, ne("r.a", 2)),
        (A, {"$lt": [ref("r.a"), 5]}),
        (A, {"$gt": [5, ref("r.a")]}),
        ({"$in": [ref("r.a"), [1, 2]]}, ne("r.a", 3)),
        ({"$has": [[1, 2], ref("r.a")]}, {"$in": [ref("r.a"), [1, 2]]}),
        (A, exists("r.a")),
        (exists("r.a.b"), exists("r.a")),
        (C, {"$not": eq("r.c", 3)}),
    ],
)
def test_what_people_write_is_seen(known: dict[str, Any], wanted: dict[str, Any]) -> None:
    """Same, stronger, or the same said otherwise."""
    assert implies(conjuncts(known), wanted)


@pytest.mark.parametrize(
    ("known", "wanted"),
    [
        (None, A),
        (A, B),
        (A, {"$all": [A, B]}),
        ({"$any": [A, B]}, A),
        (ne("r.a", 2), A),
        (eq("r.a", None), exists("r.a")),
        (exists("r.a"), exists("r.a.b")),
        ({"$in": [ref("r.a"), [1, None]]}, exists("r.a")),
        (exists("r.ab"), exists("r.a")),
    ],
)
def test_what_does_not_follow_is_not_seen(known: dict[str, Any] | None, wanted: dict[str, Any]) -> None:
    """Weaker, other, or only nearly the same."""
    assert not implies(conjuncts(known), wanted)


_PATHS = st.sampled_from(["r.a", "r.b"])
_VALUES = st.sampled_from([0, 1, 2, None])
_OPERANDS = st.one_of(_PATHS.map(ref), _VALUES)
_ATOMS = st.one_of(
    st.builds(lambda name, a, b: {name: [a, b]}, st.sampled_from(["$eq", "$ne", "$lt", "$ge"]), _OPERANDS, _OPERANDS),
    st.builds(lambda a, many: {"$in": [ref(a), many]}, _PATHS, st.lists(_VALUES, max_size=2)),
    _PATHS.map(exists),
)
_CONDITIONS: st.SearchStrategy[dict[str, Any]] = st.recursive(
    _ATOMS,
    lambda inner: st.one_of(
        st.builds(lambda parts: {"$all": parts}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda parts: {"$any": parts}, st.lists(inner, min_size=1, max_size=3)),
        inner.map(lambda part: {"$not": part}),
    ),
    max_leaves=5,
)


_SCOPES = [
    {"r": {name: value for name, value in zip("ab", pair, strict=True) if value != "missing"}}
    for pair in itertools.product([0, 1, 2, None, "missing"], repeat=2)
]


@given(_CONDITIONS, st.lists(_CONDITIONS, min_size=1, max_size=12))
def test_it_is_never_wrong(known: dict[str, Any], wanted: list[dict[str, Any]]) -> None:
    """Where the premise holds, what it is said to imply holds."""
    for each in wanted:
        if implies(conjuncts(known), each):
            where_known = [scope for scope in _SCOPES if evaluate(known, scope) is Truth.YES]
            assert all(evaluate(each, scope) is Truth.YES for scope in where_known)


@given(_CONDITIONS, st.dictionaries(st.sampled_from(["a", "b"]), _VALUES))
def test_the_conjuncts_are_the_condition(condition: dict[str, Any], values: dict[str, Any]) -> None:
    """A condition and its normal form have the same answer, unknown included."""
    normal = {"$all": list(conjuncts(condition))}
    assert evaluate(normal, {"r": values}) is evaluate(condition, {"r": values})
