"""Where the parts of the engine meet: waits of stopped runs, doubts while taking back, runs handed back together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import unquote

import pytest
import pytest_asyncio
from psycopg import sql

from governance.addresses import Addresses
from governance.chain import verify
from governance.effects import EffectClass, undo_id
from governance.errors import Fenced
from governance.events import RunStatus
from governance.reviews import ReviewKind, edit, respond
from governance.runs import InputKind, Rest
from graphs.control import Control
from graphs.machine import build_graph
from graphs.slice import work_slice
from memory.database import Database
from memory.erasure import erase
from tests.integration.graphs.house import ASKER, LEASE, MARY, House, a_house, step
from tests.integration.graphs.shapes import FOR_EACH, shaped
from tests.integration.graphs.world import World, serving

ACCOUNT = step("account", "account")
DESK = step("desk", "desk", account_id={"$ref": "account.id"})
ASKED = "Ada Lovelace"
PAUSE: dict[str, Any] = {
    "id": "pause",
    "tool": "clock.wait@1",
    "args": {"for_seconds": 3600},
    "reason": "not at once",
    "confidence": 1,
}
START: dict[str, Any] = {
    "id": "child",
    "tool": "runs.start@1",
    "args": {"playbook": "chore", "request": {"name": {"$ref": "request.name"}}},
    "reason": "it is work of its own",
    "confidence": 1,
}


@pytest_asyncio.fixture
async def world() -> AsyncIterator[World]:
    """A fresh world, serving."""
    async with serving(World()) as served:
        yield served


async def _looks(house: House, run_id: str, *, hours: float) -> list[timedelta]:
    """Live until the run asks for no look within ``hours``; how long it wanted to wait each time, at most ten times."""
    waits: list[timedelta] = []
    until = house.clock.now() + timedelta(hours=hours)
    while len(waits) < 10:
        await house.runs.wake(run_id)
        rest = await house.live(run_id)
        assert rest is not None
        if rest.wake_in is None or house.clock.now() + rest.wake_in > until:
            break
        waits.append(rest.wake_in)
        await house.clock.sleep(rest.wake_in.total_seconds())  # sleep: on a clock where it takes no time
    return waits


async def test_a_parked_run_does_not_wake_for_a_moment_that_it_can_do_nothing_about(
    database: Database, world: World
) -> None:
    """Another desk and a pause wait when the first desk fails for good: their moments pass, and nobody looks for that."""
    late = {**DESK, "id": "bench", "not_before": "2027-01-04T10:00:00Z"}
    async with a_house(database, world, [ACCOUNT, DESK, late, PAUSE]) as house:
        world.faults["desk"] = ["no"]
        run_id = await house.admit()
        rest = await house.live(run_id)
        assert rest is not None
        assert rest.status is RunStatus.PARKED
        waits = (await house.state(run_id)).steps
        assert waits["bench"].until is not None
        assert waits["pause"].until is not None
        assert await _looks(house, run_id, hours=4) == []
        await house.clock.sleep(4 * 3600)  # sleep: on a clock where it takes no time
        assert await _looks(house, run_id, hours=1) == []


async def test_a_run_that_is_stopping_does_not_wake_for_what_it_will_not_begin(
    database: Database, world: World
) -> None:
    """A child is at work when a desk fails: the run waits for the child's end, and not for the bench that it will not take."""
    late = {**DESK, "id": "bench", "not_before": "2027-01-04T10:00:00Z"}
    async with a_house(database, world, [ACCOUNT, DESK, late, START], chore=[PAUSE]) as house:
        world.faults["desk"] = ["no"]
        run_id = await house.admit()
        rest = await house.live(run_id)
        assert rest is not None
        assert rest.status is RunStatus.WAITING
        assert rest.waiting_for.startswith("child (the run ")
        (child,) = await house.runs.claim(7, 1, LEASE)
        await house.runs.finish(child, Rest(RunStatus.WAITING, "something of its own"))
        await house.clock.sleep(4 * 3600)  # sleep: on a clock where it takes no time
        assert await _looks(house, run_id, hours=1) == []


async def test_a_deferred_call_whose_outcome_is_asked_about_does_not_keep_the_run_busy(
    database: Database, world: World
) -> None:
    """The answer's time is over and a person is asked whether it happened: until somebody says so, nothing is to be done."""
    async with a_house(database, world, [ACCOUNT, step("survey", "survey", after=["account"])]) as house:
        run_id = await house.admit()
        await house.live(run_id)
        await house.clock.sleep(73 * 3600)  # sleep: on a clock where it takes no time
        await house.live(run_id)
        (card,) = (await house.state(run_id)).open_reviews
        assert card.kind is ReviewKind.OUTCOME
        assert len(await _looks(house, run_id, hours=1)) < 3


async def test_a_doubtful_undo_is_asked_about_and_silence_goes_up_the_chain(database: Database, world: World) -> None:
    """An unsafe undo whose answer is lost: the question is reminded of and escalated like every other, and nothing spins."""
    async with a_house(database, world, [ACCOUNT, DESK]) as house:
        _unsafe_undo(house)
        world.faults["release"] = ["lost"]
        run_id = await house.admit()
        world.gates["desk:here"] = asyncio.Event()
        world.gates["desk"] = asyncio.Event()
        life = asyncio.create_task(house.live(run_id))
        async with asyncio.timeout(10):
            await world.gates["desk:here"].wait()
        await house.inbox.put(run_id, InputKind.CANCEL, {"by": ASKER.id, "reason": "no"})
        world.gates["desk"].set()
        await life
        await _looks(house, run_id, hours=1)
        state = await house.state(run_id)
        assert state.undoing is not None
        (card,) = state.open_reviews
        assert card.kind is ReviewKind.OUTCOME
        assert card.step == undo_id("desk")
        before = state.reviews[card.id].escalation.due_at
        assert before is not None
        house.clock.moment = before + timedelta(minutes=1)
        assert len(await _looks(house, run_id, hours=1)) < 3
        assert (await house.state(run_id)).reviews[card.id].escalation.level > 0


def _unsafe_undo(house: House) -> None:
    tools = dict(house.engine.tools)
    release = tools["world.release@1"]
    tools[release.id] = replace(release, effect=EffectClass.UNSAFE, lookup=None)
    house.engine = replace(house.engine, tools=tools)
    house.graph = build_graph(house.engine)


async def test_a_run_that_is_handed_back_twice_in_one_batch_does_not_keep_the_others(
    database: Database, world: World
) -> None:
    """Two claims of one run, the older reaped, end at the same moment: the older is fenced, its checkpoints are not written, nobody fails."""
    async with a_house(database, world, [ACCOUNT, step("pay", "pay", after=["account"])]) as house:
        run_id = await house.admit()
        await house.live(run_id)
        parts = []
        for owner in (7, 8):
            await house.runs.reap()
            await house.runs.wake(run_id)
            (claim,) = await house.runs.claim(owner, 1, LEASE)
            saver = house.checkpoints.saver()
            parts.append((claim, await work_slice(house.engine, house.graph, saver, claim, Control()), saver))
        other = await house.admit()
        (beside,) = await house.runs.claim(8, 1, LEASE)
        parts.append((beside, Rest(RunStatus.WAITING, "a review"), house.checkpoints.saver()))
        told = await asyncio.gather(*(house.runs.finish(*part) for part in parts), return_exceptions=True)
        assert isinstance(told[0], Fenced)
        assert told[1:] == [0, 0]
        assert beside.run_id == other
        stale = {key[2] for key in parts[0][2].unflushed.checkpoints}
        async with house.database.connection() as connection:
            rows = await (await connection.execute("SELECT checkpoint_id FROM checkpoints")).fetchall()
        assert stale
        assert stale.isdisjoint(row["checkpoint_id"] for row in rows)


async def test_a_text_that_cannot_be_kept_spoils_no_hand_back(database: Database, world: World) -> None:
    """Two runs end their slices together; a system's word for why one of them waits has a NUL in it: both are given back."""
    async with a_house(database, world, [ACCOUNT]) as house:
        for _ in range(2):
            await house.admit()
        one, other = await house.runs.claim(7, 2, LEASE)
        told = await asyncio.gather(
            house.runs.finish(one, Rest(RunStatus.WAITING, "report (a\x00b \ud800)", progressed=True)),
            house.runs.finish(other, Rest(RunStatus.WAITING, "a review", progressed=True)),
            return_exceptions=True,
        )
        assert list(told) == [0, 0]
        assert [(await house.runs.get(claim.run_id)).owner for claim in (one, other)] == [None, None]


@pytest.mark.parametrize("child_first", [True, False])
async def test_a_child_that_ends_while_its_parent_is_handed_back_wakes_it(
    database: Database, world: World, child_first: bool
) -> None:
    """Both are in one batch: the parent has its child's end, once, and is due."""
    async with a_house(database, world, [START], goals=(), chore=[ACCOUNT]) as house:
        run_id = await house.admit()
        await house.live(run_id)
        (child,) = await house.runs.claim(7, 1, LEASE)
        saver = house.checkpoints.saver()
        ended = await work_slice(house.engine, house.graph, saver, child, Control())
        assert ended.status is RunStatus.DONE
        await house.runs.wake(run_id)
        (parent,) = await house.runs.claim(7, 1, LEASE)
        both = [house.runs.finish(child, ended, saver), house.runs.finish(parent, Rest(RunStatus.WAITING, "child"))]
        await asyncio.gather(*(both if child_first else reversed(both)))
        assert (await house.runs.get(run_id)).wake_at is not None
        assert len(await house.inbox.open(run_id)) == 1
        rest = await house.live(run_id)
        assert rest is not None
        assert rest.status is RunStatus.DONE


async def test_an_answer_that_comes_while_the_run_takes_back_is_late(database: Database, world: World) -> None:
    """A survey that a person said did not happen; the run is cancelled; its answer still comes: dropped, and nothing is undone twice."""
    steps = [ACCOUNT, DESK, step("survey", "survey", after=["desk"])]
    async with a_house(database, world, steps) as house:
        _unsafe_undo(house)
        run_id = await house.admit()
        await house.live(run_id)
        await house.inbox.put(run_id, InputKind.CANCEL, {"by": ASKER.id, "reason": "no"})
        await house.live(run_id)
        (card,) = (await house.state(run_id)).open_reviews
        verdict = respond("did_not_happen")
        await house.reviews.decide(card.id, verdict, by=ASKER.id, at=house.clock.now())
        world.faults["release"] = ["lost"]
        await house.live(run_id)
        state = await house.state(run_id)
        assert state.undoing is not None
        assert state.ended is None
        body = {"step": "survey", "by": "callback", "output": {"id": "late"}}
        await house.inbox.put(run_id, InputKind.CALLBACK, body)
        await house.live(run_id)
        (doubt,) = (await house.state(run_id)).open_reviews
        await house.reviews.decide(doubt.id, respond("happened"), by=ASKER.id, at=house.clock.now())
        await house.live(run_id)
        assert (await house.runs.get(run_id)).status is RunStatus.CANCELLED
        assert "input.dropped" in [entry.kind for entry in await house.journal.read(run_id)]
        assert world.standing == [f"survey:{ASKED}"]
        assert set(world.undone.values()) == {1}


async def test_an_items_key_that_names_a_person_is_gone_after_erasure(database: Database, world: World) -> None:
    """Desks and child runs for a list of people: their address stands in no column of any table afterwards."""
    canary = "ada.canary@acme.example"
    child: dict[str, Any] = {**START, "for_each": FOR_EACH}
    child["args"] = {"playbook": "chore", "request": {"name": {"$ref": "item.code"}}}
    desks: dict[str, Any] = {**step("desk", "desk", name={"$ref": "item.code"}), "for_each": FOR_EACH}
    steps = [ACCOUNT, step("list", "list"), desks, child]
    async with shaped(database, world, steps, codes=[(canary, 1), ("other", 2)], chores=[ACCOUNT]) as house:
        run_id = await house.admit()
        await _all_live(house)
        assert (await house.runs.get(run_id)).status is RunStatus.DONE, (await house.state(run_id)).parked
        children = await house.runs.children(run_id)
        assert {each.parent_step for each in children} == {f"child[{canary}]", "child[other]"}
        assert "journal" in await _where(house, canary)
        for each in (children[0].id, run_id, children[1].id):
            await erase(house.database, each)
        assert await _where(house, canary) == []
        assert verify(await house.journal.read(run_id)).ok


async def test_items_are_taken_back_one_by_one(database: Database, world: World) -> None:
    """A cancel when one of three desks is there already, and another failed: what was made goes, each with its own key."""
    desks: dict[str, Any] = {**step("desk", "desk", name={"$ref": "item.code"}), "for_each": FOR_EACH}
    async with shaped(database, world, [ACCOUNT, step("list", "list"), desks]) as house:
        world.faults["desk"] = ["no"]
        run_id = await house.admit()
        await house.live(run_id)
        await house.inbox.put(run_id, InputKind.CANCEL, {"by": ASKER.id, "reason": "no"})
        rest = await house.live(run_id)
        assert rest is not None
        assert rest.status is RunStatus.CANCELLED
        assert world.standing == []
        assert sum(world.undone.values()) == 3


async def _all_live(house: House) -> None:
    for _ in range(20):
        claims = await house.runs.claim(9, 1, LEASE)
        if not claims:
            return
        saver = house.checkpoints.saver()
        await house.runs.finish(
            claims[0], await work_slice(house.engine, house.graph, saver, claims[0], Control()), saver
        )


async def _where(house: House, word: str) -> list[str]:
    """The tables that hold the word in any column."""
    found = []
    async with house.database.connection() as connection:
        tables = await (
            await connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        ).fetchall()
        for table in (str(row["tablename"]) for row in tables):
            if table not in {"alembic_version", "checkpoint_migrations"}:
                ask = sql.SQL("SELECT 1 FROM {} AS t WHERE t::text LIKE {} LIMIT 1")
                rows = await connection.execute(ask.format(sql.Identifier(table), f"%{word}%"))
                found += [table] if await rows.fetchall() else []
    return found


def test_the_address_of_an_item_is_one_part_of_a_path() -> None:
    """A key may have any character in it: what a system is given leads back to the same address."""
    addresses = Addresses(b"the test's secret", "https://steward.example/callbacks")
    address = addresses.of("0190", "order[R&D/Berlin #1?]", 0)
    door, _, last = addresses.reach(address).rpartition("/")
    assert door == "https://steward.example/callbacks"
    assert unquote(last) == address
    assert not set(last) & set("?#[] &")


async def test_a_pause_that_is_held_back_begins_when_it_may(database: Database, world: World) -> None:
    """The moment before which it does not begin is not the moment at which it ends."""
    held = {**PAUSE, "not_before": "2027-01-04T10:00:00Z"}
    async with a_house(database, world, [ACCOUNT, held], linger=0) as house:
        run_id = await house.admit()
        await house.live(run_id)
        await house.clock.sleep(3601)  # sleep: on a clock where it takes no time
        rest = await house.live(run_id)
        assert rest is not None
        assert rest.waiting_for.startswith("pause (until 2027-01-04 11:00")


async def test_an_edit_of_another_step_does_not_restart_or_lose_a_wait(database: Database, world: World) -> None:
    """A pause has begun when somebody edits an amount: it ends when it would have, and not later or never."""
    pay = step("pay", "pay", account_id={"$ref": "account.id"}, amount=50)
    async with a_house(database, world, [ACCOUNT, PAUSE, pay], goals=("account", "pay")) as house:
        run_id = await house.admit()
        await house.live(run_id)
        before = (await house.state(run_id)).step("pause").until
        await house.clock.sleep(1800)  # sleep: on a clock where it takes no time
        (row,) = await house.reviews.list(run_id=run_id)
        verdict = edit({**row.card.args, "amount": 40}, reason="less")
        await house.reviews.decide(row.card.id, verdict, by=MARY.id, at=house.clock.now())
        rest = await house.live(run_id)
        assert rest is not None
        assert rest.waiting_for.startswith("pause (until ")
        assert (await house.state(run_id)).step("pause").until == before
        await house.clock.sleep(1801)  # sleep: on a clock where it takes no time
        rest = await house.live(run_id)
        assert rest is not None
        assert rest.status is RunStatus.DONE
