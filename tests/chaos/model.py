"""B10: a run's row, journal, inbox, reviews and timers on real PostgreSQL, step by step beside a small model of them.

Hypothesis chooses what happens: wakes, claims, crashes, appends and finishes by those who may and by those who may not any
more, verdicts, cancels, timers. After each step the rows must be what the model says. How long a run rests after claims
that came to nothing is not modelled: whatever was reaped is woken at once.
"""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar, cast

import hypothesis.strategies as st
import psycopg
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from governance.chain import verify
from governance.errors import AlreadyDecided, Fenced, Refused, TailMoved
from governance.events import ENDED, RunStatus
from governance.reviews import ReviewStatus, approve
from governance.runs import AskReview, Claim, CloseReview, InputKind, Rest, SetTimer, SideRow
from memory.database import Database, open_database
from memory.inbox import Inbox
from memory.journal import Journal, open_journal
from memory.reviews import Reviews
from memory.runs import Runs
from memory.timers import Timers
from tests.chaos.ground import Ground, a_database
from tests.chaos.results import Result, some
from tests.conftest import DatabaseUrls
from tests.fakes import FIRST_MOMENT
from tests.fixtures.journals import Chain, card

T = TypeVar("T")
_LEASE = timedelta(hours=1)
_WORKERS = 2
_ROWS = b"""
SELECT id, owner, epoch, ended_at, wake_at, (SELECT max(seq) FROM journal WHERE run_id = run.id) AS seq
FROM run WHERE id = ANY (%s::uuid[])
"""
_BY = "grace.hopper@acme.example"


@dataclass
class ModelRun:
    """What a run's rows must say."""

    chain: Chain
    due: bool = True
    owner: int | None = None
    epoch: int = 0
    ended: bool = False
    reviews: dict[str, ReviewStatus] = field(default_factory=dict)
    inbox: int = 0
    cancelled: bool = False
    timers: dict[str, datetime] = field(default_factory=dict)

    def holds(self, claim: Claim) -> bool:
        """Whether the claim is the present one."""
        return self.owner == claim.owner and self.epoch == claim.epoch


@dataclass
class Kept:
    """The real thing, on a loop of the machine's own. ``tally`` counts what happened over all examples."""

    runner: asyncio.Runner
    urls: DatabaseUrls
    database: Database
    journal: Journal
    tally: dict[str, int] = field(default_factory=dict)

    def do(self, doing: Coroutine[Any, Any, T]) -> T:
        """Do it now."""
        return self.runner.run(doing)

    def count(self, what: str) -> None:
        """One more."""
        self.tally[what] = self.tally.get(what, 0) + 1


class RunMachine(RuleBasedStateMachine):
    """What may happen, and what must then be true."""

    def __init__(self, kept: Kept) -> None:
        super().__init__()
        self.kept = kept
        self.kept.count("examples")
        self.runs: dict[str, ModelRun] = {}
        self.claims: list[Claim] = []
        self.now = FIRST_MOMENT
        self.locks: dict[int, psycopg.Connection[Any]] = {}
        self.real = Runs(self.kept.database)
        for _ in range(_WORKERS):
            self._hire()

    def _hire(self) -> None:
        connection = psycopg.connect(self.kept.urls.app_url, autocommit=True)
        row = connection.execute("SELECT nextval('worker_id_seq')::int").fetchone()
        number = int(row[0]) if row else 0
        connection.execute("SELECT pg_advisory_lock(7001, %s)", (number,))
        self.locks[number] = connection

    def teardown(self) -> None:
        for connection in self.locks.values():
            connection.close()
        for run_id in self.runs:
            assert verify(self.kept.do(self.kept.journal.read(run_id))).ok
        with psycopg.connect(self.kept.urls.owner_url, autocommit=True) as owner:
            owner.execute("UPDATE run SET ended_at = now(), wake_at = NULL, owner = NULL WHERE ended_at IS NULL")
            owner.execute("DELETE FROM timer")

    def _pick(self, number: int) -> tuple[Claim, ModelRun]:
        claim = self.claims[number % len(self.claims)]
        return claim, self.runs[claim.run_id]

    def _append(self, claim: Claim, *rows: SideRow, cause: str = "") -> bool:
        """Append under a claim, whoever holds the run; True when it was written, which must be as the model says."""
        run = self.runs[claim.run_id]
        chain = copy.copy(run.chain)
        entry = chain.next(cause=cause)
        self.kept.count("appends")
        try:
            self.kept.do(self.kept.journal.append(claim, [entry], rows))
        except TailMoved as error:
            raise AssertionError("the tail is where the model has it") from error
        except Fenced:
            self.kept.count("fenced appends")
            assert not run.holds(claim)
            return False
        assert run.holds(claim)
        run.chain = chain
        return True

    @initialize(runs=st.integers(1, 3))
    def begin(self, runs: int) -> None:
        for _ in range(runs):
            self.admit()
        self.claim(0, runs)

    @rule()
    def admit(self) -> None:
        chain = Chain()
        row = self.kept.do(self.real.admit(chain.admitted()))
        self.runs[row.id] = ModelRun(chain)

    @precondition(lambda self: self.runs)
    @rule(number=st.integers(0, 50))
    def wake(self, number: int) -> None:
        run_id = list(self.runs)[number % len(self.runs)]
        self.kept.do(self.real.wake(run_id))
        self.runs[run_id].due = not self.runs[run_id].ended

    @rule(worker=st.integers(0, _WORKERS - 1), limit=st.integers(1, 3))
    def claim(self, worker: int, limit: int) -> None:
        owner = list(self.locks)[worker % len(self.locks)]
        free = {i for i, run in self.runs.items() if run.due and run.owner is None}
        claims = self.kept.do(self.real.claim(owner, limit, _LEASE))
        # A run whose workers died twice comes singly; everything else as far as the limit goes.
        assert len(claims) == (1 if any(claim.suspect for claim in claims) else min(limit, len(free)))
        assert {claim.run_id for claim in claims} <= free
        for claim in claims:
            run = self.runs[claim.run_id]
            run.owner, run.due, run.epoch = owner, False, run.epoch + 1
            assert (claim.owner, claim.epoch) == (owner, run.epoch)
        self.claims += claims

    @precondition(lambda self: self.claims)
    @rule(number=st.integers(0, 50))
    def append(self, number: int) -> None:
        self._append(self._pick(number)[0])

    @precondition(lambda self: self.claims)
    @rule(number=st.integers(0, 50))
    def append_out_of_turn(self, number: int) -> None:
        claim, run = self._pick(number)
        chain = copy.copy(run.chain)
        chain.next()
        try:
            self.kept.do(self.kept.journal.append(claim, [chain.next()]))
        except TailMoved:
            assert run.holds(claim)
        except Fenced:
            assert not run.holds(claim)
        else:
            raise AssertionError("an entry that does not continue the tail was written")

    @precondition(lambda self: self.claims)
    @rule(number=st.integers(0, 50), how=st.sampled_from(["wait", "again", "end"]))
    def finish(self, number: int, how: str) -> None:
        claim, run = self._pick(number)
        status = RunStatus.DONE if how == "end" else RunStatus.WAITING
        try:
            self.kept.do(self.real.finish(claim, Rest(status, again=how == "again")))
        except Fenced:
            self.kept.count("fenced finishes")
            assert not run.holds(claim)
            return
        assert run.holds(claim)
        run.owner, run.ended = None, status in ENDED
        run.due = not run.ended and (run.due or how == "again")
        if run.ended:
            run.timers.clear()

    @rule(worker=st.integers(0, _WORKERS - 1))
    def crash(self, worker: int) -> None:
        """A worker is gone; the others notice, and another one is hired."""
        self.kept.count("crashes")
        owner = list(self.locks)[worker % len(self.locks)]
        self.locks.pop(owner).close()
        mine = {i for i, run in self.runs.items() if run.owner == owner}
        while mine and self.kept.do(self.real.reap()) == 0:
            pass  # the server takes a moment to see that the connection is closed
        for run_id in mine:
            self.kept.do(self.real.wake(run_id))
            self.runs[run_id].owner, self.runs[run_id].due = None, True
        self._hire()

    @precondition(lambda self: self.claims)
    @rule(number=st.integers(0, 50), question=st.integers(0, 2))
    def ask(self, number: int, question: int) -> None:
        claim, run = self._pick(number)
        review = f"rv-{claim.run_id[-8:]}{question:04d}"
        if self._append(claim, AskReview(card(claim.run_id, review_id=review))):
            run.reviews[review] = ReviewStatus.OPEN

    @precondition(lambda self: any(run.reviews for run in self.runs.values()))
    @rule(number=st.integers(0, 50))
    def decide(self, number: int) -> None:
        asked = [(run, review) for run in self.runs.values() for review in run.reviews]
        run, review = asked[number % len(asked)]
        self.kept.count("verdicts")
        try:
            self.kept.do(Reviews(self.kept.database).decide(review, approve(), by=_BY, at=self.now))
        except AlreadyDecided:
            assert run.ended or run.reviews[review] is not ReviewStatus.OPEN
            return
        assert not run.ended
        assert run.reviews[review] is ReviewStatus.OPEN
        run.reviews[review], run.due, run.inbox = ReviewStatus.DECIDED, True, run.inbox + 1

    @precondition(lambda self: self.claims and any(run.reviews for run in self.runs.values()))
    @rule(number=st.integers(0, 50))
    def withdraw(self, number: int) -> None:
        claim, run = self._pick(number)
        for review in list(run.reviews)[:1]:
            closing = CloseReview(review, ReviewStatus.WITHDRAWN, "changed")
            if self._append(claim, closing) and run.reviews[review] is ReviewStatus.OPEN:
                run.reviews[review] = ReviewStatus.WITHDRAWN

    @precondition(lambda self: self.runs)
    @rule(number=st.integers(0, 50))
    def cancel(self, number: int) -> None:
        run_id = list(self.runs)[number % len(self.runs)]
        run = self.runs[run_id]
        body = {"by": _BY, "reason": "changed our minds"}
        try:
            self.kept.do(Inbox(self.kept.database).put(run_id, InputKind.CANCEL, body, dedupe=run_id))
        except Refused:
            assert run.ended
            assert not run.cancelled
            return
        assert not run.ended or run.cancelled
        if not run.cancelled:
            run.cancelled, run.due, run.inbox = True, True, run.inbox + 1

    @precondition(lambda self: self.claims)
    @rule(number=st.integers(0, 50))
    def take_up(self, number: int) -> None:
        claim, run = self._pick(number)
        left = self.kept.do(Inbox(self.kept.database).open(claim.run_id))
        assert len(left) == run.inbox
        if left and self._append(claim, cause=left[0].cause):
            run.inbox -= 1

    @precondition(lambda self: self.claims)
    @rule(number=st.integers(0, 50), minutes=st.integers(1, 60))
    def set_timer(self, number: int, minutes: int) -> None:
        claim, run = self._pick(number)
        due_at = self.now + timedelta(minutes=minutes)
        if self._append(claim, SetTimer("t", due_at)):
            run.timers["t"] = due_at

    @rule(minutes=st.integers(1, 60))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)
        due = [run for run in self.runs.values() if any(at <= self.now for at in run.timers.values())]
        assert self.kept.do(Timers(self.kept.database).fire_due(self.now)) == len(due)
        for run in due:
            run.timers.clear()
            run.due = not run.ended

    @invariant()
    def the_rows_are_as_the_model_says(self) -> None:
        self.kept.count("steps")
        rows = {str(row["id"]): row for row in self.kept.do(self.kept.database.fetch(_ROWS, (list(self.runs),)))}
        for run_id, run in self.runs.items():
            row = rows[run_id]
            assert (row["owner"], row["epoch"]) == (run.owner, run.epoch)
            assert (row["ended_at"] is not None, row["wake_at"] is not None) == (run.ended, run.due)
            assert row["seq"] == run.chain.seq


async def model(ground: Ground) -> Result:
    """B10."""
    examples, steps = ground.size(60, 500), 50
    result = Result("B10", "Model", "a run's rows beside a small model of them, whatever happens in whatever order")
    async with a_database(ground, "model") as urls:
        tally = await asyncio.to_thread(_explore, ground, urls, examples, steps)
    result.measures = [
        some("examples without a violation", tally.get("examples", 0), examples),
        some("appends by whoever may not any more, all refused", tally.get("fenced appends", 0)),
        some("crashes", tally.get("crashes", 0), examples // 4),
    ]
    result.facts = {**tally, "steps_each": steps}
    return result


def _explore(ground: Ground, urls: DatabaseUrls, examples: int, steps: int) -> dict[str, int]:
    """In a thread, because the machine is not asynchronous. Raises AssertionError with the shortest history."""
    with asyncio.Runner() as runner:
        opening = open_database(urls.app_url)
        database = runner.run(opening.__aenter__())
        journal_opening = open_journal(database)
        kept = Kept(runner, urls, database, runner.run(journal_opening.__aenter__()))
        try:
            chosen = settings(
                max_examples=examples,
                stateful_step_count=steps,
                deadline=None,
                database=None,
                suppress_health_check=list(HealthCheck),
                phases=(Phase.generate, Phase.shrink),
            )

            def made() -> RunMachine:
                return RunMachine(kept)

            run_state_machine_as_test(cast("Any", seed(ground.seed)(made)), settings=chosen)
        finally:
            runner.run(journal_opening.__aexit__(None, None, None))
            runner.run(opening.__aexit__(None, None, None))
    return kept.tally
