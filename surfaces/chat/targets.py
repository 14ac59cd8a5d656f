"""What a person means by "the badge": which review, which run, which step."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TypeVar

from governance.runs import ReviewRow, RunRow
from runtime.views import StepView

_Thing = TypeVar("_Thing")
_EMPTY = frozenset({"the", "a", "an", "of", "for", "to", "in", "is", "it", "and", "at", "this", "that"})
_SAME = {"salary": "payroll", "pay": "payroll", "employment": "payroll", "contract": "payroll", "doors": "badge"}


def reviews_meant(target: str, rows: Sequence[ReviewRow]) -> list[ReviewRow]:
    """The reviews that fit a target best: by id, else by words of step, tool, title and arguments. Empty target: all."""
    return _best(
        target,
        [
            (
                row,
                row.card.id,
                (row.card.step, row.card.tool),
                (row.card.title, row.card.question, *row.card.args.values()),
            )
            for row in rows
        ],
    )


def runs_meant(target: str, rows: Sequence[RunRow]) -> list[RunRow]:
    """The runs that fit a target best: by id, else by words of the title."""
    return _best(target, [(row, row.id, (row.title,), ()) for row in rows])


def steps_meant(target: str, steps: Sequence[StepView]) -> list[StepView]:
    """The steps that fit a target best: by name and tool, else by reason."""
    return _best(target, [(step, step.id, (step.id, step.tool), (step.reason,)) for step in steps])


def _best(target: str, things: Sequence[tuple[_Thing, str, Iterable[object], Iterable[object]]]) -> list[_Thing]:
    """Those that share the most words with the target; words of the name count more than others'."""
    text = target.strip().lower()
    if not text:
        return [thing for thing, *_ in things]
    by_id = [thing for thing, known, *_ in things if known.lower().startswith(text)]
    if by_id:
        return by_id
    wanted = _words(text)
    wanted |= {_SAME[word] for word in wanted if word in _SAME}
    scores = [3 * _shared(wanted, names) + _shared(wanted, others) for _, _, names, others in things]
    best = max(scores, default=0)
    return [thing for (thing, *_), score in zip(things, scores, strict=True) if best and score == best]


def _shared(wanted: set[str], texts: Iterable[object]) -> int:
    return len(wanted & {word for text in texts for word in _words(str(text))})


def _words(text: str) -> set[str]:
    return {word for word in re.findall(r"[a-z0-9&]+", text.lower().replace("_", " ")) if word not in _EMPTY}
