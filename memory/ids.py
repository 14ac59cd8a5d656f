"""Ids: UUIDv7 for what we name ourselves, and the digest that stands for a foreign key text."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from uuid import UUID

import uuid_utils

from governance.errors import NotFound

_SHORTEST_BEGINNING = 4


def new_id() -> str:
    """A new UUIDv7: for runs and inbox rows. Later ids sort after earlier ones."""
    return str(uuid_utils.uuid7())


@lru_cache(maxsize=4096)
def run_uuid(run_id: str) -> UUID:
    """The id of a run as PostgreSQL keeps it; NotFound when it is not one."""
    try:
        return UUID(run_id)
    except ValueError:
        raise no_run(run_id) from None


def no_run(text: str) -> NotFound:
    """The error for a run that nobody knows."""
    return NotFound(f"There is no run {text!r}.", hint="`steward runs` lists them.")


def demand_length(beginning: str, given: str) -> None:
    """Refuse a beginning of an id that is too short to mean anything; ``given`` is how it was written.

    Raises:
        NotFound: it has fewer than 4 characters.

    """
    if len(beginning) < _SHORTEST_BEGINNING:
        raise NotFound(
            f"{given!r} is too little of an id.", hint=f"Give at least {_SHORTEST_BEGINNING} of its characters."
        )


def fingerprint(dedupe: str | None) -> bytes | None:
    """SHA-256 of a dedupe key: a key may hold a person's data, its fingerprint survives their erasure."""
    return None if dedupe is None else hashlib.sha256(dedupe.encode()).digest()
