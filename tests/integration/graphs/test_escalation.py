"""Silence: reminders, warnings, the chain level by level, and the refusal at its end; on the timers of real runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from governance import events as ev
from governance.deciding import may_decide
from governance.effects import StepStatus
from governance.escalation import Level
from governance.events import RunStatus
from governance.people import Person
from governance.policy import PolicyRule, RulingKind
from governance.reviews import ReviewKind, ReviewStatus, approve, edit, respond
from graphs.machine import build_graph
from memory.database import Database
from playbooks.model import Sla
from playbooks.people import PeopleDirectory
from tests.integration.graphs.house import ASKER, House, a_house, step
from tests.integration.graphs.world import World, serving

GRACE = Person(id="grace.hopper@acme.example", name="Grace Hopper", roles=frozenset({"boss"}))
MARY = Person(id="mary.jackson@acme.example", name="Mary Jackson", roles=frozenset({"finance"}), manager=GRACE.id)
ALAN = Person(id="alan.turing@acme.example", name="Alan Turing", roles=frozenset({"it"}))
PEOPLE = (ASKER, MARY, GRACE, ALAN)
ACCOUNT = step("account", "account")
PAY = step("pay", "pay", account_id={"$ref": "account.id"}, amount=50)
MAIL = step("mail", "mail", after=["account"])
HOUR = timedelta(hours=1)


@pytest_asyncio.fixture
async def world() -> AsyncIterator[World]:
    """A fresh world, serving."""
    async with serving(World()) as served:
        yield served


@asynccontextmanager
async def _house(
    database: Database,
    world: World,
    steps: Sequence[dict[str, Any]] = (ACCOUNT, PAY),
    *,
    people: Sequence[Person] = PEOPLE,
    **book: Any,
) -> AsyncIterator[House]:
    """A house whose payments finance answers for, then their managers, then it."""
    async with a_house(database, world, steps) as house:
        old = next(iter(house.engine.playbooks.values()))
        new = old.model_copy(update={"chain": ("manager", "it"), **book})
        object.__setattr__(house.engine, "playbooks", {new.id: new})
        object.__setattr__(house.engine, "directory", PeopleDirectory(people))
        house.graph = build_graph(house.engine)
        yield house


async def _hours_pass(house: House, run_id: str, hours: float) -> None:
    """Time goes by, with a worker that comes whenever a timer is due."""
    end = house.clock.moment + timedelta(hours=hours)
    while (due := await house.timers.next_due()) is not None and due <= end:
        house.clock.moment = max(house.clock.moment, due)
        await house.live(run_id)
    house.clock.moment = end


async def _told(house: House, run_id: str) -> list[tuple[float, str]]:
    """What the journal says of silence: hours since the admission, and what."""
    entries = await house.journal.read(run_id)
    began, found = entries[0].at, []
    for entry in entries:
        body = entry.parsed()
        if isinstance(body, ev.ReviewReminded):
            what = f"reminded {len(body.people)}"
        elif isinstance(body, ev.ReviewEscalated):
            what = (
                "stays"
                if body.due_at is None
                else f"level {body.level} " + (" ".join(p.partition(".")[0] for p in body.added) or "nobody")
            )
        elif isinstance(body, ev.RunAtRisk):
            what = f"{body.what} at risk"
        elif isinstance(body, ev.ReviewClosed):
            what = body.status
        else:
            continue
        found.append((round((entry.at - began) / HOUR, 1), what))
    return found


async def test_silence_goes_up_level_by_level_and_ends_in_a_refusal(database: Database, world: World) -> None:
    """Half of each level: a reminder; four fifths: a warning; its end: the next people; at last no, and nothing paid."""
    async with _house(database, world) as house:
        run_id = await house.admit()
        await house.live(run_id)
        await _hours_pass(house, run_id, 80)
        assert await _told(house, run_id) == [
            (12.0, "reminded 1"),
            (19.2, "review at risk"),
            (24.0, "level 1 grace"),
            (36.0, "reminded 2"),
            (43.2, "review at risk"),
            (48.0, "level 2 alan"),
            (60.0, "reminded 3"),
            (67.2, "review at risk"),
            (72.0, "expired"),
        ]
        ended = (await house.state(run_id)).step("pay").ended
        assert ended is not None
        assert ended.status is StepStatus.REFUSED
        assert not world.effects["pay:Ada Lovelace"]
        assert (await house.runs.get(run_id)).status is RunStatus.PARKED


async def test_a_playbook_says_who_is_asked_after_how_long(database: Database, world: World) -> None:
    """Hours count from the question; the last level has the SLA's."""
    levels = (Level(after_hours=2, to=("it",)), Level(after_hours=8, to=("boss", f"person:{MARY.id}")))
    async with _house(database, world, escalation=levels) as house:
        run_id = await house.admit()
        await house.live(run_id)
        await _hours_pass(house, run_id, 33)
        told = await _told(house, run_id)
        assert [each for each in told if not each[1].startswith(("reminded", "review"))] == [
            (2.0, "level 1 alan"),
            (8.0, "level 2 grace"),
            (32.0, "expired"),
        ]


@pytest.mark.parametrize("by", [MARY, GRACE], ids=lambda person: person.name)
async def test_the_new_people_may_decide_and_the_old_may_still(database: Database, world: World, by: Person) -> None:
    """The row that inboxes read names both, with the new due time; either's yes pays once."""
    async with _house(database, world) as house:
        run_id = await house.admit()
        await house.live(run_id)
        (first,) = await house.reviews.list(approver=MARY.id)
        assert not may_decide(first.card, GRACE, house.engine.directory)
        await _hours_pass(house, run_id, 30)
        (row,) = await house.reviews.list(approver=GRACE.id)
        assert row.card.approvers == (MARY.id, GRACE.id)
        assert may_decide(row.card, by, house.engine.directory)
        assert not may_decide(row.card, ASKER, house.engine.directory)
        assert row.card.due_at == first.card.asked_at + 48 * HOUR
        state = await house.state(run_id)
        assert row.escalation == state.reviews[row.card.id].escalation
        await house.reviews.decide(row.card.id, approve(), by=by.id, at=house.clock.now())
        rest = await house.live(run_id)
        assert rest is not None
        assert rest.status is RunStatus.DONE
        assert world.effects["pay:Ada Lovelace"] == 1


async def test_an_edit_by_somebody_up_the_chain_is_also_the_yes(database: Database, world: World) -> None:
    """Who stands for the approvers may grant the edited action too, as long as the policy names the same for it."""
    async with _house(database, world) as house:
        run_id = await house.admit()
        await house.live(run_id)
        await _hours_pass(house, run_id, 30)
        (row,) = await house.reviews.list(run_id=run_id)
        less = edit({**row.card.args, "amount": 5}, reason="less")
        await house.reviews.decide(row.card.id, less, by=GRACE.id, at=house.clock.now())
        rest = await house.live(run_id)
        assert rest is not None
        assert rest.status is RunStatus.DONE


@pytest.mark.parametrize("days", [3, 30])
async def test_downtime_takes_nobodys_time(database: Database, world: World, days: int) -> None:
    """However long no worker was there, the next level is asked and has its whole time from then on."""
    async with _house(database, world) as house:
        run_id = await house.admit()
        await house.live(run_id)
        house.clock.moment += timedelta(days=days)
        await house.live(run_id)
        down = days * 24.0
        assert (down, "level 1 grace") in await _told(house, run_id)
        await _hours_pass(house, run_id, 50)
        told = [each for each in await _told(house, run_id) if each[1].startswith(("level", "expired"))]
        assert told == [(down, "level 1 grace"), (down + 24, "level 2 alan"), (down + 48, "expired")]


async def test_levels_with_nobody_are_passed_at_once_and_say_so(database: Database, world: World) -> None:
    """An empty role and one that only the requester has: neither waits, and the requester is never asked."""
    asker = ASKER.model_copy(update={"roles": frozenset({"hr"})})
    async with _house(database, world, people=(asker, MARY, ALAN), chain=("nobody", "hr", "it")) as house:
        run_id = await house.admit()
        await house.live(run_id)
        await _hours_pass(house, run_id, 25)
        told = [each for each in await _told(house, run_id) if each[1].startswith("level")]
        assert told == [(24.0, "level 1 nobody"), (24.0, "level 2 nobody"), (24.0, "level 3 alan")]
        (row,) = await house.reviews.list(run_id=run_id)
        assert asker.id not in row.card.approvers


async def test_the_policy_may_let_the_requester_decide_at_a_level(database: Database, world: World) -> None:
    """Where the rule says that the requester may decide, the chain may ask them."""
    asker = ASKER.model_copy(update={"roles": frozenset({"hr"})})
    easy = PolicyRule(
        name="money",
        then=RulingKind.GATE,
        when={"$eq": [{"$ref": "tool"}, "world.pay@1"]},
        because="it is money",
        approvers=("finance",),
        requester_may_decide=True,
    )
    small = PolicyRule(name="small", then=RulingKind.GO, because="it can be undone")
    async with _house(database, world, people=(asker, MARY), chain=("hr",), policy=(easy, small)) as house:
        run_id = await house.admit()
        await house.live(run_id)
        await _hours_pass(house, run_id, 25)
        (row,) = await house.reviews.list(run_id=run_id)
        assert row.card.approvers == (MARY.id, asker.id)


async def test_when_those_who_were_asked_have_left_the_next_are_asked_at_once(database: Database, world: World) -> None:
    """A new people.yaml without the approver: nobody waits for somebody who cannot answer; at the end nobody: refused."""
    async with _house(database, world) as house:
        run_id = await house.admit()
        await house.live(run_id)
        object.__setattr__(house.engine, "directory", PeopleDirectory((ASKER, ALAN)))
        house.clock.moment += HOUR
        await house.runs.wake(run_id)
        await house.live(run_id)
        assert (await _told(house, run_id))[-2:] == [(1.0, "level 1 nobody"), (1.0, "level 2 alan")]
        object.__setattr__(house.engine, "directory", PeopleDirectory((ASKER,)))
        await house.runs.wake(run_id)
        await house.live(run_id)
        parked = (await house.state(run_id)).parked
        assert parked is not None
        assert "nobody who was asked may decide it any more" in parked.reason


async def test_a_stand_in_keeps_a_level_alive(database: Database, world: World) -> None:
    """The approver asked first still has a delegate at the last level: no escalation before time, and the delegate may decide."""
    away = MARY.model_copy(update={"delegate": ALAN.id})
    async with _house(database, world, people=(ASKER, away, ALAN), chain=()) as house:
        run_id = await house.admit()
        await house.live(run_id)
        house.clock.moment += HOUR
        await house.runs.wake(run_id)
        await house.live(run_id)
        assert await _told(house, run_id) == []
        (row,) = await house.reviews.list(run_id=run_id)
        assert may_decide(row.card, ALAN, house.engine.directory)


async def test_a_parked_run_is_never_decided_by_silence(database: Database, world: World) -> None:
    """It goes up, then stays; people are reminded daily, thirty times; then it rests, open, and can still be answered."""
    world.fault("account", "no")
    async with _house(database, world, [ACCOUNT], chain=("it",)) as house:
        run_id = await house.admit()
        await house.live(run_id)
        await _hours_pass(house, run_id, 24 * 60)
        told = [what for _, what in await _told(house, run_id)]
        assert told.count("level 1 nobody") == 1  # who answers for a run is asked from the beginning
        assert sum(what.startswith("reminded") for what in told) == 1 + 30
        assert told.count("stays") == 1
        assert "expired" not in told
        row = await house.runs.get(run_id)
        assert (row.status, row.fruitless) == (RunStatus.PARKED, 0)
        assert await house.timers.next_due() is None
        (review,) = await house.reviews.list(run_id=run_id)
        assert (review.card.kind, review.card.due_at) == (ReviewKind.PARKED, None)
        await house.reviews.decide(review.card.id, respond("resume"), by=ALAN.id, at=house.clock.now())
        rest = await house.live(run_id)
        assert rest is not None
        assert rest.status is RunStatus.DONE


async def test_whether_a_lost_mail_was_sent_is_never_decided_by_silence(database: Database, world: World) -> None:
    """The question goes up while the run waits, and stays open: silence says neither that it happened nor that it did not."""
    world.fault("mail", "lost")
    async with _house(database, world, [ACCOUNT, MAIL], people=PEOPLE, chain=("finance", "manager")) as house:
        run_id = await house.admit()
        await house.live(run_id)
        await _hours_pass(house, run_id, 24 * 5)
        told = [each for each in await _told(house, run_id) if each[1].startswith("level")]
        assert [what for _, what in told] == ["level 1 nobody", "level 2 grace"]
        (row,) = await house.reviews.list(run_id=run_id)
        assert (row.card.kind, row.status) == (ReviewKind.OUTCOME, ReviewStatus.OPEN)
        assert (await house.state(run_id)).step("mail").ended is None


async def test_a_question_goes_up_while_a_call_is_in_flight(database: Database, world: World) -> None:
    """The slice that works on another step does it, without waiting for that step."""
    desk = step("desk", "desk", account_id={"$ref": "account.id"})
    world.gates["desk"] = asyncio.Event()
    async with _house(database, world, [ACCOUNT, PAY, desk]) as house:
        run_id = await house.admit()
        life = asyncio.create_task(house.live(run_id))
        async with asyncio.timeout(20):
            async for _ in house.hints.watch(run_id):
                if "desk" in world.calls and (await house.state(run_id)).open_reviews:
                    break
            house.clock.moment += 25 * HOUR
            async for _ in house.hints.watch(run_id):
                if any(what == "level 1 grace" for _, what in await _told(house, run_id)):
                    break
        assert not life.done()
        world.gates["desk"].set()
        await life


async def test_a_run_is_at_risk_once_before_its_time_is_over(database: Database, world: World) -> None:
    """At four fifths of run_hours, woken by its own timer; not said again by whoever looks later."""
    async with _house(database, world, sla=Sla(review_hours=1000, run_hours=100)) as house:
        run_id = await house.admit()
        await house.live(run_id)
        await _hours_pass(house, run_id, 90)
        await house.runs.wake(run_id)
        await house.live(run_id)
        assert await _told(house, run_id) == [(80.0, "run at risk")]
        risk = (await house.state(run_id)).at_risk
        assert risk is not None
        assert risk.due_at - _admitted(await house.state(run_id)) == 100 * HOUR


@pytest.mark.parametrize("point", [f"append:{number}" for number in range(1, 14)])
async def test_a_worker_that_dies_says_nothing_twice(database: Database, world: World, point: str) -> None:
    """After each append of a silent life, in turn: the same story, each line once."""
    async with _house(database, world) as house:
        run_id = await house.admit()
        house.doom.at = point
        for _ in range(3):
            await house.live(run_id)
        for _ in range(60):
            await _hours_pass(house, run_id, 2)
            await house.runs.wake(run_id)
            await house.live(run_id)
        told = [what for _, what in await _told(house, run_id)]
        steps = [what for what in told if what.startswith(("level", "expired"))]
        assert steps[:3] == ["level 1 grace", "level 2 alan", "expired"]
        assert told.count("reminded 2") == 1 + told[told.index("expired") :].count("reminded 2")


def _admitted(state: Any) -> datetime:
    at: datetime = state.admitted_at
    return at
