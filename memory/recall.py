"""Recall: questions that people decided, found again by what they were about. The review rows are all there is.

Which questions are the newest is read each time, so that what was erased is not among them and what was decided a moment
ago is. What stands in them never changes, so it is read once and kept while they are among the newest.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import DictRow

from governance.cases import Case
from governance.reviews import ReviewCard, Verdict
from memory.batching import Together
from memory.database import Database
from memory.statements import statements

_WORD = re.compile(r"[^\W_]{3,40}")
_Kind = tuple[str, str]
_Answer = tuple[UUID, str, datetime]
"""A question and when it was decided: one that is asked again may be decided otherwise."""


@dataclass(frozen=True)
class _Decided:
    """A case, and the words of its arguments."""

    case: Case
    words: frozenset[str]


class Recall:
    """Past decisions. A run that was erased is not among them: its cards are gone."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = statements("recall")
        self._newest = Together(self._look, name="recall")
        self._kept: dict[_Kind, dict[_Answer, _Decided]] = {}

    async def like(
        self, *, tool: str, playbook: str, words: Sequence[str], besides: str, limit: int = 20
    ) -> Sequence[Case]:
        """Of the newest decided questions about ``tool`` under ``playbook`` those most alike first, by shared words."""
        wanted = _words(words)
        others = [each for each in await self._newest.ask((tool, playbook)) if each.case.run_id != besides]
        # Sorting is stable, and they come with the newest first.
        others.sort(key=lambda each: len(each.words & wanted), reverse=True)
        return [each.case for each in others[:limit]]

    async def _look(self, asked: Sequence[_Kind]) -> list[list[_Decided]]:
        kinds = list(dict.fromkeys(asked))
        values = {"tool": [tool for tool, _ in kinds], "playbook": [playbook for _, playbook in kinds]}
        newest: dict[_Kind, list[_Answer]] = {kind: [] for kind in kinds}
        for row in await self._database.fetch(self._sql["newest"], values):
            newest[kinds[row["number"] - 1]].append(_answer(row))
        kept = {answer: found for kind in kinds for answer, found in self._kept.get(kind, {}).items()}
        kept |= await self._read([each for kind in kinds for each in newest[kind] if each not in kept])
        self._kept |= {kind: {each: kept[each] for each in newest[kind] if each in kept} for kind in kinds}
        return [list(self._kept[kind].values()) for kind in asked]

    async def _read(self, answers: Sequence[_Answer]) -> dict[_Answer, _Decided]:
        if not answers:
            return {}
        values = {"run": [run for run, _, _ in answers], "id": [review for _, review, _ in answers]}
        return {_answer(row): _decided(row) for row in await self._database.fetch(self._sql["decided"], values)}


def _answer(row: DictRow) -> _Answer:
    return row["run_id"], row["id"], row["decided_at"]


def _decided(row: DictRow) -> _Decided:
    card = ReviewCard.model_validate_json(row["card"])
    verdict = Verdict.model_validate_json(row["verdict"])
    case = Case(
        run_id=card.run_id,
        choice=verdict.choice,
        by=row["decided_by"],
        reason=verdict.reason,
        at=row["decided_at"],
        args=verdict.args if verdict.args is not None else card.args,
    )
    return _Decided(case, _words(_texts(card.args)))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _texts(part)


def _words(texts: Iterable[str]) -> frozenset[str]:
    return frozenset(word.casefold() for text in texts for word in _WORD.findall(text))
