"""Runs, and the queue that they are: admit, wake, claim, finish, renew, reap.

The run row is the queue entry. Whoever claims it holds an epoch; whoever holds a lower one may not write.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import DictRow

from governance.chain import GENESIS, Entry
from governance.errors import Fenced, InvalidInput, NotFound
from governance.events import ENDED, RunAdmitted, RunStatus
from governance.runs import COMPANY, Claim, Rest, RunRow
from governance.text import legible
from memory.batching import Together
from memory.checkpoints import SliceSaver
from memory.database import Database
from memory.ids import demand_length, fingerprint, new_id, no_run, run_uuid
from memory.statements import statements
from memory.unflushed import Unflushed, columns

_HEX = re.compile(r"[0-9a-f]{1,32}")


@dataclass(frozen=True)
class _Finish:
    claim: Claim
    rest: Rest
    unflushed: Unflushed


class Runs:
    """All runs, as rows."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = statements("runs")
        self._finish = Together(self._finish_all, name="finish")
        self._admit = Together(self._admit_all, name="admissions")

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
        admitted = await self._admit.ask(values)
        if isinstance(admitted, InvalidInput):
            raise admitted
        return admitted

    async def _admit_all(self, asked: Sequence[Mapping[str, Any]]) -> list[RunRow | InvalidInput]:
        # In the order of their keys: two processes that admit the same ones must not wait for each other in a circle.
        order = sorted(range(len(asked)), key=lambda number: asked[number]["dedupe"] or b"")
        values = {name: [asked[number][name] for number in order] for name in asked[0]}
        try:
            rows = await self._database.fetch(self._sql["admit"], values)
        except (psycopg.DataError, UnicodeError):
            if len(asked) > 1:  # because of what stands in one of them
                return [(await self._admit_all([one]))[0] for one in asked]
            return [InvalidInput("The request has a character that cannot be kept.", hint="Write it again.")]
        admitted = {order[row["number"] - 1]: _run(row) for row in rows}
        return [admitted[number] for number in range(len(asked))]

    async def wake(self, run_id: str) -> None:
        """Make the run due now. Idempotent; a wake of a run at work is kept for afterwards, an ended run stays asleep."""
        await self._database.fetch(self._sql["wake"], {"run": run_uuid(run_id)})

    async def claim(self, owner: int, limit: int, lease: timedelta, company: tuple[int, int] = COMPANY) -> list[Claim]:
        """Take up to ``limit`` due runs, requesters by turns; each gets the next epoch and a lease.

        ``company``: at most so many of them with one death, and with two. A suspect comes singly, and is to run alone
        (``isolate``).
        """
        values = {"owner": owner, "limit": limit, "lease": lease, "once": company[0], "twice": company[1]}
        rows = await self._database.fetch(self._sql["claim"], values)
        return [
            Claim(str(row["id"]), owner, row["epoch"], row["fruitless"], row["deaths"], row["child"]) for row in rows
        ]

    async def isolate(self, claim: Claim) -> None:
        """Note that nothing else runs beside it, so that the death of its worker would be its own doing.

        Raises:
            Fenced: the claim is not the run's present one.

        """
        values = {"run": run_uuid(claim.run_id), "owner": claim.owner, "epoch": claim.epoch}
        if not await self._database.fetch(self._sql["isolate"], values):
            raise Fenced(f"Worker {claim.owner} does not own run {claim.run_id} any more (claim {claim.epoch}).")

    async def accompany(self, owner: int) -> None:
        """Note that no run of ``owner`` is alone any more."""
        await self._database.fetch(self._sql["accompany"], {"owner": owner})

    async def finish(self, claim: Claim, rest: Rest, saver: object = None) -> int:
        """Give the run back as ``rest`` says, and tell the parent of a child that has ended.

        Returns how many claims in a row were fruitless now.

        What ``saver`` (a ``memory.checkpoints.SliceSaver``) has not flushed becomes durable in the same transaction, if the
        claim still holds. Slices that end together share it.

        Raises:
            Fenced: the claim is not the run's present one; nothing was changed.
            DatabaseUnavailable: nobody knows whether the run was given back; to try again is harmless.

        """
        unflushed = saver.unflushed if isinstance(saver, SliceSaver) else Unflushed()
        fruitless = await self._finish.ask(_Finish(claim, rest, unflushed))
        if fruitless is None:
            raise Fenced(f"Worker {claim.owner} does not own run {claim.run_id} any more (claim {claim.epoch}).")
        return fruitless

    async def _finish_all(self, asked: Sequence[_Finish]) -> list[int | None]:
        # Of two claims of a run the older is fenced, and so are its checkpoints, which go by the run alone.
        newest = {one.claim.run_id: one for one in sorted(asked, key=lambda one: one.claim.epoch)}
        values = {
            "run": [run_uuid(one.claim.run_id) for one in asked],
            "owner": [one.claim.owner for one in asked],
            "epoch": [one.claim.epoch for one in asked],
            "status": [one.rest.status.value for one in asked],
            "waiting_for": [legible(one.rest.waiting_for) for one in asked],
            "ended": [one.rest.status in ENDED for one in asked],
            "again": [one.rest.again for one in asked],
            "progressed": [one.rest.progressed for one in asked],
            "wake_in": [one.rest.wake_in for one in asked],
        } | columns([one.unflushed for one in newest.values()])
        ended = [one for one in asked if one.claim.child and one.rest.status in ENDED]
        rows = await (
            self._finish_children(values, ended) if ended else self._database.fetch(self._sql["finish"], values)
        )
        fruitless = {(row["id"], row["epoch"]): int(row["fruitless"]) for row in rows}
        return [fruitless.get((run_uuid(one.claim.run_id), one.claim.epoch)) for one in asked]

    async def _finish_children(self, values: Mapping[str, Any], ended: Sequence[_Finish]) -> list[DictRow]:
        """Finish, and leave the end of children for their parents, in one transaction."""
        async with self._database.connection() as connection, connection.transaction():
            cursor = await connection.execute(self._sql["finish"], values)
            rows = await cursor.fetchall()
            mine = {(row["id"], row["epoch"]) for row in rows}
            told = [one for one in ended if (run_uuid(one.claim.run_id), one.claim.epoch) in mine]
            notes = {
                "child": [run_uuid(one.claim.run_id) for one in told],
                "id": [new_id() for _ in told],
                "note": [json.dumps(_note(one.claim.run_id, one.rest)) for one in told],
                "key": [fingerprint(f"child:{one.claim.run_id}") for one in told],
            }
            await connection.execute(self._sql["tell_parents"], notes)
        return rows

    async def children(self, run_id: str) -> list[RunRow]:
        """The runs that this one started, oldest first."""
        return [_run(row) for row in await self._database.fetch(self._sql["children"], {"run": run_uuid(run_id)})]

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


def _note(run_id: str, rest: Rest) -> dict[str, Any]:
    """What a parent is told of a child that ended: an output if it was done, a reason otherwise."""
    summary = legible(rest.summary)
    if rest.status is RunStatus.DONE:
        return {"output": {"run_id": run_id, "status": rest.status.value, "summary": summary}}
    kind = "stopped" if rest.status is RunStatus.CANCELLED else "error"
    return {kind: f"run {run_id} ended {rest.status.value}: {summary}"}


def _run(row: DictRow) -> RunRow:
    shown = (
        "parent_step",
        "playbook",
        "title",
        "requester",
        "source",
        "waiting_for",
        "admitted_at",
        "ended_at",
        "epoch",
        "owner",
    )
    return RunRow(
        id=str(row["id"]),
        status=RunStatus(row["status"]),
        wake_at=row["wake_at"],
        fruitless=row["fruitless"],
        priority=row["priority"],
        deaths=row["deaths"],
        parent_id=str(row["parent_id"]) if row["parent_id"] else None,
        **{name: row[name] for name in shown},
    )
