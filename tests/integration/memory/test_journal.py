"""Appending: what is refused, what is shared, what others feel of it; and reading back."""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from governance.chain import verify
from governance.errors import DatabaseUnavailable, Fenced, InvalidInput, TailMoved
from governance.escalation import first_standing, standing_at
from governance.events import RunReported, RunStatus
from governance.reviews import ReviewStatus, approve
from governance.runs import AskReview, CloseReview, EscalateReview, Rest, SetTimer
from graphs.ports import JournalStore
from memory.database import Database, open_database
from memory.journal import Journal, open_journal
from memory.reviews import Reviews
from memory.runs import Runs
from memory.timers import Timers
from tests.conftest import DatabaseUrls
from tests.fakes import FIRST_MOMENT
from tests.fixtures.journals import LEASE, ClaimedRun, admit, card, claimed
from tests.integration.memory.proxy import wire_to


async def many(runs: Runs, count: int) -> list[ClaimedRun]:
    """Claimed runs."""
    made = [await admit(runs) for _ in range(count)]
    claims = {claim.run_id: claim for claim in await runs.claim(1, count, LEASE)}
    return [ClaimedRun(row, claims[row.id], chain) for row, chain in made]


async def test_what_is_appended_is_read_back_and_verifies(journal: Journal, runs: Runs) -> None:
    """Byte for byte, in order, from any point; the graph's port fits."""
    store: JournalStore = journal
    run = await claimed(runs)
    written = [run.next(), run.next(), run.next(RunReported(summary="ü 𝄞 \x00 end"))]
    await store.append(run.claim, written)
    entries = await store.read(run.row.id)
    assert entries[1:] == written
    assert await store.read(run.row.id, after=2) == written[1:]
    assert verify(entries).ok
    assert entries[-1].parsed() == RunReported(summary="ü 𝄞 \x00 end")


async def test_who_lost_the_run_is_fenced(journal: Journal, runs: Runs) -> None:
    """By owner, by epoch, and after it was given back; nothing is written."""
    run = await claimed(runs)
    entry = run.next()
    for stale in (
        replace(run.claim, owner=2),
        replace(run.claim, epoch=run.claim.epoch - 1),
        replace(run.claim, run_id="00000000-0000-7000-8000-000000000000"),
    ):
        with pytest.raises(Fenced) as caught:
            await journal.append(stale, [replace(entry, run_id=stale.run_id)])
        assert not isinstance(caught.value, TailMoved)
    await runs.finish(run.claim, Rest(RunStatus.WAITING))
    with pytest.raises(Fenced):
        await journal.append(run.claim, [entry])
    assert len(await journal.read(run.row.id)) == 1


@pytest.mark.parametrize(
    "wrong",
    ["prev_hash", "seq", "hole", "unlinked", "known cause", "doubled cause", "written before"],
)
async def test_entries_that_do_not_continue_the_tail_are_refused_as_a_whole(
    wrong: str, journal: Journal, runs: Runs
) -> None:
    """All or none: also the good ones before the bad one."""
    run = await claimed(runs)
    first, second = run.next(), run.next()
    entries = {
        "prev_hash": [replace(first, prev_hash=bytes(32)), second],
        "seq": [replace(first, seq=5)],
        "hole": [first, replace(second, seq=4)],
        "unlinked": [first, replace(second, prev_hash=bytes(32))],
        "known cause": [first, replace(second, cause="admitted")],
        "doubled cause": [first, replace(second, cause=first.cause)],
        "written before": [first, second],
    }[wrong]
    if wrong == "written before":
        await journal.append(run.claim, entries)
    before = await journal.read(run.row.id)
    with pytest.raises(TailMoved):
        await journal.append(run.claim, entries, [SetTimer("t", FIRST_MOMENT)])
    assert await journal.read(run.row.id) == before
    assert await Timers(journal._database).next_due() is None


async def test_appends_that_arrive_together_share_commits(journal: Journal, runs: Runs, database: Database) -> None:
    """64 runs, three appends each: far fewer commits, as PostgreSQL itself counts, and every chain right."""
    claims = await many(runs, 64)

    async def work(run: ClaimedRun) -> None:
        for _ in range(3):
            await journal.append(run.claim, [run.next(), run.next()])

    await asyncio.gather(*(work(run) for run in claims))
    assert journal.commits <= 12
    calls = await database.fetch(
        b"SELECT count(DISTINCT xmin::text) AS commits, count(*) AS entries FROM journal WHERE seq > 1"
    )
    assert calls == [{"commits": journal.commits, "entries": 384}]
    assert verify([entry async for entry in journal.all_entries()]).ok


async def test_a_stale_run_does_not_disturb_the_others_of_its_commit(journal: Journal, runs: Runs) -> None:
    """One is fenced, one has another tail, one has text that cannot be kept, two are fine: in one call."""
    good, fenced, moved, unkeepable, other = await many(runs, 5)
    results = await asyncio.gather(
        journal.append(good.claim, [good.next()]),
        journal.append(replace(fenced.claim, epoch=0), [fenced.next()]),
        journal.append(moved.claim, [replace(moved.next(), prev_hash=bytes(32))]),
        journal.append(unkeepable.claim, [unkeepable.next(cause="nul \x00")]),
        journal.append(other.claim, [other.next()]),
        return_exceptions=True,
    )
    assert [type(result) for result in results] == [type(None), Fenced, TailMoved, InvalidInput, type(None)]
    lengths = [len(await journal.read(run.row.id)) for run in (good, fenced, moved, unkeepable, other)]
    assert lengths == [2, 1, 1, 1, 2]
    await journal.append(good.claim, [good.next()])


async def test_appends_of_one_run_stay_in_order(journal: Journal, runs: Runs) -> None:
    """Even when its owner does not wait for each."""
    run = await claimed(runs)
    entries = [run.next() for _ in range(10)]
    await asyncio.gather(*(journal.append(run.claim, [entry]) for entry in entries))
    assert (await journal.read(run.row.id))[1:] == entries


async def test_appends_of_one_run_are_judged_one_by_one(journal: Journal, runs: Runs) -> None:
    """A bad one does not take with it the good one before, which came at the same time."""
    run = await claimed(runs)
    good, bad = run.next(), replace(run.next(), prev_hash=bytes(32))
    results = await asyncio.gather(
        journal.append(run.claim, [good]), journal.append(run.claim, [bad]), return_exceptions=True
    )
    assert [type(result) for result in results] == [type(None), TailMoved]
    assert (await journal.read(run.row.id))[1:] == [good]


async def test_a_cancelled_caller_does_not_disturb_the_batch(
    journal: Journal, runs: Runs, owner: psycopg.AsyncConnection
) -> None:
    """What is on its way is written, what still waited is not, and all others get their answers."""
    on_its_way, beside, waiting = await many(runs, 3)
    async with owner.transaction():
        await owner.execute("SELECT 1 FROM run WHERE id = %s FOR UPDATE", [on_its_way.row.id])
        first = asyncio.create_task(journal.append(on_its_way.claim, [on_its_way.next()]))
        second = asyncio.create_task(journal.append(beside.claim, [beside.next()]))
        while not await blocked(owner):
            pass
        third = asyncio.create_task(journal.append(waiting.claim, [waiting.next()]))
        await asyncio.sleep(0)
        first.cancel()
        third.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
    await second
    await journal.finish()
    assert [len(await journal.read(run.row.id)) for run in (on_its_way, beside, waiting)] == [2, 2, 1]


async def test_a_writer_that_breaks_leaves_nobody_waiting(
    journal: Journal, runs: Runs, owner: psycopg.AsyncConnection
) -> None:
    """Neither those on their way nor those behind them; and the next append has a new writer."""
    on_its_way, behind = await many(runs, 2)
    async with owner.transaction():
        await owner.execute("SELECT 1 FROM run WHERE id = %s FOR UPDATE", [on_its_way.row.id])
        first = asyncio.create_task(journal.append(on_its_way.claim, [on_its_way.next()]))
        while not await blocked(owner):
            pass
        entry = behind.next()
        second = asyncio.create_task(journal.append(behind.claim, [entry]))
        await asyncio.sleep(0)
        assert journal._writer
        journal._writer.cancel()
        results = await asyncio.gather(first, second, return_exceptions=True)
        assert [type(result) for result in results] == [DatabaseUnavailable, DatabaseUnavailable]
    await journal.append(behind.claim, [entry])


async def test_an_outdated_database_is_not_a_moved_tail(
    journal: Journal, runs: Runs, owner: psycopg.AsyncConnection
) -> None:
    """Nobody reads the tail again and again for a function that is not there."""
    run = await claimed(runs)
    await owner.execute("DROP FUNCTION steward_append")
    with pytest.raises(DatabaseUnavailable, match="not of this version"):
        await journal.append(run.claim, [run.next()])


async def blocked(connection: psycopg.AsyncConnection) -> bool:
    """Whether somebody waits for what ``connection`` holds; each look is a round trip."""
    found = await connection.execute(
        "SELECT 1 FROM pg_stat_activity WHERE pg_backend_pid() = ANY (pg_blocking_pids(pid))"
    )
    return await found.fetchone() is not None


async def test_a_run_is_not_taken_away_while_it_is_written(
    journal: Journal, runs: Runs, owner: psycopg.AsyncConnection
) -> None:
    """Whoever takes it first wins: an append that waited for the taking is fenced."""
    run = await claimed(runs)
    async with owner.transaction():
        await owner.execute("UPDATE run SET owner = 2, epoch = epoch + 1 WHERE id = %s", [run.row.id])
        append = asyncio.create_task(journal.append(run.claim, [run.next()]))
        while not await blocked(owner):
            pass
        assert not append.done()
    with pytest.raises(Fenced):
        await append


async def test_rows_are_written_with_their_events(
    journal: Journal, runs: Runs, reviews: Reviews, timers: Timers
) -> None:
    """A question, its withdrawal, and a timer that is set anew."""
    run = await claimed(runs)
    question = card(run.row.id)
    soon, later = FIRST_MOMENT + timedelta(hours=1), FIRST_MOMENT + timedelta(hours=2)
    await journal.append(run.claim, [run.next()], [AskReview(question), SetTimer("sla", soon)])
    assert (await reviews.get(question.id)).card == question
    assert await timers.next_due() == soon
    withdraw = CloseReview(question.id, ReviewStatus.WITHDRAWN, "the plan changed")
    await journal.append(run.claim, [run.next()], [withdraw, SetTimer("sla", later)])
    closed = await reviews.get(question.id)
    assert (closed.status, closed.closed_why) == (ReviewStatus.WITHDRAWN, "the plan changed")
    assert await timers.next_due() == later


async def test_an_answered_question_is_not_closed_and_an_open_one_not_asked_twice(
    journal: Journal, runs: Runs, reviews: Reviews
) -> None:
    """Asked again after it was closed, it is open again."""
    run = await claimed(runs)
    question = card(run.row.id)
    expire = CloseReview(question.id, ReviewStatus.EXPIRED, "nobody answered")
    await journal.append(run.claim, [run.next()], [AskReview(question)])
    await journal.append(run.claim, [run.next()], [AskReview(question.model_copy(update={"title": "another"}))])
    assert (await reviews.get(question.id)).card == question
    await journal.append(run.claim, [run.next()], [expire])
    await journal.append(run.claim, [run.next()], [AskReview(question)])
    assert (await reviews.get(question.id)).status is ReviewStatus.OPEN
    await reviews.decide(question.id, approve(), by="grace.hopper@acme.example", at=FIRST_MOMENT)
    await journal.append(run.claim, [run.next()], [expire])
    assert (await reviews.get(question.id)).status is ReviewStatus.DECIDED


async def test_an_open_question_goes_up_and_an_answered_one_does_not(
    journal: Journal, runs: Runs, reviews: Reviews
) -> None:
    """Its row grows by the new people and says until when; they find it in their list. Asked anew it is on level 0 again."""
    run = await claimed(runs)
    question = card(run.row.id)
    boss = "alan.turing@acme.example"
    up = standing_at(1, FIRST_MOMENT, FIRST_MOMENT + timedelta(hours=1))
    wider = EscalateReview(question.id, (*question.approvers, boss), up)
    await journal.append(run.claim, [run.next()], [AskReview(question)])
    assert await reviews.list(approver=boss) == []
    await journal.append(run.claim, [run.next()], [wider])
    (row,) = await reviews.list(approver=boss)
    assert (row.card.approvers, row.card.due_at, row.escalation) == (wider.approvers, up.due_at, up)
    await reviews.decide(question.id, approve(), by=boss, at=FIRST_MOMENT)
    later = EscalateReview(question.id, (), standing_at(2, FIRST_MOMENT, None))
    await journal.append(run.claim, [run.next()], [later])
    assert (await reviews.get(question.id)).card.approvers == wider.approvers
    await journal.append(run.claim, [run.next()], [AskReview(question)])
    anew = await reviews.get(question.id)
    assert (anew.card, anew.escalation) == (question, first_standing(question))


async def test_a_lost_answer_is_a_moved_tail_and_the_tail_tells(database_urls: DatabaseUrls) -> None:
    """The commit happened, its answer never came: nobody may append the same again, and reading shows why."""
    with tempfile.TemporaryDirectory(prefix="w") as folder:
        async with (
            wire_to(database_urls.app_url, Path(folder)) as (wire, url),
            open_database(url) as database,
            open_journal(database) as journal,
        ):
            runs = Runs(database)
            run, other = await many(runs, 2)
            before, entry = run.next(), run.next()
            await journal.append(run.claim, [before])  # so that the statement is prepared
            wire.swallow = True
            results = await asyncio.gather(
                journal.append(run.claim, [entry]),
                journal.append(other.claim, [other.next()]),
                return_exceptions=True,
            )
            assert [type(result) for result in results] == [TailMoved, TailMoved]
            assert (await journal.read(run.row.id))[1:] == [before, entry]
            await journal.append(run.claim, [run.next()])


async def test_without_the_database_callers_are_told_so(database_urls: DatabaseUrls) -> None:
    """Within their patience, those of the broken call and those after it; and all goes on when it is back."""
    with tempfile.TemporaryDirectory(prefix="w") as folder:
        async with (
            wire_to(database_urls.app_url, Path(folder)) as (wire, url),
            open_database(url) as database,
            open_journal(database, patience=0.3) as journal,
        ):
            run = await claimed(Runs(database))
            entry = run.next()
            wire.cut()
            for _ in range(2):
                with pytest.raises(DatabaseUnavailable):
                    await journal.append(run.claim, [entry])
            wire.down = False
            async with open_journal(database, patience=20) as patient:
                await patient.append(run.claim, [entry])


async def test_everything_is_streamed_run_by_run(journal: Journal, runs: Runs) -> None:
    """More entries than one fetch holds; one run alone, too; leaving early gives the connection back."""
    first, second = await many(runs, 2)
    await journal.append(first.claim, [first.next() for _ in range(1500)])
    await journal.append(second.claim, [second.next()])
    found = [entry async for entry in journal.all_entries()]
    assert verify(found).ok
    assert [entry.seq for entry in found] == [*range(1, 1502), 1, 2]
    assert len([entry async for entry in journal.all_entries(second.row.id)]) == 2
    for _ in range(20):
        stream = journal.all_entries()
        await anext(stream)
        await stream.aclose()


async def test_nobody_deadlocks(journal: Journal, runs: Runs, reviews: Reviews, timers: Timers) -> None:
    """Appends with rows, verdicts, wakes, timers, renewals and reaps on the same runs at the same time."""
    claims = await many(runs, 16)
    for _ in range(5):
        cards = [card(run.row.id, review_id=f"rv-{run.row.id[-12:]}") for run in claims]
        ask = [
            journal.append(run.claim, [run.next()], [AskReview(c), SetTimer("t", FIRST_MOMENT)])
            for run, c in zip(claims, cards, strict=True)
        ]
        await asyncio.gather(*ask)
        close = [
            journal.append(
                run.claim, [run.next()], [CloseReview(c.id, ReviewStatus.EXPIRED, "late"), SetTimer("t", FIRST_MOMENT)]
            )
            for run, c in zip(reversed(claims), reversed(cards), strict=True)
        ]
        decide = [reviews.decide(c.id, approve(), by="grace.hopper@acme.example", at=FIRST_MOMENT) for c in cards]
        wake = [runs.wake(run.row.id) for run in claims]
        other = [
            timers.fire_due(FIRST_MOMENT),
            runs.renew(1, LEASE),
            timers.fire_due(FIRST_MOMENT),
            runs.renew(1, LEASE),
        ]
        results = await asyncio.gather(*close, *decide, *wake, *other, return_exceptions=True)
        assert not [result for result in results if isinstance(result, DatabaseUnavailable | Fenced)]
