"""What the application needs kept and done, as ports; ``runtime.wiring`` joins them to ``memory`` and the worker."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from governance.chain import Broken, Entry
from governance.chats import Remark, Thread
from governance.events import RunStatus
from governance.models import ModelsStatus
from governance.reviews import Verdict
from governance.runs import Claim, InboxRow, InputKind, Rest, ReviewRow, RunRow
from governance.systems import SystemStatus


class RunStore(Protocol):
    """All runs, as rows; the run row is the queue entry."""

    async def find_prefix(self, text: str) -> RunRow: ...
    async def get(self, run_id: str) -> RunRow: ...
    async def children(self, run_id: str) -> list[RunRow]: ...
    async def list(self, *, limit: int = 50, status: RunStatus | None = None) -> list[RunRow]: ...
    async def claim(
        self, owner: int, limit: int, lease: timedelta, company: tuple[int, int] = ...
    ) -> Sequence[Claim]: ...
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
    async def loose_ends(self, run_id: str | None = None) -> list[Broken]: ...


class InboxWriter(Protocol):
    """Where something is left for a run."""

    async def put(
        self, run_id: str, kind: InputKind, body: dict[str, Any], *, dedupe: str | None = None
    ) -> InboxRow: ...
    async def left(self, run_id: str, dedupe: str) -> InboxRow | None: ...


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
    models: Callable[[], Awaitable[ModelsStatus]]


class Timers(Protocol):
    """Fires what is due in business time."""

    async def fire_due(self, now: datetime) -> int: ...


class Bell(Protocol):
    """Says that some run may be due, or that so much time has passed."""

    async def rung(self, seconds: float) -> None: ...


class Workshop(Protocol):
    """Workers of this process."""

    def working(self) -> AbstractAsyncContextManager[None]: ...
    async def work_forever(self) -> None: ...
