"""Deferred steps: 72 hours that cost one row, crashes at every point, callbacks early, twice, late and never."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from governance.addresses import mark
from governance.chain import verify
from governance.effects import StepStatus
from governance.errors import InvalidInput, NotFound, Refused
from governance.events import ENDED, RunStatus
from governance.reviews import ReviewKind, ReviewStatus, fill_in, respond
from governance.runs import InputKind, Rest
from graphs.fold import RunFold
from memory.database import Database
from runtime.callbacks import Answered, call_back
from runtime.ports import Store
from tests.integration.graphs.house import ASKER, MARY, MAY_BE_MISSED, House, a_house, step
from tests.integration.graphs.world import World, serving

ACCOUNT = step("account", "account")
REPORT = step("report", "report", account_id={"$ref": "account.id"})
SURVEY = step("survey", "survey", after=["account"])
FORECAST = step("forecast", "forecast", after=["account"])
MAIL = step("mail", "mail", after=["report"])
OUTPUT = {"id": "report-9"}


@pytest_asyncio.fixture
async def world() -> AsyncIterator[World]:
    """A fresh world, serving."""
    async with serving(World()) as served:
        yield served


async def _answer(house: House, address: str, body: Any) -> Answered:
    """As a door does it."""
    store = Store(
        runs=house.runs,
        reviews=house.reviews,
        journal=house.journal,
        inbox=house.inbox,
        follow=None,  # type: ignore[arg-type]  # nobody looks on
        stirred=None,  # type: ignore[arg-type]
        chats=None,  # type: ignore[arg-type]
        erase=None,  # type: ignore[arg-type]
        systems=None,  # type: ignore[arg-type]
        templates=None,  # type: ignore[arg-type]
        models=None,  # type: ignore[arg-type]
        events=None,  # type: ignore[arg-type]
    )
    return await call_back(store, house.engine, address, body)


async def _lives(house: House, run_id: str, count: int, *, hours: float = 0) -> Rest | None:
    """So many lives, with time between them; how the last one left the run."""
    rest = None
    for _ in range(count):
        await house.clock.sleep(100 + hours * 3600)  # sleep: on a clock where it takes no time
        rest = await house.live(run_id) or rest
    return rest


async def test_seventy_two_hours_cost_one_claim_and_survive_everything(database: Database, world: World) -> None:
    """Accepted; the claim ends at once with one timer; nobody looks for three days; the answer comes and the run ends."""
    async with a_house(database, world, [ACCOUNT, REPORT, MAIL], goals=("account", "mail")) as house:
        run_id = await house.admit()
        rest = await house.live(run_id)
        assert rest is not None
        assert rest.status is RunStatus.WAITING
        assert rest.waiting_for == "report (the answer of world)"
        row, before = await house.runs.get(run_id), await house.state(run_id)
        for _ in range(71):
            await house.clock.sleep(3600)  # sleep: on a clock where it takes no time
            assert await house.live(run_id) is None
        assert (await house.runs.get(run_id)).epoch == row.epoch
        assert (await house.state(run_id)).seq == before.seq
        (address,) = world.addresses["report"]
        assert (await _answer(house, address, OUTPUT)).first
        assert await _answer(house, address, {"id": "another"}) == Answered(first=False, answer=OUTPUT)
        rest = await house.live(run_id)
        assert rest is not None
        assert rest.status is RunStatus.DONE
        assert await _answer(house, address, {"id": "late"}) == Answered(first=False, answer=OUTPUT)
        state = await house.state(run_id)
        assert state.step("report").ended is not None
        assert state.step("report").ended.output == OUTPUT  # type: ignore[union-attr]
        assert verify(await house.journal.read(run_id)).ok


async def test_the_address_stands_in_no_journal_and_no_row(database: Database, world: World) -> None:
    """Only its hash does; and whoever guesses, or changes one character, finds nothing."""
    async with a_house(database, world, [ACCOUNT, REPORT]) as house:
        run_id = await house.admit()
        await house.live(run_id)
        (address,) = world.addresses["report"]
        token = address.rpartition(".")[2]
        assert len(token) >= 43
        texts = "".join(entry.body or "" for entry in await house.journal.read(run_id))
        assert token not in texts
        assert mark(address) in texts
        for wrong in (
            address[:-1],
            address + "x",
            f"{run_id}.report.{mark(address)}",
            run_id,
            "",
            "a.b.c",
            "x\x00.b.c",
        ):
            with pytest.raises(NotFound):
                await _answer(house, wrong, OUTPUT)
        unfitting: list[Any] = [{"id": 3}, {"id": "a", "more": 1}, [], "text", {"error": 4}, {"id": "a\x00"}]
        for unfit in unfitting:
            with pytest.raises(InvalidInput):
                await _answer(house, address, unfit)
        await _answer(house, address, OUTPUT)
        async with house.database.connection() as connection:
            rows = await (await connection.execute("SELECT body FROM inbox")).fetchall()
        assert rows
        assert token not in str(rows)


async def test_an_answer_before_the_acceptance_settles_the_step(database: Database, world: World) -> None:
    """The call is still in flight when its callback comes: the step is done, and what the call still says changes nothing."""
    async with a_house(database, world, [ACCOUNT, REPORT]) as house:
        world.gates["report"] = asyncio.Event()
        world.gates["report:here"] = asyncio.Event()
        run_id = await house.admit()
        life = asyncio.create_task(house.live(run_id))
        async with asyncio.timeout(10):
            await world.gates["report:here"].wait()
        address = house.engine.addresses.of(run_id, "report", 0)  # type: ignore[union-attr]
        assert (await _answer(house, address, OUTPUT)).first
        rest = await life
        world.gates["report"].set()
        assert rest is not None
        assert rest.status is RunStatus.DONE
        kinds = [entry.kind for entry in await house.journal.read(run_id)]
        assert kinds.count("step.answered") == 1
        assert "step.deferred" not in kinds


async def test_no_answer_in_time_is_looked_up_and_else_asked(database: Database, world: World) -> None:
    """What can be looked up is; what cannot, or is still at work, is put before a person. Nothing fails silently."""
    async with a_house(database, world, [ACCOUNT, REPORT]) as house:
        run_id = await house.admit()
        await house.live(run_id)
        await _lives(house, run_id, 1, hours=73)
        (row,) = await house.reviews.list(run_id=run_id)
        assert row.card.kind is ReviewKind.OUTCOME
        (address,) = world.addresses["report"]
        await _answer(house, address, OUTPUT)  # late, and it counts: the question goes
        rest = await house.live(run_id)
        assert rest is not None
        assert rest.status is RunStatus.DONE
        (row,) = await house.reviews.list(run_id=run_id, open_only=False)
        assert row.status is ReviewStatus.WITHDRAWN

        second = await house.admit("Ada Byron")
        await house.live(second)
        for record in world.records.values():
            record["ready"] = True
        rest = await _lives(house, second, 1, hours=73)
        assert rest is not None
        assert rest.status is RunStatus.DONE
        assert world.effects["report:Ada Byron"] == 1


async def test_an_unsafe_call_without_an_answer_is_asked_about(database: Database, world: World) -> None:
    """It cannot be looked up: a person says that it happened, with what came of it."""
    async with a_house(database, world, [ACCOUNT, SURVEY]) as house:
        run_id = await house.admit()
        await house.live(run_id)
        await _lives(house, run_id, 1, hours=73)
        (row,) = await house.reviews.list(run_id=run_id)
        verdict = respond("happened").model_copy(update={"args": {"id": "survey-1"}})
        await house.reviews.decide(row.card.id, verdict, by=ASKER.id, at=house.clock.now())
        rest = await _lives(house, run_id, 1)
        assert rest is not None
        assert rest.status is RunStatus.DONE
        assert world.effects["survey:Ada Lovelace"] == 1


async def test_a_read_without_an_answer_fails_and_is_tried_anew_at_a_new_address(
    database: Database, world: World
) -> None:
    """The run parks; resumed, the step has a new life, and its new address is answered."""
    async with a_house(database, world, [ACCOUNT, FORECAST]) as house:
        run_id = await house.admit()
        await house.live(run_id)
        rest = await _lives(house, run_id, 1, hours=73)
        assert rest is not None
        assert rest.status is RunStatus.PARKED
        await house.inbox.put(run_id, InputKind.RESUME, {"by": ASKER.id, "reason": "again"})
        await _lives(house, run_id, 1)
        first, second = world.addresses["forecast"]
        assert first != second
        await _answer(house, second, {"id": "sunny"})
        rest = await _lives(house, run_id, 1)
        assert rest is not None
        assert rest.status is RunStatus.DONE


async def test_an_answer_may_be_an_error(database: Database, world: World) -> None:
    """The step fails with the system's words, and the run parks."""
    async with a_house(database, world, [ACCOUNT, REPORT]) as house:
        run_id = await house.admit()
        await house.live(run_id)
        await _answer(house, world.addresses["report"][0], {"error": "no paper left"})
        rest = await house.live(run_id)
        assert rest is not None
        assert rest.status is RunStatus.PARKED
        ended = (await house.state(run_id)).step("report").ended
        assert ended is not None
        assert ended.status is StepStatus.FAILED
        assert ended.failure is not None
        assert "no paper left" in ended.failure.message


async def test_a_cancel_asks_about_what_was_accepted_and_an_answer_after_it_still_counts(
    database: Database, world: World
) -> None:
    """The run does not wait 72 hours to stop, it neither spins nor writes off; after its end an answer is refused."""
    async with a_house(database, world, [ACCOUNT, SURVEY]) as house:
        run_id = await house.admit()
        await house.live(run_id)
        await house.inbox.put(run_id, InputKind.CANCEL, {"by": ASKER.id, "reason": "stop"})
        async with asyncio.timeout(20):
            rest = await _lives(house, run_id, 2)
        assert rest is not None
        assert rest.status is RunStatus.WAITING
        (row,) = await house.reviews.list(run_id=run_id)
        assert row.card.kind is ReviewKind.OUTCOME
        (address,) = world.addresses["survey"]
        await _answer(house, address, {"id": "survey-1"})
        rest = await house.live(run_id)
        assert rest is not None
        assert rest.status is RunStatus.CANCELLED
        assert "survey stands" in rest.summary
        assert not (await _answer(house, address, {"id": "again"})).first


async def test_an_answer_after_a_person_said_what_happened_is_refused(database: Database, world: World) -> None:
    """The step has ended by a person's word; the system is told that it comes too late."""
    async with a_house(database, world, [ACCOUNT, SURVEY]) as house:
        run_id = await house.admit()
        await house.live(run_id)
        await _lives(house, run_id, 1, hours=73)
        (row,) = await house.reviews.list(run_id=run_id)
        verdict = respond("happened").model_copy(update={"args": {"id": "survey-1"}})
        await house.reviews.decide(row.card.id, verdict, by=ASKER.id, at=house.clock.now())
        await house.live(run_id)
        with pytest.raises(Refused):
            await _answer(house, world.addresses["survey"][0], {"id": "late"})


# --- inside Steward --------------------------------------------------------------------------------------------------

WAIT: dict[str, Any] = {
    "id": "pause",
    "tool": "clock.wait@1",
    "args": {"for_seconds": 72 * 3600},
    "reason": "give it time",
    "confidence": 0.9,
    "after": ["account"],
}
ASK: dict[str, Any] = {
    "id": "size",
    "tool": "people.ask@1",
    "args": {
        "to": "finance",
        "question": "Which amount?",
        "schema": {
            "type": "object",
            "properties": {"amount": {"type": "integer", "minimum": 1}, "note": {"type": "string"}},
            "required": ["amount"],
        },
    },
    "reason": "nobody else knows",
    "confidence": 0.9,
}


async def test_a_wait_is_one_row_and_goes_on_by_itself(database: Database, world: World) -> None:
    """72 hours between two steps: nothing is claimed meanwhile, and then the next step runs."""
    later = step("desk", "desk", account_id={"$ref": "account.id"}, after=["pause"])
    async with a_house(database, world, [ACCOUNT, WAIT, later]) as house:
        run_id = await house.admit()
        rest = await house.live(run_id)
        assert rest is not None
        assert rest.waiting_for.startswith("pause (until 2027-01-07")
        for _ in range(71):
            await house.clock.sleep(3600)  # sleep: on a clock where it takes no time
            assert await house.live(run_id) is None
        assert "desk" not in world.calls
        rest = await _lives(house, run_id, 1, hours=2)
        assert rest is not None
        assert rest.status is RunStatus.DONE
        ended = (await house.state(run_id)).step("pause").ended
        assert ended is not None
        assert ended.output == {"waited_until": "2027-01-07T09:00:00Z"}


async def test_a_wait_ends_at_once_when_the_run_is_cancelled(database: Database, world: World) -> None:
    """There is nothing to find out about it."""
    async with a_house(database, world, [ACCOUNT, WAIT]) as house:
        run_id = await house.admit()
        await house.live(run_id)
        await house.inbox.put(run_id, InputKind.CANCEL, {"by": ASKER.id, "reason": "stop"})
        rest = await house.live(run_id)
        assert rest is not None
        assert rest.status is RunStatus.CANCELLED


async def test_a_form_is_put_to_people_and_its_answers_are_arguments(database: Database, world: World) -> None:
    """Finance fills in an amount; the payment takes it. Cancelled runs take their forms back."""
    pay = step("pay", "pay", account_id={"$ref": "account.id"}, amount={"$ref": "size.answers.amount"})
    async with a_house(database, world, [ACCOUNT, ASK, pay]) as house:
        run_id = await house.admit()
        rest = await house.live(run_id)
        assert rest is not None
        assert rest.waiting_for == "answers for size"
        (row,) = await house.reviews.list(run_id=run_id)
        assert (row.card.kind, row.card.approvers) == (ReviewKind.FORM, (MARY.id,))
        await house.reviews.decide(row.card.id, fill_in({"amount": 70}), by=MARY.id, at=house.clock.now())
        await house.live(run_id)
        (gate,) = await house.reviews.list(run_id=run_id)
        assert gate.card.args["amount"] == 70
        state = await house.state(run_id)
        assert state.step("size").ended is not None
        assert state.step("size").ended.output == {"answers": {"amount": 70}, "by": MARY.id}  # type: ignore[union-attr]

        other = await house.admit("Ada Byron")
        await house.live(other)
        await house.inbox.put(other, InputKind.CANCEL, {"by": ASKER.id, "reason": "stop"})
        await house.live(other)
        forms = [r for r in await house.reviews.list(run_id=other, open_only=False) if r.card.kind is ReviewKind.FORM]
        assert [form.status for form in forms] == [ReviewStatus.WITHDRAWN]


async def test_a_form_that_nobody_answers_is_a_failure_that_people_see(database: Database, world: World) -> None:
    """It goes up the chain, its time runs out, the run parks; resumed, the question is put anew."""
    async with a_house(database, world, [ACCOUNT, ASK]) as house:
        run_id = await house.admit()
        await house.live(run_id)
        (first,) = await house.reviews.list(run_id=run_id)
        rest = await _lives(house, run_id, 12, hours=6)
        (parked,) = await house.reviews.list(run_id=run_id)
        assert parked.card.kind is ReviewKind.PARKED
        assert rest is not None
        assert rest.status is RunStatus.PARKED
        await house.inbox.put(run_id, InputKind.RESUME, {"by": ASKER.id, "reason": "again"})
        await house.live(run_id)
        (again,) = await house.reviews.list(run_id=run_id)
        assert again.card.kind is ReviewKind.FORM
        assert again.card.id != first.card.id


# --- crashes ---------------------------------------------------------------------------------------------------------

STEPS = (
    ACCOUNT,
    REPORT,
    {**WAIT, "after": ["account"]},
    step("desk", "desk", account_id={"$ref": "report.id"}, after=["pause"]),
    step("survey", "survey", after=["report", "desk"]),
)


async def _play(house: House) -> RunFold:
    """Lives until the run has ended; the system answers whatever it was asked, between lives, and often twice."""
    house.world.fault("report", "busy")
    run_id = await house.admit()
    for _ in range(60):
        rest = await house.live(run_id)
        if rest is not None and rest.status in ENDED | {RunStatus.PARKED}:
            return await house.state(run_id)
        for row in await house.reviews.list(run_id=run_id):
            happened = house.world.effects[f"{row.card.step}:Ada Lovelace"] > 0
            verdict = respond("happened" if happened else "did_not_happen")
            if happened:
                verdict = verdict.model_copy(update={"args": {"id": f"{row.card.step}-9"}})
            await house.reviews.decide(row.card.id, verdict, by=ASKER.id, at=house.clock.now())
        for path, addresses in house.world.addresses.items():
            for address in addresses:
                with_answer = (await house.state(run_id)).step(path)
                if with_answer.ended is None:
                    await _answer(house, address, {"id": f"{path}-9"})
        await house.clock.sleep(12 * 3600)  # sleep: on a clock where it takes no time
    raise AssertionError(await house.state(run_id))


def _check(house: House, state: RunFold) -> dict[str, Any]:
    assert all(count == 1 for count in house.world.effects.values()), house.world.effects
    assert state.ended is not None
    return {i: s.ended.status.value for i, s in sorted(state.steps.items()) if s.ended is not None}


@pytest.mark.timeout(240)
async def test_a_crash_at_every_point_of_deferred_work_changes_nothing(database: Database) -> None:
    """Every append, both sides of every send: one effect each, one end each, and the run as without the crash."""
    async with serving(World()) as world, a_house(database, world, STEPS, goals=("account",)) as house:
        expected = _check(house, await _play(house))
        counts = dict(house.doom.counts)
        assert counts["append"] > 10
        missed = 0
        for point in [f"{name}:{number}" for name, count in counts.items() for number in range(1, count + 1)]:
            for kept in (world.effects, world.records, world.by_key, world.faults, world.calls, world.addresses):
                kept.clear()
            house.doom.counts.clear()
            house.doom.at, house.doom.hit = point, False
            state = await _play(house)
            missed += not house.doom.hit
            assert _check(house, state) == expected, point
            assert verify(await house.journal.read(state.run_id)).ok
            ends = [e.cause for e in await house.journal.read(state.run_id) if e.kind == "step.ended"]
            assert len(ends) == len(STEPS), point
        assert missed <= MAY_BE_MISSED


async def test_a_deadline_that_is_sooner_than_the_tools_holds(database: Database, world: World) -> None:
    """The intent says until when an answer is waited for."""
    async with a_house(database, world, [ACCOUNT, REPORT]) as house:
        run_id = await house.admit()
        await house.live(run_id)
        known = (await house.state(run_id)).step("report")
        assert known.intent is not None
        assert known.intent.answer_by == known.intent.began + timedelta(hours=72)
        assert known.until is not None
        assert known.unsure
