"""The handle through which an operation reads and changes its system's records, and by which effects get counted."""

import json
import sqlite3
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from sandbox.engine.refusal import not_found
from sandbox.engine.store import JsonObject, stamp


@dataclass(frozen=True)
class Call:
    """One request as the engine sees it. `key` is its Idempotency-Key, if it has one."""

    system: str
    operation: str
    method: str
    path: str
    key: str | None
    body: bytes


class Work:
    """What one call does within its transaction, on the records of its own system."""

    def __init__(self, db: sqlite3.Connection, call: Call, now: float, lag: float) -> None:
        self._db = db
        self._call = call
        self._records = Records(db, call.system)
        self._seconds = now
        self.now = stamp(now)
        self.indexed_until = stamp(now - lag)

    def new_id(self, prefix: str, digits: int = 4) -> str:
        """Give the next id of this prefix; the first 100 numbers belong to the seeded records."""
        row = self._db.execute(
            "INSERT INTO counters VALUES (?, 101) ON CONFLICT (prefix) DO UPDATE SET last = last + 1 RETURNING last",
            (prefix,),
        ).fetchone()
        return f"{prefix}{row['last']:0{digits}d}"

    def get(self, kind: str, identifier: str) -> JsonObject:
        """Give the record, or refuse with 404."""
        record = self._records.get(kind, identifier)
        if record is None:
            raise not_found(kind, identifier)
        return record

    def find(self, kind: str, **wanted: str | None) -> list[JsonObject]:
        """Give the records whose text fields have all these values; None means that the field does not matter."""
        return self._records.find(kind, {name: value for name, value in wanted.items() if value is not None})

    def keep(
        self, kind: str, identifier: str, record: JsonObject, *, subject: str, reference: str | None
    ) -> JsonObject:
        """Write the record, new or changed, count one effect on `subject`, and give the record back."""
        self.change(kind, identifier, record)
        self.effect(identifier, subject=subject, reference=reference)
        return record

    def change(self, kind: str, identifier: str, record: JsonObject) -> None:
        """Write a record that only goes along with an effect counted elsewhere."""
        self._records.put(kind, identifier, record)

    def remove(self, kind: str, identifier: str, *, subject: str, reference: str | None) -> None:
        """Delete the record and count one effect on `subject`."""
        self._records.remove(kind, identifier)
        self.effect(identifier, subject=subject, reference=reference)

    def effect(self, identifier: str, *, subject: str, reference: str | None) -> None:
        """Count one effect of this call."""
        self._db.execute(
            "INSERT INTO effects (at, system, operation, subject, id, key, reference) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (self.now, self._call.system, self._call.operation, subject, identifier, self._call.key, reference),
        )

    def allow_token(self, token: str, seconds: float) -> None:
        """Let this access token open the system for some seconds; old tokens are cleared away."""
        self._db.execute("DELETE FROM tokens WHERE ends <= ?", (self._seconds,))
        self._db.execute("INSERT INTO tokens VALUES (?, ?, ?)", (token, self._call.system, self._seconds + seconds))


class Records:
    """The records of one system, as JSON documents by kind and id."""

    def __init__(self, db: sqlite3.Connection, system: str) -> None:
        self._db = db
        self._system = system

    def get(self, kind: str, identifier: str) -> JsonObject | None:
        """Give the record, or None."""
        row = self._db.execute(
            "SELECT body FROM records WHERE system = ? AND kind = ? AND id = ?", (self._system, kind, identifier)
        ).fetchone()
        return _loaded(row) if row else None

    def find(self, kind: str, wanted: dict[str, str]) -> list[JsonObject]:
        """Give the records whose text fields have all these values, in the order of their ids."""
        first = next(iter(wanted.items()), None)
        if first is None:
            rows = self._db.execute(
                "SELECT body FROM records WHERE system = ? AND kind = ? ORDER BY id", (self._system, kind)
            )
        else:
            rows = self._db.execute(
                "SELECT body FROM fields JOIN records USING (system, kind, id)"
                " WHERE system = ? AND kind = ? AND field = ? AND value = ? ORDER BY id",
                (self._system, kind, *first),
            )
        found = [_loaded(row) for row in rows]
        return [record for record in found if all(record.get(name) == value for name, value in wanted.items())]

    def put(self, kind: str, identifier: str, record: JsonObject, *, seeded: bool = False) -> None:
        """Write the record and make it findable by each of its text fields. A seeded record stays marked as one."""
        self._unlist(kind, identifier)
        self._db.execute(
            "INSERT INTO records VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET body = excluded.body",
            (self._system, kind, identifier, seeded, json.dumps(record)),
        )
        texts = [(name, value) for name, value in record.items() if isinstance(value, str)]
        self._db.executemany(
            "INSERT INTO fields VALUES (?, ?, ?, ?, ?)",
            [(self._system, kind, name, value, identifier) for name, value in texts],
        )

    def remove(self, kind: str, identifier: str) -> None:
        """Delete the record, if it is there."""
        self._unlist(kind, identifier)
        self._db.execute(
            "DELETE FROM records WHERE system = ? AND kind = ? AND id = ?", (self._system, kind, identifier)
        )

    def _unlist(self, kind: str, identifier: str) -> None:
        old = self.get(kind, identifier) or {}
        self._db.executemany(
            "DELETE FROM fields WHERE system = ? AND kind = ? AND field = ? AND value = ? AND id = ?",
            [(self._system, kind, name, old[name], identifier) for name in old if isinstance(old[name], str)],
        )


async def current_work(request: Request) -> Work:
    """Hand the engine's transaction to the operation (a FastAPI dependency)."""
    work = request.state.work
    if not isinstance(work, Work):
        raise TypeError("The operation was called without the engine.")
    return work


Working = Annotated[Work, Depends(current_work)]


def _loaded(row: sqlite3.Row) -> JsonObject:
    record = json.loads(row["body"])
    if not isinstance(record, dict):
        raise TypeError("A record is always an object.")
    return record
