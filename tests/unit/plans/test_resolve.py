"""Run-time values: references, templates, fallbacks, and what is left out."""

from __future__ import annotations

from typing import Any

import pytest

from governance.conditions import Truth
from plans.language import Step
from plans.resolve import Unresolved, resolve_args, should_run
from tests.unit.plans.company import CATALOG, IN_OFFICE, eq, ref, step

SCOPE = {
    "request": {"email": "ada@acme.example", "n": 3, "x": 0.5, "yes": True, "work_mode": "remote"},
    "desk": {"site": "Berlin", "floor": None},
}


def _args(args: dict[str, Any], tool: str = "mail.send@1") -> dict[str, Any]:
    return resolve_args(Step.model_validate(step("it", tool, args)), SCOPE, CATALOG[tool])


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ("plain", "plain"),
        (ref("request.email"), "ada@acme.example"),
        ({"$text": "{request.email}: {request.n} {request.x} {request.yes} {{}}"}, "ada@acme.example: 3 0.5 true {}"),
        ({"$first": [ref("desk.floor"), ref("nobody.x"), ref("desk.site")]}, "Berlin"),
        ({"$first": [ref("desk.floor"), {"$text": "{nobody.x}!"}, "last"]}, "last"),
        ({"a": [ref("request.n"), {"b": ref("desk.site")}]}, {"a": [3, {"b": "Berlin"}]}),
        (ref("desk"), {"site": "Berlin", "floor": None}),
        (ref("desk.floor"), None),
    ],
)
def test_a_value_is_what_its_expression_says(value: Any, wanted: Any) -> None:
    """Literals stay, references are looked up, templates write scalars as JSON does."""
    assert _args({"to": "x", "subject": "x", "body": value})["body"] == wanted


@pytest.mark.parametrize(
    "value", [ref("nobody.x"), ref("desk.x"), {"$text": "{desk.floor}"}, {"$first": [ref("desk.floor")]}]
)
def test_a_required_argument_that_is_missing_is_an_error(value: Any) -> None:
    """It names the step and the argument."""
    with pytest.raises(Unresolved, match=r"it: the argument body"):
        _args({"to": "x", "subject": "x", "body": value})


@pytest.mark.parametrize("value", [ref("nobody.x"), ref("desk.floor"), {"$first": [ref("desk.floor")]}])
def test_an_optional_argument_that_is_missing_is_left_out(value: Any) -> None:
    """So that the tool's default holds. A literal null is kept: somebody wrote it."""
    assert "copies" not in _args({"to": "x", "subject": "x", "body": "x", "copies": value})
    assert _args({"email": "x", "display_name": "x", "title": None}, "identity.create_account@1")["title"] is None


def test_a_missing_part_of_an_optional_argument_is_an_error() -> None:
    """Only whole arguments are left out."""
    with pytest.raises(Unresolved):
        _args({"address": {"street": ref("nobody.x"), "number": 1}}, "post.send_parcel@1")


@pytest.mark.parametrize(
    ("when", "truth"),
    [(None, Truth.YES), (IN_OFFICE, Truth.NO), (eq("request.n", 3), Truth.YES), (eq("nobody.x", 3), Truth.UNKNOWN)],
)
def test_a_step_runs_if_its_condition_holds(when: Any, truth: Truth) -> None:
    """Without a condition it always does; what is missing gives no answer."""
    assert should_run(Step.model_validate(step("it", "mail.read", when=when)), SCOPE) is truth
