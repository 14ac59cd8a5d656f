"""The journal of all runs: appends that share a commit, and reads.

Appends that wait while one is on its way to the database go with the next: one call of ``steward_append`` and one commit
for all of them, however many runs there are. A single run has at most one append in a call, so its own stay in order.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from governance.chain import Broken, Entry
from governance.errors import DatabaseUnavailable, Fenced, InvalidInput, StewardError, TailMoved
from governance.record import Wanted
from governance.runs import (
    AskReview,
    Claim,
    CloseReview,
    EscalateReview,
    RelyOn,
    SetTimer,
    SideRow,
    Subscribe,
    SuspendRule,
)
from memory.batching import Together
from memory.database import Database
from memory.ids import run_uuid
from memory.statements import statements

_BATCH_BYTES = 4_000_000
"""About how much text one call carries at most."""


@dataclass(frozen=True, eq=False)
class _Append:
    """One caller's append, and where its answer goes."""

    claim: Claim
    entries: tuple[Entry, ...]
    rows: tuple[SideRow, ...]
    answer: asyncio.Future[None]

    @property
    def size(self) -> int:
        return sum(len(entry.body or "") for entry in self.entries)

    def settle(self, error: StewardError | None = None) -> None:
        """Answer, unless the caller has gone."""
        if self.answer.done():
            return
        if error is None:
            self.answer.set_result(None)
        else:
            self.answer.set_exception(error)


class Journal:
    """The journal of all runs. Belongs to one event loop; made by ``open_journal``."""

    def __init__(self, database: Database, *, patience: float) -> None:
        """``patience``: seconds to wait for a connection, also for a lost one to be back."""
        self._database = database
        self._patience = patience
        self._sql = statements("journal")
        self._waiting: list[_Append] = []
        self._writer: asyncio.Task[None] | None = None
        self._reads = Together(self._read, name="journal reads")
        self.commits = 0
        """How many calls to the database all appends have taken so far."""

    async def append(self, claim: Claim, entries: Sequence[Entry], rows: Sequence[SideRow] = ()) -> None:
        """Make a run's entries, and the rows that belong to them, durable together: all or none.

        A caller that is cancelled while it waits disturbs nobody: its entries are written if they are on their way, and
        are not otherwise.

        Raises:
            Fenced: owner or epoch do not match.
            TailMoved: the entries do not continue the tail, a cause is there already, an earned rule that they rely on
                does not hold, or the connection was lost, so that nobody knows whether they were written.
            DatabaseUnavailable: no connection; read the tail when there is one again.
            InvalidInput: PostgreSQL cannot keep what is in the entries or rows. Nothing was written.

        """
        answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Append(claim, tuple(entries), tuple(rows), answer))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write(), name="journal")
        await answer

    async def read(self, run_id: str, after: int = 0) -> list[Entry]:
        """The entries with ``seq`` greater than ``after``, in order; none for an unknown run. Reads that wait together are one."""
        return await self._reads.ask((run_id, after))

    async def _read(self, asked: Sequence[tuple[str, int]]) -> list[list[Entry]]:
        values = {"run": [run_uuid(run_id) for run_id, _ in asked], "after": [after for _, after in asked]}
        answers: list[list[Entry]] = [[] for _ in asked]
        for row in await self._database.fetch(self._sql["read"], values):
            answers[row.pop("number") - 1].append(_entry(row))
        return answers

    async def all_entries(self, run_id: str | None = None) -> AsyncGenerator[Entry, None]:
        """The entries of one run or of all, run by run and in order, as of one moment; streamed, not collected."""
        values = {"run": run_uuid(run_id) if run_id else None}
        async with aclosing(self._streamed("all_entries", values, at_once=1000)) as entries:
            async for entry in entries:
                yield entry

    async def deciding(self, kinds: Sequence[str], wanted: Wanted) -> AsyncGenerator[Entry, None]:
        """The entries of these kinds, of all runs with one of them in the wanted time, under the wanted playbook.

        Run by run, oldest first, and in order, as of one moment; streamed, not collected.
        """
        values = {"kinds": list(kinds), "playbook": wanted.playbook, "since": wanted.since, "until": wanted.until}
        async with aclosing(self._streamed("deciding", values, at_once=200)) as entries:
            async for entry in entries:
                yield entry

    async def _streamed(self, statement: str, values: dict[str, Any], *, at_once: int) -> AsyncGenerator[Entry, None]:
        async with (
            self._database.connection() as connection,
            connection.transaction(),
            connection.cursor("entries") as cursor,
        ):
            cursor.itersize = at_once
            await cursor.execute(self._sql[statement], values)
            async for row in cursor:
                yield _entry(row)

    async def loose_ends(self, run_id: str | None = None) -> list[Broken]:
        """Where journals and run rows do not fit together, of one run or of all: what no chain shows by itself.

        A run without a journal (``seq`` 0), a journal without a run, and an ended run whose journal lost its end.
        """
        rows = await self._database.fetch(self._sql["loose_ends"], {"run": run_uuid(run_id) if run_id else None})
        return [Broken(str(row["run_id"]), row["seq"], row["why"]) for row in rows]

    async def finish(self) -> None:
        """Return when everything that waits is written or refused."""
        while self._writer is not None and not self._writer.done():
            await asyncio.wait([self._writer])

    async def _write(self) -> None:
        """Write until nobody waits. Runs as a task of its own, so no caller's cancellation reaches it."""
        batch: list[_Append] = []
        try:
            while self._waiting:
                await asyncio.sleep(0)  # whoever is ready at this moment comes along
                if batch := self._next_batch():
                    await self._write_batch(batch)
        finally:
            for append in [*batch, *self._waiting]:  # none, but after a failure that nobody foresaw
                append.settle(DatabaseUnavailable("The journal could not be written; read its tail and go on."))
            self._waiting = []

    def _next_batch(self) -> list[_Append]:
        batch: list[_Append] = []
        later: list[_Append] = []
        runs: set[str] = set()
        size = 0
        for append in self._waiting:
            if append.answer.done():
                continue  # cancelled before it was sent
            if append.claim.run_id in runs or (batch and size + append.size > _BATCH_BYTES):
                later.append(append)
            else:
                batch.append(append)
                size += append.size
            runs.add(append.claim.run_id)
        self._waiting = later
        return batch

    async def _write_batch(self, batch: list[_Append]) -> None:
        try:
            answers = await self._call(batch)
        except (psycopg.Error, UnicodeError) as error:
            # The database refused the call as a whole, because of what stands in one append: find out which.
            if len(batch) == 1:
                batch[0].settle(_unkeepable(error))
                return
            for append in batch:
                await self._write_batch([append])
        except (TailMoved, DatabaseUnavailable) as error:
            for append in batch:
                append.settle(type(error)(str(error), hint=error.hint))
        else:
            for append in batch:
                append.settle(_refusal(answers.get(append.claim.run_id, "fenced"), append.claim))

    async def _call(self, batch: list[_Append]) -> dict[str, str]:
        """What the database answers, by run.

        Raises:
            TailMoved: the connection was lost under way and is back now.
            DatabaseUnavailable: there is no connection.

        """
        values = _values(batch)
        sent = False
        try:
            async with self._database.connection(patience=self._patience) as connection:
                sent = True
                self.commits += 1
                cursor = await connection.execute(self._sql["append"], values)
                return {str(row["for_run"]): row["answer"] for row in await cursor.fetchall()}
        except DatabaseUnavailable as error:
            if not sent or not isinstance(error.__cause__, psycopg.OperationalError | psycopg.InterfaceError):
                raise  # there was no connection, or the database said no
        async with self._database.connection(patience=self._patience) as connection:
            await connection.execute(b"SELECT 1")
        raise TailMoved("The connection was lost while the journal was written: read the tail to see what is there.")


@asynccontextmanager
async def open_journal(database: Database, *, patience: float = 5) -> AsyncIterator[Journal]:
    """The journal in ``database``; at the end, what callers still wait for is written first."""
    journal = Journal(database, patience=patience)
    try:
        yield journal
    finally:
        await journal.finish()


def _refusal(answer: str, claim: Claim) -> StewardError | None:
    if answer == "ok":
        return None
    if answer == "moved":
        return TailMoved(f"The journal of run {claim.run_id} goes on from another entry: read its tail.")
    return Fenced(f"Worker {claim.owner} does not own run {claim.run_id} any more (claim {claim.epoch}).")


def _unkeepable(error: Exception) -> InvalidInput:
    reason = next(iter(str(error).splitlines()), type(error).__name__).rstrip(".")
    return InvalidInput(f"The journal cannot keep this: {reason}.", hint="Nothing was written.")


def _values(batch: Sequence[_Append]) -> dict[str, Any]:
    entries = [entry for append in batch for entry in append.entries]
    return {
        "runs": [run_uuid(append.claim.run_id) for append in batch],
        "owners": [append.claim.owner for append in batch],
        "epochs": [append.claim.epoch for append in batch],
        "run": [run_uuid(entry.run_id) for entry in entries],
        "rows": Jsonb([_side(append, row) for append in batch for row in append.rows]),
    } | {
        column: [getattr(entry, column) for entry in entries]
        for column in ("seq", "at", "kind", "cause", "body", "salt", "body_digest", "prev_hash", "hash")
    }


def _side(append: _Append, row: SideRow) -> dict[str, Any]:
    """A row as ``steward_write_rows`` takes it."""
    run_id = append.claim.run_id
    match row:
        case AskReview(card):
            return {
                "what": "ask",
                "run_id": run_id,
                "id": card.id,
                "at": card.asked_at.isoformat(),
                "kind": card.kind.value,
                "card": card.model_dump_json(),
                "approvers": list(card.approvers),
            }
        case CloseReview(review_id, status, why):
            at = append.entries[-1].at.isoformat() if append.entries else None
            return {
                "what": "close",
                "run_id": run_id,
                "id": review_id,
                "at": at,
                "status": status.value,
                "why": why,
            }
        case EscalateReview(review_id, approvers, escalation):
            return {
                "what": "escalate",
                "run_id": run_id,
                "id": review_id,
                "approvers": list(approvers),
                "escalation": escalation.model_dump_json(),
            }
        case SetTimer(timer_id, due_at):
            return {"what": "timer", "run_id": run_id, "id": timer_id, "at": due_at.isoformat()}
        case Subscribe(step, wanted, since, until, after):
            return {
                "what": "subscribe",
                "run_id": run_id,
                "id": step,
                "at": until.isoformat(),
                "wanted": dict(wanted),
                "since": since.isoformat(),
                "after": after,
            }
        case RelyOn(rule_id, at):
            return {"what": "rely", "run_id": run_id, "id": rule_id, "at": at.isoformat()}
        case SuspendRule(rule_id, why, at):
            return {"what": "suspend", "run_id": run_id, "id": rule_id, "why": why, "at": at.isoformat()}


def _entry(row: DictRow) -> Entry:
    return Entry(**{**row, "run_id": str(row["run_id"])})
