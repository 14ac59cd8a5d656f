"""Scores of decisions as rows, and how far each run's journal was read for them."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from psycopg.rows import DictRow

from governance.decisions import DecisionKind
from governance.scores import Outcome, Score
from governance.scoring import Scored
from memory.database import Database
from memory.ids import run_uuid
from memory.statements import statements

_COLUMNS = ("seq", "at", "kind", "playbook", "tool", "decider", "choice", "rule", "confidence", "outcome", "magnitude")
_FIRST = str(uuid.UUID(int=0))
LATEST = 5_000
"""How many decisions of a kind experience is made of: what was decided long ago says little about today's model."""


class Scores:
    """All scores."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = statements("autonomy")

    async def behind(self, *, after: str = "", limit: int = 100) -> list[str]:
        """Runs with more in their journals than was scored, by id, from the one after ``after`` on."""
        rows = await self._database.fetch(self._sql["behind"], {"after": after or _FIRST, "limit": limit})
        return [str(row["id"]) for row in rows]

    async def keep(self, run_id: str, seq: int, found: Scored) -> None:
        """A run's scores as its journal up to ``seq`` gives them. Doing it twice, or late, changes nothing."""
        columns = {column: [getattr(score, column) for score in found.scores] for column in _COLUMNS}
        for column in ("kind", "outcome"):
            columns[column] = [str(value.value) for value in columns[column]]
        values = {"run": run_uuid(run_id), "upto": seq, "settled": found.settled, **columns}
        await self._database.fetch(self._sql["keep"], values)

    async def latest(self, kinds: Sequence[DecisionKind] | None = None, *, limit: int = LATEST) -> list[Score]:
        """The latest ``limit`` scores of each kind, oldest first."""
        named = [kind.value for kind in kinds] if kinds is not None else None
        rows = await self._database.fetch(self._sql["scores"], {"kinds": named, "limit": limit})
        return [_score(row) for row in rows]


def _score(row: DictRow) -> Score:
    values = {column: row[column] for column in _COLUMNS}
    kind, outcome = DecisionKind(values.pop("kind")), Outcome(values.pop("outcome"))
    return Score(run_id=str(row["run_id"]), kind=kind, outcome=outcome, **values)
