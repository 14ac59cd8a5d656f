"""Outside events as rows: taken once, matched by their fields, left for all who wait, early or late, and forgotten in time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest
from psycopg.types.json import Jsonb

from governance.events import RunEnded, RunStatus
from governance.outside import KEPT, OutsideEvent, Plain, Published
from governance.runs import InputKind, Rest, Subscribe
from memory.database import Database
from memory.erasure import erase
from memory.inbox import Inbox
from memory.journal import Journal, _Append, _values, open_journal
from memory.outside import OutsideEvents
from memory.runs import Runs
from memory.statements import statements
from memory.timers import Timers
from tests.fakes import FIRST_MOMENT
from tests.fixtures.journals import LEASE, ClaimedRun, claimed
from tests.integration.memory.test_checkpoints_and_erasure import whole

NOW = FIRST_MOMENT + timedelta(hours=1)
LATER = FIRST_MOMENT + timedelta(days=3)
SHIPPED: dict[str, Plain] = {"type": "laptop.shipped"}


@pytest.fixture
def events(database: Database) -> OutsideEvents:
    """The events."""
    return OutsideEvents(database)


def event(number: int = 1, **data: Any) -> OutsideEvent:
    """Something that the warehouse says."""
    return OutsideEvent(id=f"e-{number}", type="laptop.shipped", source="warehouse", subject="A-1", data=data)


async def waiting(
    runs: Runs, journal: Journal, *wanted: dict[str, Plain], rest: bool = True, since: datetime = FIRST_MOMENT
) -> ClaimedRun:
    """A run whose steps, called after their numbers, wait until the third day."""
    run = await claimed(runs)
    rows = [Subscribe(str(number), {**SHIPPED, **each}, since, LATER) for number, each in enumerate(wanted)]
    await journal.append(run.claim, [run.next()], rows)
    if rest:
        await runs.finish(run.claim, Rest(RunStatus.WAITING))
    return run


async def taken(inbox: Inbox, *given: ClaimedRun) -> list[Sequence[tuple[str, str]]]:
    """For each run, which step was left which event."""
    opens = [await inbox.open(run.row.id) for run in given]
    assert {row.kind for rows in opens for row in rows} <= {InputKind.EVENT}
    return [[(row.body["step"], row.body["event"]["id"]) for row in rows] for rows in opens]


async def test_an_event_is_left_for_every_step_that_waits_for_it_and_wakes_its_run(
    runs: Runs, journal: Journal, inbox: Inbox, events: OutsideEvents
) -> None:
    """Any number of runs, and of steps in a run; the note says what came and what was waited for. Others sleep on."""
    first = await waiting(runs, journal, {"data.asset": "A-1"}, {"data.asset": "A-2"}, {"data.asset": "A-1"})
    second = await waiting(runs, journal, {})
    other = await waiting(runs, journal, {"data.asset": "A-2"})
    assert await events.publish(event(asset="A-1", weight=2.5), NOW) == Published(first=True, woken=3)
    assert await taken(inbox, first, second, other) == [[("0", "e-1"), ("2", "e-1")], [("0", "e-1")], []]
    (note,) = await inbox.open(second.row.id)
    assert note.body["by"] == "warehouse"
    assert note.body["event"]["data"] == {"asset": "A-1", "weight": 2.5}
    assert note.body["wanted"] == SHIPPED
    due = {claim.run_id for claim in await runs.claim(9, 10, LEASE)}
    assert due == {first.row.id, second.row.id}


async def test_a_repeat_changes_nothing_and_answers_as_the_first(
    runs: Runs, journal: Journal, inbox: Inbox, events: OutsideEvents
) -> None:
    """Whatever it says this time; the same id of another source is another event; ten at once are one."""
    run = await waiting(runs, journal, {"data.asset": "A-1"}, {"data.asset": "A-2"})
    told = await asyncio.gather(*(events.publish(event(asset="A-1"), NOW) for _ in range(10)))
    assert sorted(told, key=lambda each: each.first) == [Published(first=False, woken=1)] * 9 + [Published(True, 1)]
    assert await events.publish(event(asset="A-2"), NOW) == Published(first=False, woken=1)
    assert await taken(inbox, run) == [[("0", "e-1")]]
    elsewhere = event(asset="A-2").model_copy(update={"source": "shop"})
    assert await events.publish(elsewhere, NOW) == Published(first=True, woken=1)


async def test_a_step_is_left_one_event_and_no_second(
    runs: Runs, journal: Journal, inbox: Inbox, events: OutsideEvents
) -> None:
    """A wait that was answered is none."""
    run = await waiting(runs, journal, {})
    assert await events.publish(event(1), NOW) == Published(first=True, woken=1)
    assert await events.publish(event(2), NOW) == Published(first=True, woken=0)
    assert await taken(inbox, run) == [[("0", "e-1")]]


@pytest.mark.parametrize(
    ("wanted", "fits"),
    [
        ({}, True),
        ({"source": "warehouse"}, True),
        ({"source": "shop"}, False),
        ({"subject": "A-1"}, True),
        ({"data.order.number": 7}, True),
        ({"data.order.number": 7.0}, True),
        ({"data.order.number": "7"}, False),
        ({"data.express": True}, True),
        ({"data.express": 1}, False),
        ({"data.order.number": 7, "data.express": True, "source": "warehouse"}, True),
        ({"data.order.number": 7, "data.express": False}, False),
        ({"data.order": "x"}, False),
        ({"data.nothing": "x"}, False),
        ({"data.tags": "a"}, False),
        ({"data.odd.name": "x"}, False),
        ({"data.note": "Größe ☃"}, True),
    ],
)
async def test_every_field_that_is_wanted_must_be_so(
    wanted: dict[str, Plain],
    fits: bool,
    runs: Runs,
    journal: Journal,
    inbox: Inbox,
    events: OutsideEvents,
) -> None:
    """Equal as JSON values are, at any depth; lists are no plain values, and neither is a name with a dot in it. Early or not."""
    data: dict[str, Any] = {
        "order": {"number": 7},
        "express": True,
        "tags": ["a"],
        "odd.name": "x",
        "note": "Größe ☃",
        "none": None,
    }
    after = await claimed(runs)
    before = await waiting(runs, journal, wanted)
    assert (await events.publish(event(**data), NOW)).woken == fits
    row = Subscribe("0", {**SHIPPED, **wanted}, FIRST_MOMENT, LATER)
    await journal.append(after.claim, [after.next()], [row])
    assert await taken(inbox, before, after) == [[("0", "e-1")] if fits else []] * 2


async def test_an_event_that_came_before_is_left_at_once_and_wakes_whoever_holds_the_run(
    runs: Runs, journal: Journal, inbox: Inbox, events: OutsideEvents, timers: Timers
) -> None:
    """The first that fits, at or after the moment that the step names; a timer wakes the run once it is handed back."""
    await events.publish(event(1, asset="A-1"), NOW)
    await events.publish(event(2, asset="A-1"), NOW + timedelta(hours=1))
    early = await waiting(runs, journal, {"data.asset": "A-1"}, rest=False)
    assert await taken(inbox, early) == [[("0", "e-1")]]
    await runs.finish(early.claim, Rest(RunStatus.WAITING))
    assert await timers.fire_due(NOW) == 1
    assert [claim.run_id for claim in await runs.claim(9, 10, LEASE)] == [early.row.id]
    later = await waiting(runs, journal, {"data.asset": "A-1"}, since=NOW + timedelta(minutes=1))
    latest = await waiting(runs, journal, {"data.asset": "A-1"}, since=NOW + timedelta(hours=2))
    assert await taken(inbox, later, latest) == [[("0", "e-2")], []]


async def test_a_wait_goes_on_after_the_event_that_did_not_fit(
    runs: Runs, journal: Journal, inbox: Inbox, events: OutsideEvents
) -> None:
    """By its number, so that two that came in the same moment are told apart."""
    run = await waiting(runs, journal, {}, rest=False)
    for number in (1, 2):
        await events.publish(event(number), NOW)
    (first,) = await inbox.open(run.row.id)
    again = Subscribe("0", first.body["wanted"], FIRST_MOMENT, LATER, after=first.body["seq"])
    await journal.append(run.claim, [run.next()], [again])
    assert await taken(inbox, run) == [[("0", "e-1"), ("0", "e-2")]]


async def test_too_late_for_the_deadline_is_left_for_nobody(
    runs: Runs, journal: Journal, inbox: Inbox, events: OutsideEvents
) -> None:
    """At the last moment it counts, after it not; and not for a run that has ended."""
    run, ended = await waiting(runs, journal, {}, {}), await waiting(runs, journal, {}, rest=False)
    await journal.append(ended.claim, [ended.next(RunEnded(status="done"))])
    await runs.finish(ended.claim, Rest(RunStatus.DONE))
    assert (await events.publish(event(1), LATER + timedelta(microseconds=1))).woken == 0
    assert (await events.publish(event(2), LATER)).woken == 2
    assert await taken(inbox, run, ended) == [[("0", "e-2"), ("1", "e-2")], []]


async def test_the_end_of_a_run_is_the_end_of_its_waits(runs: Runs, journal: Journal, database: Database) -> None:
    """In the same transaction; those of others stay."""
    ended = await waiting(runs, journal, {}, {"data.a": 1}, rest=False)
    await journal.append(ended.claim, [ended.next(RunEnded(status="cancelled"))])
    await runs.finish(ended.claim, Rest(RunStatus.CANCELLED))
    other = await waiting(runs, journal, {})
    rows = await database.fetch(b"SELECT run_id::text AS run FROM subscription")
    assert [row["run"] for row in rows] == [other.row.id]


async def blocked(database: Database, task: asyncio.Task[Any]) -> bool:
    """Whether a task comes to wait for the lock of a type of events, rather than to its end."""
    async with asyncio.timeout(20):
        while not task.done():
            waits = await database.fetch(b"SELECT 1 FROM pg_locks WHERE classid = 7005 AND NOT granted")
            if waits:
                return True
            await asyncio.sleep(0.01)  # sleep: a lock has no event
    return False


async def test_a_step_does_not_begin_to_wait_while_its_event_is_being_published(
    runs: Runs, journal: Journal, inbox: Inbox, database: Database
) -> None:
    """It sees the event once that is there: neither could have seen the other otherwise."""
    run, said = await claimed(runs), event(asset="A-1")
    sql = b"SELECT * FROM steward_publish(%s, %s, %s, %s)"
    async with database.connection() as connection, connection.transaction():
        await connection.execute(sql, [said.key, NOW, Jsonb(said.fields), said.model_dump_json()])
        row = Subscribe("0", SHIPPED, FIRST_MOMENT, LATER)
        begins = asyncio.create_task(journal.append(run.claim, [run.next()], [row]))
        assert await blocked(database, begins)
    await begins
    assert await taken(inbox, run) == [[("0", "e-1")]]


async def test_an_event_is_not_published_while_a_step_begins_to_wait_for_it(
    runs: Runs, inbox: Inbox, events: OutsideEvents, database: Database
) -> None:
    """The other way round. Two steps may begin to wait at the same time."""
    run, other = await claimed(runs, owner=1), await claimed(runs, owner=2)
    row = Subscribe("0", SHIPPED, FIRST_MOMENT, LATER)
    async with database.connection() as connection, connection.transaction():
        answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        values = _values([_Append(run.claim, (run.next(),), (row,), answer)])
        await connection.execute(statements("journal")["append"], values)
        async with open_journal(database) as own:
            await own.append(other.claim, [other.next()], [row])
        publishes = asyncio.create_task(events.publish(event(), NOW))
        assert await blocked(database, publishes)
    assert (await publishes).woken == 2
    assert await taken(inbox, run, other) == [[("0", "e-1")]] * 2


async def test_no_event_is_lost_between_those_who_begin_to_wait_and_those_who_publish(
    runs: Runs, journal: Journal, inbox: Inbox, events: OutsideEvents, database: Database
) -> None:
    """Forty runs begin to wait while their events are published, each also by another process's journal: each gets its own."""
    given = [await claimed(runs, owner=number + 1) for number in range(40)]

    async def wait(number: int, run: ClaimedRun) -> None:
        row = Subscribe("0", {**SHIPPED, "data.asset": number}, FIRST_MOMENT, LATER)
        async with open_journal(database) as own:
            await own.append(run.claim, [run.next()], [row])

    waits = [wait(number, run) for number, run in enumerate(given)]
    publishes = [events.publish(event(number, asset=number), NOW) for number in range(40)]
    await asyncio.gather(*(each for pair in zip(waits, publishes, strict=True) for each in pair))
    assert await taken(inbox, *given) == [[("0", f"e-{number}")] for number in range(40)]
    assert await database.fetch(b"SELECT 1 FROM subscription") == []


async def test_appends_publications_and_ends_do_not_wait_for_each_other_in_a_circle(
    runs: Runs, journal: Journal, events: OutsideEvents, database: Database
) -> None:
    """All at once, over two types and the same runs: nobody is chosen as a deadlock's victim."""
    given = [await claimed(runs, owner=number + 1) for number in range(20)]

    async def work(run: ClaimedRun) -> None:
        async with open_journal(database) as own:
            for again in range(3):
                rows = [Subscribe(f"{kind}{again}", {"type": kind}, FIRST_MOMENT, LATER) for kind in ("b", "a")]
                await own.append(run.claim, [run.next()], rows)
            await own.append(run.claim, [run.next(RunEnded(status="done"))])
        await runs.finish(run.claim, Rest(RunStatus.DONE))

    async def publish(kind: str) -> None:
        for number in range(15):
            said = OutsideEvent(id=f"{kind}{number}", type=kind, source="somewhere")
            await events.publish(said, NOW)

    await asyncio.gather(*(work(run) for run in given), publish("a"), publish("b"))
    assert await database.fetch(b"SELECT 1 FROM subscription") == []


async def test_events_are_known_for_a_week_and_forgotten_after_it(
    runs: Runs, journal: Journal, inbox: Inbox, events: OutsideEvents, database: Database
) -> None:
    """A repeat in the week is one; afterwards nothing of it is left but what a run took."""
    run = await waiting(runs, journal, {})
    await events.publish(event(asset="Ada Lovelace"), NOW)
    await events.forget(NOW + KEPT)
    assert not (await events.publish(event(), NOW + KEPT)).first
    await events.forget(NOW + KEPT + timedelta(hours=2))
    assert await database.fetch(b"SELECT 1 FROM outside_event") == []
    assert await database.fetch(b"SELECT 1 FROM event_taken") == []
    assert await taken(inbox, run) == [[("0", "e-1")]]
    assert (await events.publish(event(), NOW + KEPT)).first


async def test_erasing_a_run_erases_what_it_was_told_and_that_it_waited(
    runs: Runs,
    journal: Journal,
    inbox: Inbox,
    events: OutsideEvents,
    database: Database,
    owner: psycopg.AsyncConnection,
) -> None:
    """Its event is empty for everybody, and known as a repeat all the same; an event of another run stays."""
    run = await waiting(runs, journal, {"data.who": "Ada Lovelace"}, {"data.who": "Lovelace"}, rest=False)
    await events.publish(event(1, who="Ada Lovelace", asset="A-1"), NOW)
    await events.publish(event(2, asset="Mary Jackson's"), NOW)
    await journal.append(run.claim, [run.next(RunEnded(status="done"))])
    await runs.finish(run.claim, Rest(RunStatus.DONE))
    await owner.execute(
        "INSERT INTO subscription SELECT run_id, 'stray', 'x', '{\"data.who\": \"Lovelace\"}', '{}', now(), now()"
        " FROM journal WHERE kind = 'run.ended'"
    )
    assert "lovelace" in await whole(owner)
    await erase(database, run.row.id)
    left = [row["body"] is None for row in await database.fetch(b"SELECT body FROM outside_event ORDER BY seq")]
    assert left == [True, False]
    assert await events.publish(event(1, who="Ada Lovelace"), NOW) == Published(first=False, woken=1)
    assert "lovelace" not in await whole(owner)
