"""Arguments against a tool's input, results against its output: every problem at once, each with a way out."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from governance.effects import Failure, FailureClass
from governance.text import value_problem
from tools.contract import Tool, ToolModel


def read_arguments(tool: Tool, args: Mapping[str, Any]) -> ToolModel | Failure:
    """The input, or a permanent failure whose sentence names every field that does not fit."""
    try:
        return tool.input.model_validate(dict(args))
    except ValidationError as error:
        problems, fixes = [], []
        for entry in error.errors(include_url=False, include_context=True):
            problem, fix = _problem(tool.input, entry)
            problems.append(problem)
            fixes.append(fix)
        return Failure(
            failure=FailureClass.PERMANENT,
            code="invalid_input",
            message=f"{tool.id} cannot be called: " + "; ".join(problems),
            fix="; ".join(filter(None, fixes)),
        )


MOST_OUTPUT = 1_000_000


def read_output(tool: Tool, result: Any) -> dict[str, Any] | None:
    """The output as JSON values, or None if it does not fit the tool's schema."""
    if not isinstance(result, BaseModel):
        return None
    try:
        output: dict[str, Any] = tool.output.model_validate(result.model_dump()).model_dump(mode="json")
    except ValidationError:
        return None
    return None if value_problem(output, most=MOST_OUTPUT) else output


def output_problems(tool: Tool, output: dict[str, Any]) -> tuple[str, ...]:
    """Why a person's word for an output does not fit the tool's schema, a sentence each; empty when it does."""
    try:
        tool.output.model_validate(output)
    except ValidationError as error:
        return tuple(_problem(tool.output, entry)[0] for entry in error.errors())
    return ()


def given_output(tool: Tool, output: dict[str, Any]) -> dict[str, Any]:
    """An output that has no problems, as JSON values with the defaults filled in."""
    filled: dict[str, Any] = tool.output.model_validate(output).model_dump(mode="json")
    return filled


def _problem(model: type[BaseModel], entry: Any) -> tuple[str, str]:
    """A sentence about one problem, without the value (it may be personal), and a fix, or an empty word."""
    place = ".".join(map(str, entry["loc"])) or "the input"
    match entry["type"]:
        case "extra_forbidden":
            near = _nearest(str(entry["loc"][-1]), _fields_at(model, entry["loc"][:-1]))
            return f"{place} is not a field of it" + near, _fix("rename {} to {}", place, near)
        case "missing":
            return f"{place} is missing", f"give {place}"
        case "enum" | "literal_error":
            near = _nearest(str(entry["input"]), _choices(model, entry["loc"]))
            expected = entry.get("ctx", {}).get("expected", "")
            return f"{place} must be {expected}" + near, _fix("set {} to {}", place, near)
    return f"{place}: {entry['msg'][:1].lower()}{entry['msg'][1:]}", ""


def _nearest(word: str, among: Iterable[str]) -> str:
    folded = {choice.casefold(): choice for choice in among}
    near = get_close_matches(word.casefold(), folded, n=1)
    return f" (did you mean {folded[near[0]]}?)" if near else ""


def _fix(sentence: str, place: str, near: str) -> str:
    return sentence.format(place, near.removeprefix(" (did you mean ").removesuffix("?)")) if near else ""


def _fields_at(model: type[BaseModel], path: tuple[int | str, ...]) -> tuple[str, ...]:
    at = _annotation(model, path)
    return tuple(at.model_fields) if isinstance(at, type) and issubclass(at, BaseModel) else ()


def _choices(model: type[BaseModel], path: tuple[int | str, ...]) -> tuple[str, ...]:
    at = _annotation(model, path)
    if isinstance(at, type) and issubclass(at, enum.Enum):
        return tuple(str(member.value) for member in at)
    flat = (choice for option in get_args(at) for choice in (get_args(option) or (option,)))
    return tuple(choice for choice in flat if isinstance(choice, str))


def _annotation(model: type[BaseModel], path: tuple[int | str, ...]) -> Any:
    """The annotation at ``path``, as far as plain nested models lead; None beyond."""
    at: Any = model
    for name in path:
        fields = at.model_fields if isinstance(at, type) and issubclass(at, BaseModel) else {}
        if name not in fields:
            return None
        at = fields[str(name)].annotation
    return at
