"""From what a model said to an object that may be used: JSON, of the form that was asked for, and fit to be kept."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from jsonschema import Draft202012Validator

from governance.text import value_problem

_LONGEST = 400_000
_MOST_PROBLEMS = 5
_FENCED = re.compile(r"```(?:json)?\s*\n(.*?)```", re.DOTALL)

Check = Callable[[Mapping[str, Any]], str]
"""What is wrong with an object, as a sentence for the model; empty when nothing is."""


class Unusable(Exception):
    """An answer cannot be used; ``str`` says why, in words that may be said to the model."""


def read(text: str, check: Check) -> dict[str, Any]:
    """The object in an answer.

    Raises:
        Unusable: empty, too long, no JSON, no object, not to be kept, or not what was asked for.

    """
    if not text.strip():
        raise Unusable("the answer was empty")
    if len(text) > _LONGEST:
        raise Unusable(f"the answer is longer than {_LONGEST:,} characters")
    value = _object(text)
    problem = value_problem(value)
    if problem:
        raise Unusable(f"the answer {problem}")
    problem = check(value)
    if problem:
        raise Unusable(problem)
    return value


def fits(schema: Mapping[str, Any]) -> Check:
    """The check that an object is what a JSON Schema says."""
    validator = Draft202012Validator(dict(schema))

    def check(value: Mapping[str, Any]) -> str:
        errors = sorted(validator.iter_errors(value), key=lambda error: list(map(str, error.path)))
        told = [f"{'.'.join(map(str, error.path)) or 'the answer'}: {error.message[:200]}" for error in errors]
        return "the answer does not fit its schema: " + "; ".join(told[:_MOST_PROBLEMS]) if told else ""

    return check


def _object(text: str) -> dict[str, Any]:
    """The whole text as JSON; else what a fence of Markdown holds; else what stands between the outermost braces."""
    fenced = _FENCED.search(text)
    begin, end = text.find("{"), text.rfind("}")
    for part in (text, fenced[1] if fenced else "", text[begin : end + 1] if 0 <= begin < end else ""):
        if not part.strip():
            continue
        try:
            value = json.loads(part, parse_constant=_no_number)
        except (ValueError, RecursionError):
            continue
        if not isinstance(value, dict):
            raise Unusable("the answer is JSON, but no object")
        return value
    raise Unusable("the answer is not JSON")


def _no_number(word: str) -> NoReturn:
    raise Unusable(f"{word} is not a JSON number")
