"""What the application needs kept and done, as ports; ``runtime.wiring`` joins them to ``memory`` and the worker."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from governance.autonomy import AutonomyRule, RuleStatus
from governance.chain import Broken, Entry
from governance.chats import Remark, Thread
from governance.decisions import DecisionKind
from governance.events import RunStatus
from governance.models import ModelsStatus
from governance.outside import OutsideEvent, Published
from governance.record import Wanted
from governance.reviews import Verdict
from governance.runs import Claim, InboxRow, InputKind, Rest, ReviewRow, RunRow
from governance.scores import Score
from governance.scoring import Scored
from governance.systems import SystemStatus
from governance.templates import Missed, TemplateRow


class RunStore(Protocol):
    """All runs, as rows; the run row is the queue entry."""

    async def find_prefix(self, text: str) -> RunRow: ...
    async def get(self, run_id: str) -> RunRow: ...
    async def children(self, run_id: str) -> list[RunRow]: ...
    async def list(self, *, limit: int = 50, status: RunStatus | None = None) -> list[RunRow]: ...
    async def claim(
        self, owner: int, limit: int, lease: timedelta, company: tuple[int, int] = ...
    ) -> Sequence[Claim]: ...
    async def claim_crowd(self, owner: int, limit: int, crowd: int, lease: timedelta) -> Sequence[Claim]: ...
    async def isolate(self, claim: Claim) -> None: ...
    async def accompany(self, owner: int) -> None: ...
    async def finish(self, claim: Claim, rest: Rest, saver: object = None) -> int: ...
    async def wake(self, run_id: str) -> None: ...
    async def reap(self) -> int: ...


class ReviewStore(Protocol):
    """All reviews, as rows."""

    async def list(self, *, run_id: str | None = None, open_only: bool = True) -> list[ReviewRow]: ...
    async def find_prefix(self, text: str) -> ReviewRow: ...
    async def decide(self, review_id: str, verdict: Verdict, *, by: str, at: datetime) -> ReviewRow: ...


class JournalReader(Protocol):
    """All journals, to read."""

    async def read(self, run_id: str, after: int = 0) -> list[Entry]: ...
    def all_entries(self, run_id: str | None = None) -> AsyncIterator[Entry]: ...
    def deciding(self, kinds: Sequence[str], wanted: Wanted) -> AsyncGenerator[Entry, None]: ...
    async def loose_ends(self, run_id: str | None = None) -> list[Broken]: ...


class InboxWriter(Protocol):
    """Where something is left for a run."""

    async def put(
        self, run_id: str, kind: InputKind, body: dict[str, Any], *, dedupe: str | None = None
    ) -> InboxRow: ...
    async def left(self, run_id: str, dedupe: str) -> InboxRow | None: ...


class EventStore(Protocol):
    """Outside events: taken once, left for whoever waits (``memory.outside``)."""

    async def publish(self, event: OutsideEvent, at: datetime) -> Published: ...


class Follower(Protocol):
    """A run's journal as it grows."""

    def __call__(self, run_id: str, *, after: int, follow: bool) -> AsyncIterator[Entry]: ...


class Eraser(Protocol):
    """Erases the personal data of an ended run."""

    async def __call__(self, run_id: str, *, by: str, reason: str) -> None: ...


class ChatStore(Protocol):
    """Threads of the chat; each belongs to one person (``memory.chats``)."""

    async def say(
        self, thread_id: str, person: str, remark: Remark, *, runs: Iterable[str] = (), name: str = ""
    ) -> None: ...
    async def thread(self, thread_id: str) -> Thread | None: ...
    async def remarks(self, thread_id: str) -> list[Remark]: ...
    async def rename(self, thread_id: str, person: str, name: str) -> None: ...
    async def keep_draft(self, thread_id: str, person: str, draft: str | None) -> None: ...
    async def remove(self, thread_id: str, person: str) -> None: ...
    async def list(
        self, person: str, *, search: str | None = None, after: str | None = None, limit: int = 20
    ) -> list[Thread]: ...


class TemplateStore(Protocol):
    """Plans that are kept, as rows. ``write``: what this process has to say of them, now; ``refresh``: what others said."""

    async def write(self) -> None: ...
    async def refresh(self) -> None: ...
    async def rows(self, *, limit: int = 100) -> list[TemplateRow]: ...
    async def misses(self) -> list[Missed]: ...
    async def find_prefix(self, text: str) -> TemplateRow: ...
    async def drop(self, template: str, *, by: str, why: str, at: datetime) -> None: ...


class ScoreStore(Protocol):
    """What came of past decisions, as rows."""

    async def behind(self, *, after: str = "", limit: int = 100) -> list[str]: ...
    async def keep(self, run_id: str, seq: int, found: Scored) -> None: ...
    async def latest(self, kinds: Sequence[DecisionKind] | None = None) -> list[Score]: ...


class RuleStore(Protocol):
    """Earned rules, as rows."""

    async def list(self, status: RuleStatus | None = None) -> list[AutonomyRule]: ...
    async def find(self, text: str) -> AutonomyRule: ...
    async def propose(self, rule: AutonomyRule) -> None: ...
    async def become(
        self, rule_id: str, status: RuleStatus, *, by: str, at: datetime, why: str, until: datetime | None = None
    ) -> AutonomyRule: ...
    async def expire(self, now: datetime) -> None: ...
    async def holds(self, rule_id: str, now: datetime) -> bool: ...
    async def theirs(self, runs: Sequence[str]) -> dict[str, int]: ...


@dataclass(frozen=True)
class Store:
    """What is kept, as the application sees it."""

    runs: RunStore
    reviews: ReviewStore
    journal: JournalReader
    inbox: InboxWriter
    follow: Follower
    stirred: Callable[[], AsyncGenerator[None, None]]
    chats: ChatStore
    erase: Eraser
    systems: Callable[[], Awaitable[tuple[SystemStatus, ...]]]
    templates: TemplateStore
    models: Callable[[], Awaitable[ModelsStatus]]
    events: EventStore


class Timers(Protocol):
    """Fires what is due in business time."""

    async def fire_due(self, now: datetime) -> int: ...


class Hints(Protocol):
    """Yield at once, at each hint, and at least once a second: of wakes, and of what grows. Closing stops the watching."""

    def watch(self, run_id: str) -> AsyncGenerator[None, None]: ...
    def watch_growth(self, run_id: str) -> AsyncGenerator[None, None]: ...


class Bell(Protocol):
    """Says that some run may be due, or that so much time has passed."""

    async def rung(self, seconds: float) -> None: ...


class Workshop(Protocol):
    """Workers of this process."""

    def working(self) -> AbstractAsyncContextManager[None]: ...
    async def work_forever(self) -> None: ...
