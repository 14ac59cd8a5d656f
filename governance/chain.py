"""The hash chain of a journal: how an entry is sealed, and how anyone verifies a list of them offline.

``hash`` covers ``body_digest = sha256(salt || body)``, not the body, so that a person's data can be erased (body and
salt blanked) while the chain stays valid. Every part is length-prefixed, so no two entries share a preimage.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from governance.canonical import canonical_json
from governance.events import BODY, Body

GENESIS = bytes(32)
SALT_BYTES = 16


@dataclass(frozen=True)
class Event:
    """What is to be journaled. ``cause`` is unique in a run: journaling the same thing twice cannot happen."""

    cause: str
    body: Body


@dataclass(frozen=True)
class Entry:
    """One row of a journal. ``body`` is canonical JSON text; None, with ``salt`` None, after erasure."""

    run_id: str
    seq: int
    at: datetime
    kind: str
    cause: str
    body: str | None
    salt: bytes | None
    body_digest: bytes
    prev_hash: bytes
    hash: bytes

    def parsed(self) -> Body | None:
        """The event, or None when it was erased.

        Raises:
            pydantic.ValidationError: the body is not an event of a known kind.

        """
        return None if self.body is None else BODY.validate_json(self.body)


def seal(run_id: str, event: Event, *, seq: int, at: datetime, prev_hash: bytes, salt: bytes) -> Entry:
    """The entry that follows ``prev_hash`` (GENESIS for the first, which has ``seq`` 1)."""
    body = canonical_json(event.body.model_dump(mode="json"))
    body_digest = hashlib.sha256(salt + body.encode()).digest()
    kind = event.body.kind
    sealed = _hash(prev_hash, run_id, seq, at, kind, event.cause, body_digest)
    return Entry(run_id, seq, at, kind, event.cause, body, salt, body_digest, prev_hash, sealed)


def to_record(entry: Entry) -> dict[str, Any]:
    """The entry as plain JSON (hashes in hexadecimal): a line of an exported journal."""
    return {
        "run_id": entry.run_id,
        "seq": entry.seq,
        "at": _moment(entry.at),
        "kind": entry.kind,
        "cause": entry.cause,
        "body": entry.body,
        "salt": entry.salt.hex() if entry.salt is not None else None,
        "body_digest": entry.body_digest.hex(),
        "prev_hash": entry.prev_hash.hex(),
        "hash": entry.hash.hex(),
    }


def from_record(record: Mapping[str, Any]) -> Entry:
    """The entry of an exported line.

    Raises:
        KeyError, TypeError, ValueError, OverflowError: the record is not one.

    """
    return Entry(
        run_id=_text(record["run_id"]),
        seq=int(record["seq"]),
        at=datetime.fromisoformat(record["at"]).astimezone(UTC),
        kind=_text(record["kind"]),
        cause=_text(record["cause"]),
        body=_text(record["body"]) if record["body"] is not None else None,
        salt=bytes.fromhex(record["salt"]) if record["salt"] is not None else None,
        body_digest=bytes.fromhex(record["body_digest"]),
        prev_hash=bytes.fromhex(record["prev_hash"]),
        hash=bytes.fromhex(record["hash"]),
    )


def _text(value: object) -> str:
    """A text that can be hashed. Raises TypeError or ValueError."""
    if not isinstance(value, str):
        raise TypeError(value)
    value.encode()
    return value


@dataclass(frozen=True)
class Broken:
    """Where a chain does not hold, and why."""

    run_id: str
    seq: int
    why: str


@dataclass(frozen=True)
class Verified:
    """The result of a verification: how much was looked at, what of it belongs to erased runs, what does not hold."""

    runs: int
    entries: int
    erased: int
    broken: tuple[Broken, ...]

    @property
    def ok(self) -> bool:
        """True when every chain holds."""
        return not self.broken


@dataclass
class _Read:
    """What was read of one run's chain so far."""

    last: Entry | None = None
    whole: int = 0
    blanked: int = 0
    first_blanked: int = 0
    ended: bool = False

    def add(self, entry: Entry) -> None:
        self.last = entry
        self.ended |= entry.kind == "run.ended"
        if entry.body is None:
            self.blanked += 1
            self.first_blanked = self.first_blanked or entry.seq
        else:
            self.whole += 1

    @property
    def erased(self) -> bool:
        """Erasure blanks all entries of a run that has ended, or none."""
        return self.blanked > 0 and self.whole == 0 and self.ended


def verify(entries: Iterable[Entry]) -> Verified:
    """Check the chains of any number of runs. Entries of a run must come in order of ``seq``.

    Where entries are blanked though their run was not erased, the first of them is named.
    """
    chains: dict[str, _Read] = {}
    broken: list[Broken] = []
    for entry in entries:
        chain = chains.setdefault(entry.run_id, _Read())
        why = _fault(entry, chain.last)
        if why:
            broken.append(Broken(entry.run_id, entry.seq, why))
        chain.add(entry)
    for run_id, chain in chains.items():
        if chain.blanked and not chain.erased:
            broken.append(Broken(run_id, chain.first_blanked, "blanked, though its run was not erased"))
    places = {run_id: place for place, run_id in enumerate(chains)}
    return Verified(
        runs=len(chains),
        entries=sum(chain.whole + chain.blanked for chain in chains.values()),
        erased=sum(chain.blanked for chain in chains.values() if chain.erased),
        broken=tuple(sorted(broken, key=lambda found: (places[found.run_id], found.seq))),
    )


def _fault(entry: Entry, before: Entry | None) -> str:
    expected_seq = before.seq + 1 if before else 1
    if entry.seq != expected_seq:
        return f"expected number {expected_seq}, found {entry.seq}: entries are missing or out of order"
    if entry.prev_hash != (before.hash if before else GENESIS):
        return "does not continue the entry before it"
    if (entry.body is None) != (entry.salt is None):
        return "body and salt are there together, or both blanked"
    if not _is_sealed_body(entry):
        return "the body is not the one that was sealed"
    seal_now = _hash(entry.prev_hash, entry.run_id, entry.seq, entry.at, entry.kind, entry.cause, entry.body_digest)
    return "" if seal_now == entry.hash else "the entry is not the one that was sealed"


def _is_sealed_body(entry: Entry) -> bool:
    if entry.body is None or entry.salt is None:
        return True
    return hashlib.sha256(entry.salt + entry.body.encode()).digest() == entry.body_digest


def _hash(prev_hash: bytes, run_id: str, seq: int, at: datetime, kind: str, cause: str, body_digest: bytes) -> bytes:
    parts = (
        prev_hash,
        run_id.encode(),
        str(seq).encode(),
        _moment(at).encode(),
        kind.encode(),
        cause.encode(),
        body_digest,
    )
    sealed = hashlib.sha256()
    for part in parts:
        sealed.update(len(part).to_bytes(4, "big"))
        sealed.update(part)
    return sealed.digest()


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
