"""Steps that wait for what other systems publish: early, late, twice, unfit, never; 72 hours that cost a row; crashes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from typing import Any

import pytest
import pytest_asyncio

from governance import events as ev
from governance.chain import verify
from governance.effects import StepStatus
from governance.events import ENDED, RunStatus
from governance.outside import OutsideEvent, Published
from governance.reviews import ReviewKind, edit
from governance.runs import InputKind
from graphs.fold import RunFold
from memory.database import Database
from memory.outside import OutsideEvents
from tests.integration.graphs.house import ASKER, MARY, MAY_BE_MISSED, House, a_house, step
from tests.integration.graphs.world import World, serving

ACCOUNT = step("account", "account")
SHIPPED: dict[str, Any] = {
    "id": "shipped",
    "tool": "events.await@1",
    "args": {
        "type": "laptop.shipped",
        "match": {"order.account": {"$ref": "account.id"}},
        "schema": {
            "type": "object",
            "properties": {"weight": {"type": "integer"}, "carrier": {"type": "string"}},
            "required": ["weight"],
        },
        "for_seconds": 72 * 3600,
    },
    "reason": "nobody installs what is not there",
    "confidence": 0.9,
}
DESK = step("desk", "desk", account_id={"$ref": "account.id"}, after=["shipped"])
PAY = step("pay", "pay", account_id={"$ref": "account.id"}, amount={"$ref": "shipped.data.weight"})


@pytest_asyncio.fixture
async def world() -> AsyncIterator[World]:
    """A fresh world, serving."""
    async with serving(World()) as served:
        yield served


async def publish(house: House, run_id: str, number: int = 1, **data: Any) -> Published:
    """The warehouse says that the laptop of this run's account is on its way."""
    ended = (await house.state(run_id)).step("account").ended
    account = ended.output["id"] if ended and ended.output else "nobody's"
    said = {"weight": 3, "carrier": "Nordwind", "secret": "x", **data, "order": {"account": account}}
    event = OutsideEvent(id=f"e-{number}", type="laptop.shipped", source="warehouse", data=said)
    return await OutsideEvents(house.database).publish(event, house.clock.now())


async def end_of(house: House, run_id: str) -> ev.StepEnded | None:
    """How the wait ended, if it did."""
    return (await house.state(run_id)).step("shipped").ended


async def kinds(house: House, run_id: str) -> list[str]:
    """The kinds of what is in the journal."""
    return [entry.kind for entry in await house.journal.read(run_id)]


async def test_seventy_two_hours_cost_a_row_and_the_event_ends_them(database: Database, world: World) -> None:
    """The claim ends at once; nobody looks for days; the event comes, with what the plan wants of it and no more; repeats change nothing."""
    async with a_house(database, world, [ACCOUNT, SHIPPED, DESK]) as house:
        run_id = await house.admit()
        rest = await house.live(run_id)
        assert rest is not None
        assert (rest.status, rest.waiting_for) == (RunStatus.WAITING, "shipped (the event laptop.shipped)")
        row, before = await house.runs.get(run_id), await house.state(run_id)
        for _ in range(71):
            await house.clock.sleep(3600)  # sleep: on a clock where it takes no time
            assert await house.live(run_id) is None
        assert (await house.runs.get(run_id)).epoch == row.epoch
        assert (await house.state(run_id)).seq == before.seq
        assert await publish(house, run_id) == Published(first=True, woken=1)
        assert await publish(house, run_id) == Published(first=False, woken=1)
        assert await publish(house, run_id, 2) == Published(first=True, woken=0)
        rest = await house.live(run_id)
        assert rest is not None
        assert rest.status is RunStatus.DONE
        ended = await end_of(house, run_id)
        assert ended is not None
        assert ended.output == {
            "id": "e-1",
            "type": "laptop.shipped",
            "source": "warehouse",
            "subject": "",
            "time": None,
            "data": {"weight": 3, "carrier": "Nordwind"},
        }
        assert "desk" in world.calls
        assert (await kinds(house, run_id)).count("step.answered") == 1
        assert verify(await house.journal.read(run_id)).ok
        assert await house.database.fetch(b"SELECT 1 FROM subscription") == []


async def test_one_event_wakes_all_who_wait_for_it(database: Database, world: World) -> None:
    """Three runs, whatever their account is."""
    anyone = {**SHIPPED, "args": {**SHIPPED["args"], "match": {"carrier": "Nordwind"}}}
    async with a_house(database, world, [ACCOUNT, anyone]) as house:
        runs = []
        for name in ("Ada Lovelace", "Ada Byron", "Augusta King"):
            runs.append(await house.admit(name))
            await house.live(runs[-1])
        assert await publish(house, runs[0]) == Published(first=True, woken=3)
        for run_id in runs:
            rest = await house.live(run_id)
            assert rest is not None
            assert rest.status is RunStatus.DONE


async def test_an_event_that_came_before_the_step_waited_counts_from_the_admission_on(
    database: Database, world: World
) -> None:
    """The laptop was on its way before anybody waited for that; another step wants only what comes from then on."""
    later = {**SHIPPED, "id": "later", "args": {**SHIPPED["args"], "since": "wait"}}
    held = {**SHIPPED, "not_before": "2027-01-04T12:00:00Z"}
    async with a_house(database, world, [ACCOUNT, held, {**later, "not_before": "2027-01-04T12:00:00Z"}]) as house:
        run_id = await house.admit()
        rest = await house.live(run_id)
        await house.clock.sleep(3600)  # sleep: on a clock where it takes no time
        assert await publish(house, run_id) == Published(first=True, woken=0)
        await house.clock.sleep(7200)  # sleep: on a clock where it takes no time
        for _ in range(3):
            rest = await house.live(run_id) or rest
        assert rest is not None
        assert rest.waiting_for == "later (the event laptop.shipped)"
        assert await end_of(house, run_id) is not None
        await publish(house, run_id, 2)
        rest = await house.live(run_id)
        assert rest is not None
        assert rest.status is RunStatus.DONE


async def test_an_event_from_before_the_admission_is_another_runs(database: Database, world: World) -> None:
    """Last year's laptop is not this one."""
    anyone = {**SHIPPED, "args": {**SHIPPED["args"], "match": {}}}
    async with a_house(database, world, [ACCOUNT, anyone]) as house:
        event = OutsideEvent(id="old", type="laptop.shipped", source="warehouse", data={"weight": 1})
        await OutsideEvents(house.database).publish(event, house.clock.now())
        await house.clock.sleep(1)  # sleep: on a clock where it takes no time
        run_id = await house.admit()
        rest = await house.live(run_id)
        assert rest is not None
        assert rest.status is RunStatus.WAITING


async def test_no_event_in_time_fails_the_step_and_a_resume_finds_what_came_late(
    database: Database, world: World
) -> None:
    """The run parks and says why; the event comes after that; whoever resumes need not ask for it again."""
    async with a_house(database, world, [ACCOUNT, SHIPPED, DESK]) as house:
        run_id = await house.admit()
        await house.live(run_id)
        await house.clock.sleep(73 * 3600)  # sleep: on a clock where it takes no time
        assert await publish(house, run_id) == Published(first=True, woken=0)
        rest = await house.live(run_id)
        assert rest is not None
        assert rest.status is RunStatus.PARKED
        ended = await end_of(house, run_id)
        assert ended is not None
        assert ended.failure is not None
        assert (ended.status, ended.failure.code) == (StepStatus.FAILED, "no_event")
        assert ended.failure.message == "no event laptop.shipped came in time"
        await house.inbox.put(run_id, InputKind.RESUME, {"by": ASKER.id, "reason": "it is there"})
        for _ in range(3):
            rest = await house.live(run_id) or rest
        assert rest.status is RunStatus.DONE


async def test_an_event_that_does_not_fit_is_dropped_and_the_step_waits_on(database: Database, world: World) -> None:
    """Two that lack what the plan needs, in the same moment as one that has it: nothing fails, and none is lost."""
    async with a_house(database, world, [ACCOUNT, SHIPPED]) as house:
        run_id = await house.admit()
        await house.live(run_id)
        for number, weight in enumerate(["heavy", None, 4]):
            await publish(house, run_id, number, weight=weight)
        for _ in range(4):
            await house.live(run_id)
        ended = await end_of(house, run_id)
        assert ended is not None
        assert ended.output is not None
        assert (ended.output["id"], ended.output["data"]["weight"]) == ("e-2", 4)
        dropped = [body for e in await house.journal.read(run_id) if isinstance(body := e.parsed(), ev.InputDropped)]
        assert [each.what for each in dropped] == ["event by warehouse"] * 2
        assert "does not fit the step's schema" in dropped[0].why


async def test_a_cancelled_run_waits_for_nothing(database: Database, world: World) -> None:
    """It ends at once, and an event after that is left for nobody."""
    async with a_house(database, world, [ACCOUNT, SHIPPED]) as house:
        run_id = await house.admit()
        await house.live(run_id)
        await house.inbox.put(run_id, InputKind.CANCEL, {"by": ASKER.id, "reason": "stop"})
        rest = await house.live(run_id)
        assert rest is not None
        assert rest.status is RunStatus.CANCELLED
        assert await publish(house, run_id) == Published(first=True, woken=0)
        assert await house.database.fetch(b"SELECT 1 FROM subscription") == []


async def test_an_event_for_a_run_that_is_parked_is_kept_for_it(database: Database, world: World) -> None:
    """Something else failed meanwhile: the event ends its step all the same, and the resume goes on from there."""
    desk = step("desk", "desk", account_id={"$ref": "account.id"})
    async with a_house(database, world, [ACCOUNT, SHIPPED, desk]) as house:
        world.faults["desk"] = ["no"]
        run_id = await house.admit()
        await house.live(run_id)
        assert await publish(house, run_id) == Published(first=True, woken=1)
        await house.live(run_id)
        ended = await end_of(house, run_id)
        assert ended is not None
        assert ended.status is StepStatus.DONE
        await house.inbox.put(run_id, InputKind.RESUME, {"by": ASKER.id, "reason": "there is room"})
        rest = await house.live(run_id)
        assert rest is not None
        assert rest.status is RunStatus.DONE


async def test_an_edit_of_another_step_loses_no_event(database: Database, world: World) -> None:
    """The wait goes on, with its deadline, for what it waited for."""
    pay = step("pay", "pay", account_id={"$ref": "account.id"}, amount=50)
    async with a_house(database, world, [ACCOUNT, SHIPPED, pay], goals=("account", "pay")) as house:
        run_id = await house.admit()
        await house.live(run_id)
        until = (await house.state(run_id)).step("shipped").until
        await house.clock.sleep(3600)  # sleep: on a clock where it takes no time
        (row,) = await house.reviews.list(run_id=run_id)
        verdict = edit({**row.card.args, "amount": 40}, reason="less")
        await house.reviews.decide(row.card.id, verdict, by=MARY.id, at=house.clock.now())
        await publish(house, run_id)
        rest = await house.live(run_id)
        if rest is None or rest.status is not RunStatus.DONE:
            assert (await house.state(run_id)).step("shipped").until == until
            await house.clock.sleep(1)  # sleep: on a clock where it takes no time
            rest = await house.live(run_id)
        assert rest is not None
        assert rest.status is RunStatus.DONE


async def test_each_item_of_a_list_waits_for_its_own(database: Database, world: World) -> None:
    """Two assets, two events, in the other order."""
    each = {
        **SHIPPED,
        "for_each": {"items": ["laptop", "screen"], "key": {"$ref": "item"}},
        "args": {**SHIPPED["args"], "match": {"asset": {"$ref": "item"}}},
    }
    async with a_house(database, world, [ACCOUNT, each]) as house:
        run_id = await house.admit()
        await house.live(run_id)
        assert (await publish(house, run_id, 1, asset="screen", weight=1)).woken == 1
        await house.live(run_id)
        assert (await publish(house, run_id, 2, asset="laptop", weight=2)).woken == 1
        rest = await house.live(run_id)
        assert rest is not None
        assert rest.status is RunStatus.DONE
        ended = await end_of(house, run_id)
        assert ended is not None
        assert ended.output is not None
        assert [item["id"] for item in ended.output["items"]] == ["e-2", "e-1"]


async def test_what_an_event_says_does_not_decide_a_sensitive_argument_unseen(database: Database, world: World) -> None:
    """The amount comes from outside, so the gate shows it to a person who may."""
    async with a_house(database, world, [ACCOUNT, SHIPPED, PAY], goals=("account", "pay")) as house:
        run_id = await house.admit()
        await house.live(run_id)
        await publish(house, run_id)
        await house.live(run_id)
        (row,) = await house.reviews.list(run_id=run_id)
        assert (row.card.kind, row.card.args["amount"]) == (ReviewKind.STEP, 3)


STEPS = (
    ACCOUNT,
    SHIPPED,
    {**SHIPPED, "id": "again", "after": ["shipped"], "args": {**SHIPPED["args"], "since": "wait"}},
    step("desk", "desk", account_id={"$ref": "account.id"}, after=["again"]),
)


async def _play(house: House) -> RunFold:
    """Lives until the run has ended; the warehouse publishes between them, unfit things too, and everything twice."""
    run_id = await house.admit()
    said: Iterable[tuple[int, Any]] = [(1, "heavy"), (2, 3)]
    for number in range(40):
        rest = await house.live(run_id)
        if rest is not None and rest.status in ENDED | {RunStatus.PARKED}:
            return await house.state(run_id)
        if (await house.state(run_id)).step("account").ended is not None:
            for each, weight in said:
                for _ in range(2):
                    await publish(house, run_id, 10 * number + each, weight=weight)
        await house.clock.sleep(60 if number % 2 else 1)  # sleep: on a clock where it takes no time
    raise AssertionError(await house.state(run_id))


def _told(state: RunFold) -> dict[str, Any]:
    return {i: s.ended.status for i, s in sorted(state.steps.items()) if s.ended is not None}


@pytest.mark.timeout(240)
async def test_a_crash_at_every_point_of_a_wait_changes_nothing(database: Database) -> None:
    """Every append, both sides of every send: each step ends once, with an event that fits, and the run as without the crash."""
    async with serving(World()) as world, a_house(database, world, STEPS) as house:
        expected, counts = _told(await _play(house)), dict(house.doom.counts)
        assert len(expected) == len(STEPS)
        missed = 0
        for point in [f"{name}:{number}" for name, count in counts.items() for number in range(1, count + 1)]:
            for kept in (world.effects, world.records, world.by_key, world.faults, world.calls, world.addresses):
                kept.clear()
            await house.clock.sleep(8 * 24 * 3600)  # sleep: on a clock where it takes no time
            await OutsideEvents(house.database).forget(house.clock.now())
            house.doom.counts.clear()
            house.doom.at, house.doom.hit = point, False
            state = await _play(house)
            missed += not house.doom.hit
            assert _told(state) == expected, point
            assert all(count == 1 for count in world.effects.values()), point
            weights = [state.step(i).ended.output["data"]["weight"] for i in ("shipped", "again")]  # type: ignore[union-attr,index]
            assert weights == [3, 3], point
            assert verify(await house.journal.read(state.run_id)).ok
        assert missed <= MAY_BE_MISSED


async def test_an_event_for_another_wait_or_none_is_dropped(database: Database, world: World) -> None:
    """One for what a step waited for before, one for no step, one that nobody can read: each is named, and the wait goes on."""
    async with a_house(database, world, [ACCOUNT, SHIPPED]) as house:
        run_id = await house.admit()
        await house.live(run_id)
        (wait,) = await house.database.fetch(b"SELECT wanted, since, until FROM subscription")
        times = {name: wait[name].isoformat() for name in ("since", "until")}
        event = {"id": "e", "type": "laptop.shipped", "source": "s", "data": {"weight": 1}}
        body = {"step": "shipped", "event": event, "seq": 1, "wanted": wait["wanted"], **times}
        for changed in ({"wanted": {"type": "other"}}, {"step": "account"}, {"step": "nobody"}, {"event": {"id": 3}}):
            await house.inbox.put(run_id, InputKind.EVENT, {**body, **changed})
        await house.live(run_id)
        dropped = [said for e in await house.journal.read(run_id) if isinstance(said := e.parsed(), ev.InputDropped)]
        assert [each.why for each in dropped] == [
            "the step waits for something else",
            "the step had ended",
            "no step waits for it",
            "it is none that can be read",
        ]
        assert await end_of(house, run_id) is None
        await publish(house, run_id)
        rest = await house.live(run_id)
        assert rest is not None
        assert rest.status is RunStatus.DONE
