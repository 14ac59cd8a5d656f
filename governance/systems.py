"""Systems as all workers see them: how healthy one is, how busy, and how often it may be called."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True)
class Health:
    """A system's state, shared by all workers. Moments are business time.

    ``failures`` in a row; ``opened_at``: since when it is left alone; ``why``: the last failure; ``not_before``: it asked
    everybody to slow down until then.
    """

    name: str
    failures: int = 0
    opened_at: datetime | None = None
    why: str = ""
    not_before: datetime | None = None


@dataclass(frozen=True)
class Permit:
    """The right to have one call in flight. ``slot`` None: nothing is shared, the process counts by itself."""

    system: str
    slot: int | None = None
    generation: int = 0


@dataclass(frozen=True)
class Turn:
    """When a call may go, from now: in ``wait``; ``taken``: its place is reserved, else it must ask again then."""

    wait: timedelta = timedelta(0)
    taken: bool = True


@dataclass(frozen=True)
class Busy:
    """What is known of a system at this moment: ``in_flight`` permits over all workers, and its health."""

    in_flight: int = 0
    probing: bool = False
    opened_at: datetime | None = None
    why: str = ""
    not_before: datetime | None = None


@dataclass(frozen=True)
class SystemStatus:
    """A system for people to see.

    ``breaker``: closed, open or half_open; ``in_flight``: permits in use over all workers, of ``limit``; ``rate``: calls
    a second, 0 for no limit.
    """

    name: str
    title: str
    url: str
    breaker: str
    since: datetime | None
    why: str
    not_before: datetime | None
    in_flight: int
    limit: int
    rate: float
    burst: int
