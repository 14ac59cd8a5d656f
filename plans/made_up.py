"""Values that nobody gave: literals that the writer of a plan put into a sensitive argument by itself.

A planner may be a model, and a model may have been talked into something. Whatever it says, it can only pass on what the
request, the goals or a person gave; the rest is treated as what comes from outside.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from plans.subject import Subject

_HOLE = re.compile(r"\{[^{}]*\}")


def made_up(subject: Subject) -> Mapping[str, frozenset[str]]:
    """The sensitive arguments of each step that have a made-up value. None where the premises vouch for all."""
    vouched = subject.premises.vouched
    if vouched is None:
        return {}
    return {
        step_id: frozenset(
            name
            for name in tool.spec.sensitive
            if name in subject.steps[step_id].args
            and not _is_given(subject, name, subject.steps[step_id].args[name], vouched.get(step_id, {}))
        )
        for step_id, tool in subject.tools.items()
    }


def _is_given(subject: Subject, name: str, value: Any, by_people: Mapping[str, Any]) -> bool:
    """Whether every literal in an argument stands in a goal under that name, in the request, or in what people wrote."""
    premises = subject.premises
    given = [goal.args[name] for goal in premises.goals if name in goal.args]
    given += [by_people[name]] if name in by_people else []
    if value in given:
        return True
    known = {part for each in given for part in _literals(each)}
    known |= {
        part for field, each in premises.request.items() if field not in premises.untrusted for part in _literals(each)
    }
    return all(part in known for part in _literals(value))


def _literals(value: Any) -> Iterator[str | float]:
    """The texts and numbers in a value that are not references."""
    match value:
        case {"$ref": _}:
            return
        case {"$text": str(template)}:
            yield from (part for part in _HOLE.split(template) if part.strip(" .,;:-"))
        case {"$first": list(parts)}:
            for part in parts:
                yield from _literals(part)
        case dict():
            for part in value.values():
                yield from _literals(part)
        case list() | tuple():
            for part in value:
                yield from _literals(part)
        case str() | int() | float() if not isinstance(value, bool):
            yield value
