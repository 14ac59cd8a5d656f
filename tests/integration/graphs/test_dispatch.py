"""Dispatch on a real database and a real HTTP system: order, gates, retries, reconciliation, refusal, cancel."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest_asyncio

from governance.events import RunStatus
from governance.reviews import approve, reject
from governance.runs import InputKind
from memory.database import Database
from tests.integration.graphs.house import ANNIE, ASKER, MARY, House, a_house, step
from tests.integration.graphs.world import World, serving

ACCOUNT = step("account", "account")
DESK = step("desk", "desk", account_id={"$ref": "account.id"})
PAY = step("pay", "pay", account_id={"$ref": "account.id"}, amount=50)
BADGE = step("badge", "badge", account_id={"$ref": "account.id"})


@pytest_asyncio.fixture
async def world() -> AsyncIterator[World]:
    """A fresh world, serving."""
    async with serving(World()) as served:
        yield served


async def test_a_run_without_gates_ends_in_one_slice(database: Database, world: World) -> None:
    """Every step is done once, in the order of its references, and the run ends."""
    async with a_house(database, world, [DESK, ACCOUNT]) as house:
        run_id = await house.admit()
        rest = await house.live(run_id)
        assert rest is not None
        assert rest.status is RunStatus.DONE
        assert world.calls == ["account", "desk"]
        assert (await house.state(run_id)).report.startswith("Welcome Ada Lovelace: 2 steps done")


async def test_branches_go_on_while_a_review_waits(database: Database, world: World) -> None:
    """The desk does not wait for the payment's approval; the payment starts once it is there."""
    async with a_house(database, world, [ACCOUNT, PAY, DESK]) as house:
        run_id = await house.admit()
        rest = await house.live(run_id)
        assert rest is not None
        assert (rest.status, rest.waiting_for) == (RunStatus.WAITING, "a review of pay")
        assert world.calls == ["account", "desk"]
        (review,) = await house.reviews.list(run_id=run_id)
        await house.reviews.decide(review.card.id, approve(), by=MARY.id, at=house.clock.now())
        rest = await house.live(run_id)
        assert rest is not None
        assert rest.status is RunStatus.DONE
        assert world.effects == {"account:Ada Lovelace": 1, "desk:Ada Lovelace": 1, "pay:Ada Lovelace": 1}


async def test_a_refusal_parks_the_run_with_its_undo_list(database: Database, world: World) -> None:
    """A no is an outcome: the run parks, and people see what was done and how it would be undone."""
    async with a_house(database, world, [ACCOUNT, BADGE]) as house:
        run_id = await house.admit()
        await house.live(run_id)
        (review,) = await house.reviews.list(run_id=run_id)
        await house.reviews.decide(
            review.card.id, reject(reason="not before the tour"), by=ANNIE.id, at=house.clock.now()
        )
        rest = await house.live(run_id)
        assert rest is not None
        assert rest.status is RunStatus.PARKED
        parked = (await house.state(run_id)).parked
        assert parked is not None
        assert "not before the tour" in parked.reason
        assert [(item.step, item.call.args if item.call else None) for item in parked.undo] == [
            ("account", {"id": "account-1"})
        ]


async def test_what_was_in_flight_when_a_run_stops_is_looked_up_and_not_written_off(
    database: Database, world: World
) -> None:
    """A refusal comes while a call is on its way whose answer is then lost: it happened, so it is on the undo list."""
    world.gates["desk"] = asyncio.Event()
    world.fault("desk", "lost")
    async with a_house(database, world, [ACCOUNT, DESK, BADGE]) as house:
        run_id = await house.admit()
        living = asyncio.create_task(house.live(run_id))
        await _until(house, run_id, "review.asked")
        (review,) = await house.reviews.list(run_id=run_id)
        await house.reviews.decide(review.card.id, reject(reason="no"), by=ANNIE.id, at=house.clock.now())
        await _until(house, run_id, "review.decided")
        world.gates["desk"].set()
        rest = await living
        assert rest is not None
        assert rest.status is RunStatus.PARKED
        state = await house.state(run_id)
        assert state.parked is not None
        assert {item.step for item in state.parked.undo} == {"account", "desk"}
        assert world.effects["desk:Ada Lovelace"] == 1


async def _until(house: House, run_id: str, kind: str) -> None:
    async with asyncio.timeout(10):
        async for _ in house.hints.watch(run_id):
            if any(entry.kind == kind for entry in await house.journal.read(run_id)):
                return


async def test_a_busy_system_is_asked_again_and_a_lost_answer_is_looked_up(database: Database, world: World) -> None:
    """429 is retried; a 500 after the effect is reconciled, and nothing happens twice."""
    world.fault("account", "busy")
    world.fault("desk", "lost")
    async with a_house(database, world, [ACCOUNT, DESK]) as house:
        run_id = await house.admit()
        rest = await house.live(run_id)
        assert rest is not None
        assert rest.status is RunStatus.DONE
        assert world.effects == {"account:Ada Lovelace": 1, "desk:Ada Lovelace": 1}
        kinds = [entry.kind for entry in await house.journal.read(run_id)]
        assert kinds.count("step.attempted") == 2
        assert kinds.count("step.reconciled") == 1


async def test_a_cancel_before_any_effect_just_ends_the_run(database: Database, world: World) -> None:
    """Nothing was done, so nothing is left to decide."""
    async with a_house(database, world, [step("pay", "pay", amount=50)], goals=("pay",)) as house:
        run_id = await house.admit()
        await house.live(run_id)
        await house.inbox.put(run_id, InputKind.CANCEL, {"by": ASKER.id, "reason": "a mistake"})
        rest = await house.live(run_id)
        assert rest is not None
        assert rest.status is RunStatus.CANCELLED
        assert world.calls == []
