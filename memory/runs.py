"""Runs, and the queue that they are: admit, wake, claim, finish, renew, reap.

The run row is the queue entry. Whoever claims it holds an epoch; whoever holds a lower one may not write.
"""

from __future__ import annotations

import re
from datetime import timedelta
from uuid import UUID

import psycopg
from psycopg.rows import DictRow

from governance.chain import GENESIS, Entry
from governance.errors import Fenced, InvalidInput, NotFound
from governance.events import ENDED, RunAdmitted, RunStatus
from governance.runs import Claim, Rest, RunRow
from memory.database import Database
from memory.ids import demand_length, fingerprint, no_run, run_uuid
from memory.statements import statements

_HEX = re.compile(r"[0-9a-f]{1,32}")


class Runs:
    """All runs, as rows."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = statements("runs")

    async def admit(self, first: Entry, *, dedupe: str | None = None) -> RunRow:
        """Make a run, due now, and the first entry of its journal, in one transaction.

        The row's words (playbook, title, requester, source) are those of the entry, a ``run.admitted`` with ``seq`` 1.
        A second admission with the same ``dedupe`` writes nothing and returns the first run.

        Raises:
            InvalidInput: PostgreSQL cannot keep the text (a NUL character, half a surrogate pair).
            DatabaseUnavailable: whether the run exists is not known; admit again with the same ``dedupe``.

        """
        body = first.parsed()
        if not isinstance(body, RunAdmitted) or first.seq != 1 or first.prev_hash != GENESIS:
            raise ValueError("a run begins with the entry number 1, run.admitted")
        words = {"playbook": body.playbook, "title": body.title, "requester": body.requester, "source": body.source}
        values = {**vars(first), **words, "run_id": run_uuid(first.run_id), "dedupe": fingerprint(dedupe)}
        try:
            rows = await self._database.fetch(self._sql["admit"], values)
        except (psycopg.DataError, UnicodeError) as error:
            raise InvalidInput("The request has a character that cannot be kept.", hint="Write it again.") from error
        return _run(rows[0])

    async def wake(self, run_id: str) -> None:
        """Make the run due now. Idempotent; a wake of a run at work is kept for afterwards, an ended run stays asleep."""
        await self._database.fetch(self._sql["wake"], {"run": run_uuid(run_id)})

    async def claim(self, owner: int, limit: int, lease: timedelta) -> list[Claim]:
        """Take up to ``limit`` due runs, the longest due first; each gets the next epoch and a lease."""
        rows = await self._database.fetch(self._sql["claim"], {"owner": owner, "limit": limit, "lease": lease})
        return [Claim(str(row["id"]), owner, row["epoch"]) for row in rows]

    async def finish(self, claim: Claim, rest: Rest) -> int:
        """Give the run back as ``rest`` says. Returns how many claims in a row were fruitless now.

        Raises:
            Fenced: the claim is not the run's present one; nothing was changed.

        """
        values = {
            "run": run_uuid(claim.run_id),
            "owner": claim.owner,
            "epoch": claim.epoch,
            "status": rest.status.value,
            "waiting_for": rest.waiting_for,
            "ended": rest.status in ENDED,
            "again": rest.again,
            "progressed": rest.progressed,
            "wake_in": rest.wake_in,
        }
        rows = await self._database.fetch(self._sql["finish"], values)
        if not rows:
            raise Fenced(f"Worker {claim.owner} does not own run {claim.run_id} any more (claim {claim.epoch}).")
        return int(rows[0]["fruitless"])

    async def renew(self, owner: int, lease: timedelta) -> None:
        """Extend the lease of all runs that ``owner`` holds."""
        await self._database.fetch(self._sql["renew"], {"owner": owner, "lease": lease})

    async def reap(self) -> int:
        """Take runs from workers that died or hang, and make them due. Returns how many."""
        rows = await self._database.fetch(self._sql["reap"])
        return int(rows[0]["reaped"]) if rows else 0

    async def get(self, run_id: str) -> RunRow:
        """The run. Raises NotFound."""
        rows = await self._database.fetch(self._sql["get"], {"run": run_uuid(run_id)})
        if not rows:
            raise no_run(run_id)
        return _run(rows[0])

    async def find_prefix(self, text: str) -> RunRow:
        """The one run whose id begins with ``text``. Raises NotFound for none, for several and for less than 4 digits."""
        digits = text.strip().lower().replace("-", "")
        demand_length(digits, text)
        if not _HEX.fullmatch(digits):
            raise no_run(text)
        bounds = {"low": UUID(digits.ljust(32, "0")), "high": UUID(digits.ljust(32, "f"))}
        rows = await self._database.fetch(self._sql["between"], bounds)
        if len(rows) > 1:
            raise NotFound(f"More than one run begins with {text!r}.", hint="Give more of the id.")
        if not rows:
            raise no_run(text)
        return _run(rows[0])

    async def list(self, *, limit: int = 50, status: RunStatus | None = None) -> list[RunRow]:
        """The latest runs, newest first; only those with ``status``, if given."""
        values = {"limit": limit, "status": status.value if status else None}
        return [_run(row) for row in await self._database.fetch(self._sql["list"], values)]


def _run(row: DictRow) -> RunRow:
    shown = ("playbook", "title", "requester", "source", "waiting_for", "admitted_at", "ended_at", "epoch", "owner")
    return RunRow(
        id=str(row["id"]),
        status=RunStatus(row["status"]),
        wake_at=row["wake_at"],
        fruitless=row["fruitless"],
        **{name: row[name] for name in shown},
    )
