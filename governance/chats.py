"""What people and Steward say to each other in chat. A thread shows runs, it never holds them: it may be dropped."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class Thread:
    """A conversation of one person. ``draft`` is a request that is being completed in it, as JSON, or None."""

    id: str
    person: str
    name: str
    draft: str | None
    begun_at: datetime
    touched_at: datetime


@dataclass(frozen=True)
class Remark:
    """Something said in a thread. ``said_by`` is a person's id, or empty for Steward.

    ``run`` and ``reviews`` are ids of what is drawn below the words, from their own rows; ``card`` is a drawing that
    has no row of its own (``name`` and ``props``), or empty.
    """

    id: str
    said_by: str
    text: str
    at: datetime
    run: str = ""
    reviews: tuple[str, ...] = ()
    card: dict[str, Any] = field(default_factory=dict)
