"""A run while it is being worked on: its fold, and the one place from which its journal grows.

What happens is noted (:meth:`LiveRun.note`) or recorded (:meth:`LiveRun.record`). A note is sealed and folded at once and
becomes durable with whatever comes next; a record returns when it, and all that was noted before, is durable. So what must
be known before a byte leaves the process is recorded, and the rest costs no round trip of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from governance import events as ev
from governance.addresses import Addresses, mark
from governance.chain import SALT_BYTES, Entry, Event, seal
from governance.clock import Clock
from governance.effects import Failure, Intent, LookupAnswer
from governance.errors import Corrupt, Fenced
from governance.runs import Claim, InboxRow, SetTimer, SideRow
from governance.text import legible
from graphs.causes import nameless
from graphs.fold import RunFold
from graphs.ports import JournalStore
from graphs.transitions import advance, fold

Entropy = Callable[[int], bytes]
OnEntry = Callable[[Entry], None]


NOTES_WAIT_SECONDS = 0.1
"""How long a note waits at most for something that shares its round trip."""


class LiveRun:
    """One claim's view of one run. Not to be shared between claims."""

    def __init__(self, claim: Claim, store: JournalStore, clock: Clock, entropy: Entropy, state: RunFold) -> None:
        self.claim = claim
        self.state = state
        self.clock = clock
        self.first_seq = state.seq
        self.on_entry: OnEntry = lambda _entry: None
        self.store = store
        self.left: Sequence[InboxRow] | None = None
        """What was left for the run when the slice began, until it is looked at."""
        self.causes: set[str] = set()
        """The causes of all that happened under this claim, durable or not."""
        self._entropy = entropy
        self._ending: set[tuple[str, int]] = set()
        self._entries: list[Entry] = []
        self._rows: list[SideRow] = []
        self._callers: list[asyncio.Future[None]] = []
        self._told: list[asyncio.Future[None]] = []
        self._flusher: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._broken: BaseException | None = None

    @classmethod
    async def open(
        cls, claim: Claim, store: JournalStore, clock: Clock, entropy: Entropy, *, known: RunFold | None = None
    ) -> LiveRun:
        """Read the journal to its head and fold it; from ``known`` on, where that is how it begins.

        Raises:
            Corrupt: there is a run and no journal.

        """
        entries = await store.read(claim.run_id, known.seq if known else 0)
        if known is not None and entries and entries[0].prev_hash != known.head:
            entries, known = await store.read(claim.run_id), None
        if known is None and not entries:
            raise Corrupt(f"run {claim.run_id} has no journal")
        return cls(claim, store, clock, entropy, fold(claim.run_id, entries, known))

    @property
    def progressed(self) -> bool:
        """Something was journaled under this claim."""
        return self.state.seq > self.first_seq

    def claim_end(self, step: str) -> bool:
        """Whether the caller may end this life of a step: only the first to ask may. A call and its callback may race."""
        known = self.state.step(step)
        if known.ended is not None or (step, known.life) in self._ending:
            return False
        self._ending.add((step, known.life))
        return True

    async def record(self, *events: Event, rows: Sequence[SideRow] = ()) -> None:
        """Make events and their rows durable, together and in this order, with what was noted before.

        Raises:
            Fenced: this worker does not own the run any more. Nothing can be recorded after that.
            DatabaseUnavailable: nothing is known to be written; the same holds.

        """
        self._take(events, rows)
        await self.settled()

    def note(self, *events: Event, rows: Sequence[SideRow] = ()) -> None:
        """Let events and their rows hold from now on; durable with the next record, at the end of the slice, or soon.

        For what may be lost with the process: nothing has left it that hangs on them.

        Raises:
            Fenced, DatabaseUnavailable: as :meth:`record`, of what was noted before.

        """
        self._take(events, rows)
        if self._timer is None and self._flusher is None:
            self._timer = asyncio.get_running_loop().call_later(NOTES_WAIT_SECONDS, self.push)

    def push(self) -> None:
        """Begin to make durable what was noted; nobody waits for it."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._flusher is None and self._broken is None and (self._entries or self._callers):
            self._flusher = asyncio.create_task(self._flush())
            self._flusher.add_done_callback(self._flushed)

    def drop(self) -> None:
        """Write nothing more: the run is not ours any more, and what was noted last comes to nothing."""
        if self._timer is not None:
            self._timer.cancel()
        if self._entries and self._broken is None:
            self._broken = Fenced("the run belongs to another worker now")

    async def settled(self) -> None:
        """Return when all that was noted is durable. Raises what :meth:`record` does."""
        if self._broken is not None:
            raise self._broken
        if not self._entries and self._flusher is None:
            return
        told: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._callers.append(told)
        self.push()
        await told  # its own: a caller that is cancelled takes nobody's events with it

    async def _flush(self) -> None:
        while self._entries or self._callers:
            self._told, self._callers = self._callers, []
            entries, self._entries = self._entries, []
            rows, self._rows = self._rows, []
            if entries:
                await self.store.append(self.claim, entries, rows)
                for entry in entries:
                    self.on_entry(entry)
            for told in self._told:
                if not told.done():
                    told.set_result(None)
        # Here and not in the callback: whoever was just told may record more before the callback runs.
        self._flusher = None

    def _flushed(self, flusher: asyncio.Task[None]) -> None:
        error = Fenced("the slice was cut off") if flusher.cancelled() else flusher.exception()
        if error is None:
            return
        self._broken = error
        for told in (*self._told, *self._callers):
            if not told.done():
                told.set_exception(error)

    def _take(self, events: Sequence[Event], rows: Sequence[SideRow]) -> None:
        if self._broken is not None:
            raise self._broken
        for entry in self._seal(events):
            self.state = advance(self.state, entry)
            self._entries.append(entry)
            self.causes.add(entry.cause)
        self._rows += rows

    def _seal(self, events: Sequence[Event]) -> list[Entry]:
        entries: list[Entry] = []
        seq, head = self.state.seq, self.state.head
        at = self._now()
        for event in events:
            seq += 1
            salt = self._entropy(SALT_BYTES)
            named = replace(event, cause=nameless(self.state.expanded, event.cause)) if self.state.expanded else event
            entries.append(seal(self.claim.run_id, named, seq=seq, at=at, prev_hash=head, salt=salt))
            head = entries[-1].hash
        return entries

    def _now(self) -> datetime:
        # Business time never goes back within a run, whatever machine it moved to.
        now = self.clock.now()
        return max(now, self.state.at) if self.state.at else now


class RunLedger:
    """The ledger that invocation writes to, over a live run (the port is ``tools.contract.Ledger``)."""

    def __init__(self, run: LiveRun, addresses: Addresses | None = None) -> None:
        self._run = run
        self._addresses = addresses

    async def intended(self, intent: Intent) -> None:
        """The note before an effect."""
        life = self._run.state.step(intent.step).life
        await self._run.record(Event(f"step:{intent.step}:{life}:intended", ev.StepIntended(intent=intent)))

    async def trying(self, step: str) -> None:
        """An open intent is about to be sent again."""
        known, seq = self._run.state.step(step), self._run.state.seq + 1
        address = self._addresses.of(self._run.state.run_id, step, known.life) if self._addresses else ""
        body = ev.StepTried(step=step, callback=mark(address) if address and known.addresses else "")
        await self._run.record(Event(f"step:{step}:{known.life}:tried:{seq}", body))

    async def attempted(self, step: str, number: int, failure: Failure, retry_at: datetime | None) -> None:
        """An attempt failed."""
        life = self._run.state.step(step).life
        body = ev.StepAttempted(step=step, number=number, failure=failure, retry_at=retry_at)
        await self._run.record(Event(f"step:{step}:{life}:attempt:{number}", body))

    async def reconciled(self, step: str, answer: LookupAnswer, evidence: str) -> None:
        """The system was asked whether a lost call had happened."""
        body = ev.StepReconciled(step=step, answer=answer, evidence=legible(evidence))
        await self._run.record(Event(f"step:{step}:reconciled:{self._run.state.seq + 1}", body))


def waiting(step: str, until: datetime, why: str, *, doubt: bool, seq: int) -> tuple[Event, SetTimer]:
    """The event that a step waits, and the timer that ends the wait."""
    body = ev.StepWaiting(step=step, until=until, why=why, doubt=doubt)
    return Event(f"step:{step}:waiting:{seq}", body), SetTimer(f"step:{step}", until)
