"""Faults: what goes wrong on purpose, ordered through the control app and struck by the engine."""

import json
import sqlite3
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from sandbox.engine.store import JsonObject
from sandbox.engine.work import Call

FaultKind = Literal[
    "latency",
    "status",
    "error_before",
    "error_after",
    "hang_before",
    "hang_after",
    "drop_before",
    "drop_after",
    "malformed",
]


class Fault(BaseModel):
    """One ordered fault. `times` None: until removed. `seconds` and `status` default by kind."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    system: str
    kind: FaultKind
    operation: str | None = None
    method: str | None = None
    path_prefix: str | None = None
    times: int | None = Field(default=1, ge=1)
    seconds: float | None = Field(default=None, ge=0, le=3600)
    status: int | None = Field(default=None, ge=400, le=599)
    retry_after: int | None = Field(default=None, ge=0)

    @property
    def after(self) -> bool:
        """Whether it strikes after the effect was committed."""
        return self.kind.endswith("_after") or self.kind == "malformed"

    @property
    def wait(self) -> float:
        """How long it delays or hangs, in seconds."""
        if self.seconds is not None:
            return self.seconds
        return 1.0 if self.kind == "latency" else 30.0

    @property
    def answer_status(self) -> int:
        """The HTTP status that it answers with."""
        return self.status or (503 if self.kind == "status" else 500)

    def hits(self, call: Call) -> bool:
        """Tell whether it is meant for this call."""
        return (
            self.system in {"*", call.system}
            and self.operation in {None, call.operation}
            and (self.method is None or self.method.upper() == call.method)
            and call.path.startswith(self.path_prefix or "")
        )


def order(db: sqlite3.Connection, fault: Fault) -> JsonObject:
    """Store a fault and give it with its id."""
    row = (fault.system, fault.kind, fault.model_dump_json(), fault.times)
    cursor = db.execute("INSERT INTO faults (system, kind, body, left_over) VALUES (?, ?, ?, ?)", row)
    return {"id": cursor.lastrowid, **fault.model_dump(), "left": fault.times, "struck": 0}


def listed(db: sqlite3.Connection) -> list[JsonObject]:
    """Give all faults, with how often each struck and may still strike."""
    rows = db.execute("SELECT * FROM faults ORDER BY id").fetchall()
    return [
        {"id": row["id"], **json.loads(row["body"]), "left": row["left_over"], "struck": row["struck"]} for row in rows
    ]


def take(db: sqlite3.Connection, call: Call, *, after: bool) -> Fault | None:
    """Take one strike of the oldest fault that is meant for this call at this moment."""
    rows = db.execute(
        "SELECT id, body FROM faults WHERE system IN ('*', ?) AND (left_over IS NULL OR left_over > 0) ORDER BY id",
        (call.system,),
    ).fetchall()
    for row in rows:
        fault = Fault.model_validate_json(row["body"])
        if fault.after == after and fault.hits(call):
            db.execute("UPDATE faults SET struck = struck + 1, left_over = left_over - 1 WHERE id = ?", (row["id"],))
            return fault
    return None
