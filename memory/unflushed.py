"""Checkpoints that wait to be written: rows of LangGraph's tables, in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from langgraph.checkpoint.serde.types import ERROR, INTERRUPT
from psycopg.types.json import Jsonb

_POINT = ("thread", "ns", "id", "parent", "checkpoint", "metadata")
_BLOB = ("thread", "ns", "channel", "version", "type", "blob")
_WRITE = ("thread", "ns", "id", "task", "idx", "path", "channel", "type", "blob", "replace")
_TOLD = (INTERRUPT, ERROR)
_Key = tuple[str, ...]


@dataclass
class Unflushed:
    """Rows that wait to be written, by their primary keys; a later row replaces an earlier one where LangGraph would.

    ``checkpoints``: parent, checkpoint, metadata. ``blobs``: type, bytes. ``writes``: path, channel, type, bytes, and
    whether it replaces one that is there.
    """

    checkpoints: dict[_Key, tuple[str | None, dict[str, Any], Any]] = field(default_factory=dict)
    blobs: dict[_Key, tuple[str, bytes | None]] = field(default_factory=dict)
    writes: dict[tuple[str, str, str, str, int], tuple[str, str, str, bytes, bool]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.checkpoints or self.blobs or self.writes)

    def lasting(self) -> Unflushed:
        """Without the results of tasks that a later checkpoint holds: they were there for a crash in between.

        What was asked and what went wrong stays, for whoever looks back.
        """
        held = {(thread, ns, row[0]) for (thread, ns, _), row in self.checkpoints.items()}
        writes = {key: row for key, row in self.writes.items() if key[:3] not in held or row[1] in _TOLD}
        return Unflushed(self.checkpoints, self.blobs, writes)

    def forget(self, thread_id: str) -> None:
        """Drop the rows of a thread."""
        self.checkpoints = {key: row for key, row in self.checkpoints.items() if key[0] != thread_id}
        self.blobs = {key: row for key, row in self.blobs.items() if key[0] != thread_id}
        self.writes = {key: row for key, row in self.writes.items() if key[0] != thread_id}


def columns(unflushed: Sequence[Unflushed]) -> dict[str, Any]:
    """The rows as arrays, one a column, as ``sql/checkpoints.sql`` and ``sql/runs.sql`` take them."""
    points = [(*key, *row) for rows in unflushed for key, row in rows.checkpoints.items()]
    blobs = [(*key, *row) for rows in unflushed for key, row in rows.blobs.items()]
    writes = [(*key, *row) for rows in unflushed for key, row in rows.writes.items()]
    told = _turned("c", _POINT, points) | _turned("b", _BLOB, blobs) | _turned("w", _WRITE, writes)
    return told | {name: [Jsonb(value) for value in told[name]] for name in ("c_checkpoint", "c_metadata")}


def _turned(table: str, names: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> dict[str, list[Any]]:
    turned = zip(*rows, strict=True) if rows else ([] for _ in names)
    return {f"{table}_{name}": list(column) for name, column in zip(names, turned, strict=True)}
