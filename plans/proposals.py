"""References that would fit: the proposals in findings."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator
from functools import lru_cache

from plans.assignability import fit
from plans.implication import conjuncts
from plans.references import Typed, resolve_type
from plans.schemas import Shape, alternatives, walk_fields
from plans.subject import Subject

_MOST_TRIED = 40
_MOST_PROPOSALS = 25


class Proposals:
    """Looks for a field of the request, or of a step that may come before, that fits what is wanted.

    Only so many proposals are worked out for one plan: a hundred more would not be read.
    """

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._fields: list[tuple[str, Shape]] | None = None
        self._left = _MOST_PROPOSALS

    def for_step(self, step_id: str) -> Callable[[Shape, str], str]:
        """The proposer for one step's arguments."""
        return lambda shape, place: self._propose(step_id, shape, place)

    def _propose(self, step_id: str, wanted: Shape, place: str) -> str:
        if self._left == 0:
            return ""
        self._left -= 1
        name = place.rpartition(".")[2]
        known = conjuncts(self._subject.whens.get(step_id))
        for path, shape in self._nearest(name, wanted, step_id):
            typed = resolve_type(path, self._subject.scope, known)
            if isinstance(typed, Typed) and typed.sure and fit(shape, wanted) is None:
                return f'write {{"$ref": "{path}"}}'
        return ""

    def _nearest(self, name: str, wanted: Shape, step_id: str) -> list[tuple[str, Shape]]:
        semantics = {part.semantic for part in alternatives(wanted)} - {""}
        later = self._subject.later_than(step_id)
        usable = [
            (path, shape)
            for path, shape in self._all()
            if path.partition(".")[0] not in later and (not semantics or shape.semantic in semantics)
        ]
        if not semantics:
            usable = [each for each in usable if _alike(each[0].rpartition(".")[2], name) > 0.6]
        return sorted(usable, key=lambda each: -_alike(each[0].rpartition(".")[2], name))[:_MOST_TRIED]

    def _all(self) -> list[tuple[str, Shape]]:
        if self._fields is None:
            self._fields = list(self._walk())
        return self._fields

    def _walk(self) -> Iterator[tuple[str, Shape]]:
        for root, shape in self._subject.scope.roots.items():
            for name, found in walk_fields(shape):
                for simple in alternatives(found.shape):
                    yield f"{root}.{name}", simple


@lru_cache(maxsize=8192)
def _alike(one: str, other: str) -> float:
    return difflib.SequenceMatcher(None, one, other).ratio()
