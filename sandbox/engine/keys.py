"""Idempotency keys: the first good answer to a key is stored with its effect and replayed for the key's lifetime."""

import hashlib
import sqlite3

from fastapi import Response

from sandbox.engine.refusal import Refusal
from sandbox.engine.work import Call


def replay(db: sqlite3.Connection, call: Call, now: float, lifetime: float) -> Response | None:
    """Give the stored answer, or None when the key is new or its lifetime (seconds) is over.

    Raises Refusal (422) when the key was used for another call.
    """
    db.execute("DELETE FROM keys WHERE system = ? AND key = ? AND at <= ?", (call.system, call.key, now - lifetime))
    row = db.execute("SELECT * FROM keys WHERE system = ? AND key = ?", (call.system, call.key)).fetchone()
    if row is None:
        return None
    if row["fingerprint"] != _fingerprint(call):
        raise Refusal(422, "key_reused", "This Idempotency-Key was used for another request; take a new key.")
    return Response(row["body"], row["status"], {"Idempotent-Replay": "true"}, "application/json")


def remember(db: sqlite3.Connection, call: Call, now: float, answer: Response) -> None:
    """Store the answer under the call's key."""
    row = (call.system, call.key, _fingerprint(call), now, answer.status_code, bytes(answer.body))
    db.execute("INSERT INTO keys VALUES (?, ?, ?, ?, ?, ?)", row)


def _fingerprint(call: Call) -> str:
    return hashlib.sha256(b"\0".join([call.method.encode(), call.path.encode(), call.body])).hexdigest()
