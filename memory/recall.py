"""Recall: questions that people decided, found again by what they were about. The review rows are all there is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from governance.cases import Case
from governance.reviews import ReviewCard, Verdict
from memory.database import Database
from memory.ids import run_uuid
from memory.statements import statements

_WORD = re.compile(r"[^\W_]{3,40}")
_MOST_WORDS = 40


class Recall:
    """Past decisions. A run that was erased is not among them: its cards are gone."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = statements("recall")

    async def like(
        self, *, tool: str, playbook: str, words: Sequence[str], besides: str, limit: int = 20
    ) -> Sequence[Case]:
        """Decided questions about ``tool`` under ``playbook``, the most alike first (by shared words), then the newest."""
        values: dict[str, Any] = {
            "tool": tool,
            "playbook": playbook,
            "words": _query(words),
            "besides": run_uuid(besides),
            "limit": limit,
        }
        return [_case(row) for row in await self._database.fetch(self._sql["like"], values)]


def _query(words: Sequence[str]) -> str:
    """A text search for any of the words; nothing of them is an operator."""
    found = dict.fromkeys(word.lower() for text in words for word in _WORD.findall(text))
    return " | ".join(list(found)[:_MOST_WORDS])


def _case(row: dict[str, Any]) -> Case:
    card = ReviewCard.model_validate_json(row["card"])
    verdict = Verdict.model_validate_json(row["verdict"])
    args = verdict.args if verdict.args is not None else card.args
    return Case(
        run_id=card.run_id,
        choice=verdict.choice,
        by=row["decided_by"],
        reason=verdict.reason,
        at=row["decided_at"],
        args=args,
    )
