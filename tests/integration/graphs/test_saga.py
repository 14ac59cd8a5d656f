"""Taking back, on a real database and a real HTTP system that really takes things away and counts them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio

from governance.canonical import effect_key
from governance.chain import verify
from governance.effects import EffectClass, undo_id
from governance.events import Recovery, RunStatus, StepIntended
from governance.reviews import ReviewKind, approve, reject, respond
from governance.runs import InputKind, Rest
from graphs.control import Control
from graphs.live import LiveRun
from graphs.recovery import park
from graphs.slice import rest_of
from memory.database import Database
from playbooks.model import OnRefusal
from tests.integration.graphs.house import ANNIE, ASKER, LEASE, MARY, House, a_house, step
from tests.integration.graphs.world import World, serving

ACCOUNT = step("account", "account")
DESK = step("desk", "desk", account_id={"$ref": "account.id"})
PAY = step("pay", "pay", account_id={"$ref": "account.id"}, amount=50)
BADGE = step("badge", "badge", account_id={"$ref": "account.id"})
ADA = "Ada Lovelace"


@pytest_asyncio.fixture
async def world() -> AsyncIterator[World]:
    """A fresh world, serving."""
    async with serving(World()) as served:
        yield served


async def _cancel(house: House, run_id: str) -> None:
    await house.inbox.put(run_id, InputKind.CANCEL, {"by": ASKER.id, "reason": "she declined"})


async def _lives(house: House, run_id: str, count: int) -> Rest | None:
    """So many lives with time between them; how the last one left the run."""
    rest = None
    for _ in range(count):
        rest = await house.live(run_id) or rest
        await house.clock.sleep(60)  # sleep: on a clock where it takes no time
        await house.runs.wake(run_id)
    return rest


async def _status(house: House, run_id: str) -> RunStatus:
    return (await house.runs.get(run_id)).status


async def test_a_cancel_takes_back_what_was_done_newest_first(database: Database, world: World) -> None:
    """Nothing is left, each undo is an effect of its own with its own key and the original's id, and the report counts."""
    async with a_house(database, world, [ACCOUNT, DESK, BADGE]) as house:
        run_id = await house.admit()
        await house.live(run_id)
        await _cancel(house, run_id)
        rest = await house.live(run_id)
        assert rest is not None
        assert rest.status is RunStatus.CANCELLED
        assert world.standing == []
        assert world.calls == ["account", "desk", "release", "undo"]
        entries = await house.journal.read(run_id)
        intents = [body.intent for entry in entries if isinstance(body := entry.parsed(), StepIntended)]
        assert [(i.step, i.args) for i in intents[2:]] == [
            ("undo:desk", {"id": "desk-2"}),
            ("undo:account", {"id": "account-1"}),
        ]
        assert intents[2].key == effect_key(run_id, "desk", act="undo")
        state = await house.state(run_id)
        assert state.report == f"Cancelled by {ASKER.id}: she declined. 2 of 2 effects are taken back."
        assert not await house.reviews.list(run_id=run_id), "the badge's question is withdrawn"
        assert set(state.steps) == {"account", "desk"}, "undos are not the plan's steps"
        assert verify(entries).ok


async def test_ends_of_one_moment_are_taken_back_in_the_journals_order(database: Database, world: World) -> None:
    """The clock stands still, and the older effect has the later name: order is by the journal, not by name or time."""
    first, second = step("zebra", "account"), step("ant", "desk", account_id={"$ref": "zebra.id"})
    steps = [first, second, step("pay", "pay", amount=5, after=["ant"])]
    async with a_house(database, world, steps, goals=()) as house:
        run_id = await house.admit()
        await house.live(run_id)
        await _cancel(house, run_id)
        await house.live(run_id)
        state = await house.state(run_id)
        assert state.undoing is not None
        assert [item.step for item in state.undoing.items] == ["ant", "zebra"]


async def test_what_was_found_is_left_alone(database: Database, world: World) -> None:
    """The account was there before the run: only the desk goes."""
    world.records[f"account:{ADA}"] = {"id": "old", "path": "account", "key": "another's", "name": f"account:{ADA}"}
    async with a_house(database, world, [ACCOUNT, DESK, BADGE]) as house:
        run_id = await house.admit()
        await house.live(run_id)
        await _cancel(house, run_id)
        await house.live(run_id)
        assert (await house.state(run_id)).report.endswith("1 of 1 effects is taken back.")
        assert world.undone == {f"desk:{ADA}": 1}
        assert f"account:{ADA}" in world.records


@pytest.mark.parametrize("path", ["undo", "release"])
async def test_a_lost_answer_of_an_undo_is_no_second_undo(database: Database, world: World, path: str) -> None:
    """Done, then 500: the one finds that nothing is there any more, the other is looked up. Once each."""
    world.fault(path, "busy", "lost")
    async with a_house(database, world, [ACCOUNT, DESK, BADGE]) as house:
        run_id = await house.admit()
        await house.live(run_id)
        await _cancel(house, run_id)
        await _lives(house, run_id, 3)
        assert await _status(house, run_id) is RunStatus.CANCELLED
        assert world.undone == {f"account:{ADA}": 1, f"desk:{ADA}": 1}
        assert ("look:release" in world.calls) is (path == "release")


async def test_what_is_gone_already_counts_as_taken_back(database: Database, world: World) -> None:
    """Somebody deleted the account by hand: the undo finds nothing, and that is what was wanted."""
    async with a_house(database, world, [ACCOUNT, BADGE]) as house:
        run_id = await house.admit()
        await house.live(run_id)
        world.records.clear()
        await _cancel(house, run_id)
        rest = await house.live(run_id)
        assert rest is not None
        assert rest.status is RunStatus.CANCELLED
        assert (await house.state(run_id)).report.endswith("1 of 1 effects is taken back, 1 of them gone already.")


@pytest.mark.parametrize("way", ["", "lost"])
async def test_a_cancel_waits_for_the_call_in_flight(database: Database, world: World, way: str) -> None:
    """It is on its way when the cancel comes. It ends, or is looked up, and only then is anything taken back."""
    world.gates["desk"] = asyncio.Event()
    world.fault("desk", *([way] if way else []))
    async with a_house(database, world, [ACCOUNT, DESK, BADGE]) as house:
        run_id = await house.admit()
        living = asyncio.create_task(house.live(run_id))
        await _until(house, run_id, "review.asked")
        await asyncio.wait_for(world.arrived["desk"].wait(), 10)
        await _cancel(house, run_id)
        await _until(house, run_id, "cancel.asked")
        assert "undo.begun" not in [entry.kind for entry in await house.journal.read(run_id)]
        world.gates["desk"].set()
        rest = await living
        assert rest is not None
        assert rest.status is RunStatus.CANCELLED
        assert world.effects[f"desk:{ADA}"] == 1
        assert world.standing == []


async def _until(house: House, run_id: str, kind: str) -> None:
    async with asyncio.timeout(10):
        async for _ in house.hints.watch(run_id):
            if any(entry.kind == kind for entry in await house.journal.read(run_id)):
                return


async def test_an_undo_that_fails_parks_the_run_and_a_resume_goes_on(database: Database, world: World) -> None:
    """Done is done: what was taken back is not called again. A second cancel changes nothing."""
    world.fault("undo", "no")
    async with a_house(database, world, [ACCOUNT, DESK, BADGE]) as house:
        run_id = await house.admit()
        await house.live(run_id)
        await _cancel(house, run_id)
        rest = await house.live(run_id)
        assert rest is not None
        assert rest.status is RunStatus.PARKED
        state = await house.state(run_id)
        assert state.parked is not None
        assert "1 of 2 effects is taken back. account stands: " in state.parked.reason
        assert [item.step for item in state.parked.undo] == ["account"]
        await _cancel(house, run_id)
        await house.live(run_id)
        assert await _status(house, run_id) is RunStatus.PARKED
        (row,) = await house.reviews.list(run_id=run_id)
        await house.reviews.decide(row.card.id, respond("resume"), by=MARY.id, at=house.clock.now())
        await house.live(run_id)
        assert await _status(house, run_id) is RunStatus.CANCELLED
        assert world.standing == []
        assert world.calls.count("release") == 1


async def test_an_undo_that_fails_can_be_left_to_stand(database: Database, world: World) -> None:
    """`close` ends the run, and the report names what stands. A plain failure stops the older undos too."""
    world.fault("release", "no")
    async with a_house(database, world, [ACCOUNT, DESK, BADGE]) as house:
        run_id = await house.admit()
        await house.live(run_id)
        await _cancel(house, run_id)
        await house.live(run_id)
        assert world.undone == {}
        (row,) = await house.reviews.list(run_id=run_id)
        await house.reviews.decide(row.card.id, respond("close"), by=MARY.id, at=house.clock.now())
        await house.live(run_id)
        state = await house.state(run_id)
        assert (state.ended.status if state.ended else "") == "closed"
        assert "0 of 2 effects are taken back. desk stands: " in state.report
        assert "account stands: it was not taken back." in state.report


async def test_people_have_a_parked_run_taken_back(database: Database, world: World) -> None:
    """A refusal asks; `undo` is an answer, and whoever gives it answers for it."""
    async with a_house(database, world, [ACCOUNT, DESK, BADGE]) as house:
        run_id = await house.admit()
        await house.live(run_id)
        (row,) = await house.reviews.list(run_id=run_id)
        await house.reviews.decide(row.card.id, reject(reason="no"), by=ANNIE.id, at=house.clock.now())
        await house.live(run_id)
        assert await _status(house, run_id) is RunStatus.PARKED
        assert world.undone == {}
        (row,) = await house.reviews.list(run_id=run_id)
        await house.reviews.decide(row.card.id, respond("undo", reason="start over"), by=MARY.id, at=house.clock.now())
        await house.live(run_id)
        state = await house.state(run_id)
        assert (state.ended.status if state.ended else "") == "undone"
        assert world.standing == []
        assert state.undoing is not None
        assert (state.undoing.by, state.undoing.why) == (MARY.id, "start over")


async def test_a_parked_run_can_be_cancelled(database: Database, world: World) -> None:
    """Its question is withdrawn, what it did is taken back, and it ends cancelled."""
    world.fault("desk", "no")
    async with a_house(database, world, [ACCOUNT, DESK]) as house:
        run_id = await house.admit()
        await house.live(run_id)
        assert await _status(house, run_id) is RunStatus.PARKED
        await _cancel(house, run_id)
        await house.live(run_id)
        assert await _status(house, run_id) is RunStatus.CANCELLED
        assert world.standing == []
        assert not await house.reviews.list(run_id=run_id)


async def test_a_parked_run_with_a_call_in_doubt_settles_it_before_it_takes_back(
    database: Database, world: World
) -> None:
    """Its worker died after the desk was sent, and it was parked as it lay: the desk is looked up, then taken back too."""
    async with a_house(database, world, [ACCOUNT, DESK]) as house:
        run_id = await house.admit()
        house.doom.at = "after-send:2"
        assert await house.live(run_id) is None
        await _park(house, run_id)
        (row,) = await house.reviews.list(run_id=run_id)
        await house.reviews.decide(row.card.id, respond("undo"), by=ASKER.id, at=house.clock.now())
        await _lives(house, run_id, 4)
        assert await _status(house, run_id) is RunStatus.UNDONE
        kinds = [entry.kind for entry in await house.journal.read(run_id)]
        assert kinds.index("step.reconciled") < kinds.index("undo.begun")
        assert world.undone == {f"account:{ADA}": 1, f"desk:{ADA}": 1}


async def _park(house: House, run_id: str) -> None:
    """As a worker parks a run whose claims come to nothing."""
    house.doom.dead = False
    await house.runs.reap()
    (claim,) = await house.runs.claim(900_000, 1, LEASE)
    engine = house.engine
    run = await LiveRun.open(claim, engine.journal, engine.clock, engine.entropy)
    await park(engine, run, "five claims in a row came to nothing", poison=True)
    await house.runs.finish(claim, rest_of(run, again=False, progressed=True))


@pytest.mark.parametrize("chosen", ["playbook", "diagnosis"])
async def test_a_refusal_can_mean_to_take_back(database: Database, world: World, chosen: str) -> None:
    """By the playbook, or by the diagnosis: nobody is asked, and the run ends undone."""
    on_refusal = OnRefusal.UNDO if chosen == "playbook" else OnRefusal.ASK
    recovery = Recovery.COMPENSATE if chosen == "diagnosis" else Recovery.ASK
    async with a_house(database, world, [ACCOUNT, BADGE], on_refusal=on_refusal, recovery=recovery) as house:
        run_id = await house.admit()
        await house.live(run_id)
        (row,) = await house.reviews.list(run_id=run_id)
        await house.reviews.decide(row.card.id, reject(reason="no"), by=ANNIE.id, at=house.clock.now())
        rest = await house.live(run_id)
        assert rest is not None
        assert rest.status is RunStatus.UNDONE
        assert world.standing == []


async def test_what_cannot_be_taken_back_stands_and_is_named(database: Database, world: World) -> None:
    """The mail is on its way when the cancel comes: the account goes, the mail stays."""
    second = step("mail2", "mail", after=["account", "mail"])
    world.gates["mail"] = asyncio.Event()
    async with a_house(database, world, [ACCOUNT, step("mail", "mail", after=["account"]), second]) as house:
        run_id = await house.admit()
        living = asyncio.create_task(house.live(run_id))
        await asyncio.wait_for(world.arrived["mail"].wait(), 10)
        await _cancel(house, run_id)
        await _until(house, run_id, "cancel.asked")
        world.gates["mail"].set()
        rest = await living
        assert rest is not None
        assert rest.status is RunStatus.CANCELLED
        assert world.standing == [f"mail:{ADA}"]
        report = (await house.state(run_id)).report
        assert "1 of 2 effects is taken back. mail stands: a sent message cannot be taken back." in report


async def test_an_undo_whose_tool_is_gone_parks(database: Database, world: World) -> None:
    """The installation has lost it: a person is told which tool, and nothing is called."""
    async with a_house(database, world, [ACCOUNT, BADGE]) as house:
        run_id = await house.admit()
        await house.live(run_id)
        tools = {name: tool for name, tool in house.engine.tools.items() if name != "world.undo@1"}
        object.__setattr__(house.engine, "tools", tools)
        house.engine.__dict__.pop("specs", None)
        await _cancel(house, run_id)
        await house.live(run_id)
        state = await house.state(run_id)
        assert state.parked is not None
        assert "world.undo@1 is not installed any more" in state.parked.reason
        assert "undo" not in world.calls


async def test_a_long_retry_of_an_undo_is_a_timer(database: Database, world: World) -> None:
    """It waits outside the slice, and goes on when its time has come."""
    world.fault("undo", "busy")
    async with a_house(database, world, [ACCOUNT, BADGE], linger=0) as house:
        run_id = await house.admit()
        await house.live(run_id)
        await _cancel(house, run_id)
        rest = await house.live(run_id)
        assert rest is not None
        assert rest.status is RunStatus.WAITING
        assert rest.waiting_for.startswith("undo:account (")
        assert (await house.state(run_id)).step(undo_id("account")).open
        await _lives(house, run_id, 2)
        assert await _status(house, run_id) is RunStatus.CANCELLED
        assert world.undone == {f"account:{ADA}": 1}


async def test_a_drained_worker_hands_an_undo_on(database: Database, world: World) -> None:
    """It sleeps between two tries of an undo when it is told to stop: the next worker goes on, and nothing is written off."""
    world.fault("undo", "busy")
    async with a_house(database, world, [ACCOUNT, BADGE]) as house:
        run_id = await house.admit()
        await house.live(run_id)
        await _cancel(house, run_id)
        real, asleep, control = house.clock.sleep, asyncio.Event(), Control()

        async def sleeps(seconds: float) -> None:
            asleep.set()
            await asyncio.Event().wait()

        house.clock.sleep = sleeps  # type: ignore[method-assign]  # the clock stands still for this life
        living = asyncio.create_task(house.live(run_id, control=control))
        await asleep.wait()
        house.clock.sleep = real  # type: ignore[method-assign]
        control.drain()
        await living
        undo = (await house.state(run_id)).step(undo_id("account"))
        assert undo.open
        await _lives(house, run_id, 2)
        assert await _status(house, run_id) is RunStatus.CANCELLED
        assert world.undone == {f"account:{ADA}": 1}


async def test_an_undo_in_doubt_that_no_system_can_settle_is_asked_about(database: Database, world: World) -> None:
    """An unsafe undo whose answer is lost: a person says that it happened, and it is not sent again."""
    world.fault("release", "lost")
    async with a_house(database, world, [ACCOUNT, DESK, BADGE]) as house:
        release = replace(house.engine.tools["world.release@1"], effect=EffectClass.UNSAFE, lookup=None)
        object.__setattr__(house.engine, "tools", {**house.engine.tools, release.id: release})
        house.engine.__dict__.pop("specs", None)
        run_id = await house.admit()
        await house.live(run_id)
        await _cancel(house, run_id)
        await _lives(house, run_id, 2)
        (row,) = await house.reviews.list(run_id=run_id)
        assert (row.card.kind, row.card.step) == (ReviewKind.OUTCOME, "undo:desk")
        assert "undo" not in world.calls, "what is older waits for the answer"
        await house.reviews.decide(row.card.id, respond("happened"), by=ASKER.id, at=house.clock.now())
        await _lives(house, run_id, 2)
        assert await _status(house, run_id) is RunStatus.CANCELLED
        assert world.undone == {f"account:{ADA}": 1, f"desk:{ADA}": 1}


async def test_an_approval_that_comes_too_late_does_nothing(database: Database, world: World) -> None:
    """The step that it allows is not begun while the run takes back."""
    async with a_house(database, world, [ACCOUNT, PAY]) as house:
        run_id = await house.admit()
        await house.live(run_id)
        (row,) = await house.reviews.list(run_id=run_id)
        await _cancel(house, run_id)
        await house.reviews.decide(row.card.id, approve(), by=MARY.id, at=house.clock.now())
        await house.live(run_id)
        assert "pay" not in world.calls
        assert await _status(house, run_id) is RunStatus.CANCELLED
        assert not [r for r in await house.reviews.list(run_id=run_id) if r.card.kind is ReviewKind.STEP]
