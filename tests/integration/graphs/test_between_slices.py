"""What happens between slices: suspended workers, deaths after an unnoticed send, questions asked again, skewed clocks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio

from governance.errors import Fenced
from governance.events import RunStatus
from governance.policy import PolicyRule, RulingKind
from governance.reviews import approve, reject, respond
from governance.runs import InputKind, Rest
from graphs.control import Control
from graphs.machine import build_graph
from memory.database import Database
from tests.integration.graphs.house import ASKER, MARY, House, a_house, step
from tests.integration.graphs.world import World, serving

ACCOUNT = step("account", "account")
DESK = step("desk", "desk", account_id={"$ref": "account.id"})
PAY = step("pay", "pay", account_id={"$ref": "account.id"}, amount=50)
MAIL = step("mail", "mail", after=["account"])


@pytest_asyncio.fixture
async def world() -> AsyncIterator[World]:
    """A fresh world, serving."""
    async with serving(World()) as served:
        yield served


async def _lives(house: House, run_id: str, count: int) -> Rest | None:
    """So many lives, with time between them; how the last one left the run."""
    rest = None
    for _ in range(count):
        await house.clock.sleep(100)  # sleep: on a clock where it takes no time
        await house.runs.wake(run_id)
        rest = await house.live(run_id) or rest
    return rest


@pytest.mark.parametrize("way", ["later", "drain", "cancel"])
async def test_the_second_try_of_a_dead_worker_is_looked_up(database: Database, world: World, way: str) -> None:
    """429, a second try in the same slice, death after it was sent; then a timer, a drain or a cancel: one desk."""
    world.fault("desk", "busy")
    async with a_house(database, world, [ACCOUNT, DESK], linger=1 if way == "later" else 30) as house:
        run_id = await house.admit()
        house.doom.at = "after-send:3"
        assert await house.live(run_id) is None
        if way != "later":
            await _interrupted(house, run_id, way)
        for _ in range(4):
            await _lives(house, run_id, 2)
            for row in await house.reviews.list(run_id=run_id):
                await house.reviews.decide(row.card.id, respond("resume"), by=ASKER.id, at=house.clock.now())
        assert world.effects["desk:Ada Lovelace"] == 1
        assert (await house.state(run_id)).ended is not None


async def _interrupted(house: House, run_id: str, way: str) -> None:
    """A life that is drained, or its run cancelled, while it sleeps before it may look."""
    real, asleep, control = house.clock.sleep, asyncio.Event(), Control()

    async def sleeps(seconds: float) -> None:
        asleep.set()
        await asyncio.Event().wait()

    house.clock.sleep = sleeps  # type: ignore[method-assign]  # the clock stands still for this life
    life = asyncio.create_task(house.live(run_id, control=control))
    await asleep.wait()
    house.clock.sleep = real  # type: ignore[method-assign]
    if way == "drain":
        control.drain()
    else:
        await house.inbox.put(run_id, InputKind.CANCEL, {"by": ASKER.id, "reason": "stop"})
    await life


async def test_a_suspended_worker_sends_nothing_after_its_run_was_taken_over(database: Database, world: World) -> None:
    """It sleeps between attempts for a minute, like a closed laptop; another worker does the step; it wakes: fenced."""
    world.fault("desk", "down")
    async with a_house(database, world, [ACCOUNT, DESK]) as house:
        run_id = await house.admit()
        real, asleep, wake = house.clock.sleep, asyncio.Event(), asyncio.Event()

        async def frozen(seconds: float) -> None:
            if asleep.is_set():
                await real(seconds)
                return
            asleep.set()
            await wake.wait()

        house.clock.sleep = frozen  # type: ignore[method-assign]  # the first sleeper is suspended
        suspended = asyncio.create_task(house.live(run_id))
        await asleep.wait()
        await real(60)
        async with house.database.connection() as connection:
            await connection.execute("UPDATE run SET lease_until = now() - interval '1s'")
        other = await house.live(run_id)
        assert other is not None
        assert other.status is RunStatus.DONE
        wake.set()
        with pytest.raises(Fenced):
            await suspended
        assert world.effects["desk:Ada Lovelace"] == 1


@pytest.mark.parametrize("linger", [0, 30])
async def test_a_cancel_leaves_the_question_what_became_of_a_mail_open(
    database: Database, world: World, linger: float
) -> None:
    """What is taken back hangs on the answer. With it the run ends; it neither spins nor forgets to ask."""
    world.fault("mail", "lost")
    async with a_house(database, world, [ACCOUNT, MAIL], linger=linger) as house:
        run_id = await house.admit()
        await _lives(house, run_id, 5)
        await house.inbox.put(run_id, InputKind.CANCEL, {"by": ASKER.id, "reason": "stop"})
        async with asyncio.timeout(20):
            await _lives(house, run_id, 2)
            (row,) = await house.reviews.list(run_id=run_id)
            await house.reviews.decide(row.card.id, respond("happened"), by=ASKER.id, at=house.clock.now())
            rest = await _lives(house, run_id, 2)
        assert rest is not None
        assert rest.status is RunStatus.CANCELLED
        assert world.standing == ["mail:Ada Lovelace"]


async def test_a_mail_whose_answer_is_lost_twice_is_asked_about_twice(database: Database, world: World) -> None:
    """Somebody says that it did not happen, and the next try dies too: a new question, not the old one that was answered."""
    async with a_house(database, world, [ACCOUNT, MAIL]) as house:
        run_id = await house.admit()
        house.doom.at = "before-send:2"
        await _lives(house, run_id, 3)
        (first,) = await house.reviews.list(run_id=run_id)
        house.doom.at = "before-send:3"
        await house.reviews.decide(first.card.id, respond("did_not_happen"), by=ASKER.id, at=house.clock.now())
        async with asyncio.timeout(20):
            await _lives(house, run_id, 3)
        (second,) = await house.reviews.list(run_id=run_id)
        assert second.card.id != first.card.id
        assert world.effects["mail:Ada Lovelace"] == 0


async def test_a_step_that_is_taken_up_again_asks_again(database: Database, world: World) -> None:
    """A no that parked the run is not the answer to the question after the resume."""
    async with a_house(database, world, [ACCOUNT, PAY]) as house:
        run_id = await house.admit()
        await house.live(run_id)
        (first,) = await house.reviews.list(run_id=run_id)
        await house.reviews.decide(first.card.id, reject(reason="too much"), by=MARY.id, at=house.clock.now())
        await house.live(run_id)
        await house.inbox.put(run_id, InputKind.RESUME, {"by": ASKER.id, "reason": "on"})
        rest = await house.live(run_id)
        assert rest is not None
        assert (rest.status, rest.waiting_for) == (RunStatus.WAITING, "a review of pay")
        (again,) = await house.reviews.list(run_id=run_id)
        assert again.card.id != first.card.id
        await house.reviews.decide(again.card.id, approve(), by=MARY.id, at=house.clock.now())
        rest = await house.live(run_id)
        assert rest is not None
        assert rest.status is RunStatus.DONE


async def test_a_timer_fired_by_a_clock_that_is_ahead_loses_nothing(database: Database, world: World) -> None:
    """The timer is gone and the step not yet due: the run's row itself says when to come back."""
    world.fault("account", "busy")
    async with a_house(database, world, [ACCOUNT], linger=0) as house:
        run_id = await house.admit()
        await house.live(run_id)
        due = await house.timers.next_due()
        assert due is not None
        await house.timers.fire_due(due)
        house.clock.moment = due - timedelta(seconds=1)
        rest = await house.live(run_id)
        assert rest is not None
        assert rest.wake_in == timedelta(seconds=1)
        assert (await house.runs.get(run_id)).wake_at is not None


async def test_a_playbook_cannot_loosen_the_companys_gate(database: Database, world: World) -> None:
    """Its own gate, answered by the requester, stands behind the company's: finance is asked, with four eyes."""
    mine = {"$eq": [{"$ref": "tool"}, "world.pay@1"]}
    async with a_house(database, world, [ACCOUNT, PAY]) as house:
        book = next(iter(house.engine.playbooks.values()))
        easy = PolicyRule(
            name="easy",
            then=RulingKind.GATE,
            when=mine,
            because="ours",
            approvers=(f"person:{ASKER.id}",),
            requester_may_decide=True,
        )
        money = PolicyRule(name="money", then=RulingKind.GATE, when=mine, because="money", approvers=("finance",))
        rest = PolicyRule(name="small", then=RulingKind.GO, because="it can be undone")
        loose = book.model_copy(update={"policy": (easy, rest)})
        object.__setattr__(house.engine, "playbooks", {loose.id: loose})
        object.__setattr__(house.engine, "policy", (money,))
        house.graph = build_graph(house.engine)
        run_id = await house.admit()
        await house.live(run_id)
        (row,) = await house.reviews.list(run_id=run_id)
        assert row.card.approvers == (MARY.id,)
        assert not row.card.requester_may_decide


async def test_a_parked_run_does_not_wake_for_what_its_steps_waited_for(database: Database, world: World) -> None:
    """One step waits to try again when another fails for good: the run parks, and sleeps until somebody is reminded."""
    world.fault("account", "no")
    world.fault("desk", "down", "down")
    desk = step("desk", "desk")
    async with a_house(database, world, [desk, ACCOUNT], linger=0) as house:
        run_id = await house.admit()
        rest = await _lives(house, run_id, 3)
        assert rest is not None
        assert rest.status is RunStatus.PARKED
        assert rest.wake_in is not None
        assert rest.wake_in > timedelta(hours=1)
