"""What others leave for a run: verdicts, callbacks, cancels. Only the run's owner writes its journal."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from psycopg.rows import DictRow

from governance.errors import Refused
from governance.runs import InboxRow, InputKind
from memory.batching import Together
from memory.database import Database
from memory.ids import fingerprint, new_id, no_run, run_uuid
from memory.statements import statements


class Inbox:
    """The inbox of all runs."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = statements("inbox")
        self._opens = Together(self._open, name="inbox reads")

    async def put(self, run_id: str, kind: InputKind, body: dict[str, Any], *, dedupe: str | None = None) -> InboxRow:
        """Leave something for a run and wake it, in one transaction. Repeats with the same ``dedupe`` get the first row.

        Raises:
            NotFound: there is no such run.
            Refused: the run has ended, and nothing with this key was left before.

        """
        values = {
            "run": run_uuid(run_id),
            "id": new_id(),
            "kind": kind.value,
            "body": json.dumps(body),
            "dedupe": fingerprint(dedupe),
        }
        await self._database.fetch(self._sql["put"], values)
        rows = await self._database.fetch(self._sql["same"], values)
        if rows:
            return _row(rows[0])
        if not await self._database.fetch(self._sql["run"], values):
            raise no_run(run_id)
        raise Refused(
            f"Run {run_id} has ended, so nothing can be left for it.", hint="`steward show` tells how it ended."
        )

    async def left(self, run_id: str, dedupe: str) -> InboxRow | None:
        """What was left for a run under this key, taken up or not; None when nothing was."""
        values = {"run": run_uuid(run_id), "dedupe": fingerprint(dedupe)}
        rows = await self._database.fetch(self._sql["left"], values)
        return _row(rows[0]) if rows else None

    async def open(self, run_id: str) -> list[InboxRow]:
        """The rows that no event has taken up yet, oldest first."""
        return await self._opens.ask(str(run_uuid(run_id)))

    async def _open(self, asked: Sequence[str]) -> list[list[InboxRow]]:
        found: dict[str, list[InboxRow]] = {run_id: [] for run_id in asked}
        for row in await self._database.fetch(self._sql["open"], {"run": [run_uuid(run_id) for run_id in found]}):
            found[str(row["run_id"])].append(_row(row))
        return [found[run_id] for run_id in asked]


def _row(row: DictRow) -> InboxRow:
    return InboxRow(row["id"], str(row["run_id"]), InputKind(row["kind"]), json.loads(row["body"]), row["at"])
