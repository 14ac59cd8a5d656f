"""Plans whose shape is known only at run time: moments, lists, budgets, and revisions after a failure."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from governance import events as ev
from governance.budgets import Budget, Money, Raise
from governance.chain import verify
from governance.effects import StepStatus
from governance.events import ENDED, RunStatus
from governance.reviews import ReviewKind, Verdict, approve, reject
from governance.runs import InputKind
from graphs.fold import RunFold
from memory.database import Database
from playbooks.model import OnRefusal
from runtime.show import run_view
from runtime.views import RunView
from tests.integration.graphs.house import ASKER, House, step
from tests.integration.graphs.shapes import FOR_EACH, answer_all, shaped
from tests.integration.graphs.world import World, serving

ACCOUNT = step("account", "account")
LIST = step("list", "list")
ITEM: dict[str, Any] = {"account_id": {"$ref": "account.id"}}
DESKS: dict[str, Any] = {**step("desk", "desk", **ITEM), "for_each": FOR_EACH}
DESKS["args"]["name"] = {"$ref": "item.code"}
BADGES: dict[str, Any] = {**step("badge", "badge", **ITEM), "for_each": FOR_EACH}
BADGES["args"]["name"] = {"$ref": "item.code"}
MAIL = step("mail", "mail", after=["badge"])


@pytest_asyncio.fixture
async def world() -> AsyncIterator[World]:
    """A fresh world, serving."""
    async with serving(World()) as served:
        yield served


def _ends(state: RunFold) -> dict[str, str]:
    return {i: s.ended.status.value for i, s in sorted(state.steps.items()) if s.ended is not None}


async def _view(house: House, run_id: str) -> RunView:
    row = await house.runs.find_prefix(run_id)
    return run_view(row, await house.journal.read(run_id), (), house.engine.specs, house.clock.now())


async def _live(house: House, run_id: str) -> RunStatus:
    rest = await house.live(run_id)
    assert rest is not None
    return rest.status


async def test_a_step_waits_for_its_moment_and_is_asked_about_before(database: Database, world: World) -> None:
    """The question comes at once; after the yes the run waits by a timer, costs nothing, and pays when it is time."""
    pay = {**step("pay", "pay", amount=5), "not_before": "2027-02-01"}
    async with shaped(database, world, [ACCOUNT, pay]) as house:
        run_id = await house.admit()
        assert await _live(house, run_id) is RunStatus.WAITING
        assert await answer_all(house, run_id, approve()) == ["pay"]
        rest = await house.live(run_id)
        assert rest is not None
        assert rest.waiting_for == "pay (not before 2027-02-01 00:00 UTC)"
        assert await house.live(run_id) is None
        assert world.calls == ["account"]
        house.clock.moment += timedelta(days=28)
        assert await _live(house, run_id) is RunStatus.DONE
        assert world.calls == ["account", "pay"]


async def test_a_step_is_run_for_each_item_with_its_own_key(database: Database, world: World) -> None:
    """Three desks from a list that a system gave; the step's output is their list, and each can be undone by itself."""
    last = step("pay", "pay", amount=5, after=["desk"])
    async with shaped(database, world, [ACCOUNT, LIST, DESKS, last]) as house:
        run_id = await house.admit()
        assert await _live(house, run_id) is RunStatus.WAITING
        state = await house.state(run_id)
        assert _ends(state) == {
            "account": "done",
            "list": "done",
            "desk": "done",
            "desk[north]": "done",
            "desk[south]": "done",
            "desk[east]": "done",
        }
        ended = state.step("desk").ended
        assert ended is not None
        assert ended.output is not None
        made = [state.step(f"desk[{code}]").ended for code in ("north", "south", "east")]
        assert ended.output["items"] == [each.output for each in made if each is not None]
        keys = {s.intent.key for i, s in state.steps.items() if i.startswith("desk[") and s.intent is not None}
        assert len(keys) == 3
        view = await _view(house, run_id)
        assert [each.id for each in view.steps][2:7] == ["desk", "desk[north]", "desk[south]", "desk[east]", "pay"]
        assert {each.state for each in view.steps} == {"done", "waiting"}
        assert view.steps[4].ruling == view.steps[2].ruling
        assert world.effects["desk:north"] == world.effects["desk:south"] == world.effects["desk:east"] == 1


async def test_each_item_asks_its_own_question_and_a_no_to_one_leaves_the_others(
    database: Database, world: World
) -> None:
    """Cards have the item's arguments and cannot be edited; a refusal of one parks the run as any other does."""
    async with shaped(database, world, [ACCOUNT, LIST, BADGES]) as house:
        run_id = await house.admit()
        await _live(house, run_id)
        rows = {row.card.step: row.card for row in await house.reviews.list(run_id=run_id)}
        assert rows.keys() == {"badge[north]", "badge[south]", "badge[east]"}
        assert {card.args["name"] for card in rows.values()} == {"north", "south", "east"}
        assert all(card.allowed == ("approve", "reject") for card in rows.values())
        for name, card in rows.items():
            verdict = reject(reason="not there") if name == "badge[east]" else approve()
            await house.reviews.decide(card.id, verdict, by="annie.easley@acme.example", at=house.clock.now())
        assert await _live(house, run_id) is RunStatus.PARKED
        state = await house.state(run_id)
        assert state.bad_ends == ("badge[east]",)
        assert world.effects["badge:east"] == 0


async def test_an_empty_list_is_done_with_nothing(database: Database, world: World) -> None:
    """No item, no call, and who waits for the step goes on."""
    async with shaped(database, world, [ACCOUNT, LIST, BADGES, MAIL], codes=()) as house:
        run_id = await house.admit()
        assert await _live(house, run_id) is RunStatus.DONE
        ended = (await house.state(run_id)).step("badge").ended
        assert ended is not None
        assert (ended.status, ended.output) == (StepStatus.DONE, {"items": []})


@pytest.mark.parametrize(
    ("codes", "most", "why"),
    [
        ([("a", 1), ("a", 2)], 100, "two items have the key a"),
        ([("a", 1), ("b", 2)], 1, "there are 2 items, and 1 are allowed"),
        ([("a]b", 1)], 100, "item 1 has no key"),
        ([("x" * 61, 1)], 100, "item 1 has no key"),
    ],
)
async def test_a_list_whose_items_cannot_be_told_apart_fails_its_step(
    database: Database, world: World, codes: list[tuple[str, int]], most: int, why: str
) -> None:
    """Nothing is called for any item of it."""
    desks = {**DESKS, "for_each": {**FOR_EACH, "max": most}}
    async with shaped(database, world, [ACCOUNT, LIST, desks], codes=codes) as house:
        run_id = await house.admit()
        assert await _live(house, run_id) is RunStatus.PARKED
        ended = (await house.state(run_id)).step("desk").ended
        assert ended is not None
        assert ended.failure is not None
        assert why in ended.failure.message
        assert "desk" not in world.calls


async def test_a_condition_on_items_skips_some_of_them(database: Database, world: World) -> None:
    """Each item's condition is asked with that item; the output has those that ran."""
    some = {**DESKS, "when": {"$ge": [{"$ref": "item.amount"}, 20]}}
    async with shaped(database, world, [ACCOUNT, LIST, some]) as house:
        run_id = await house.admit()
        assert await _live(house, run_id) is RunStatus.DONE
        state = await house.state(run_id)
        assert state.step("desk[north]").ended is not None
        assert _ends(state)["desk[north]"] == "skipped"
        ended = state.step("desk").ended
        assert ended is not None
        assert ended.output is not None
        assert len(ended.output["items"]) == 2


async def test_values_of_items_are_never_expressions(database: Database, world: World) -> None:
    """What a system answers may look like the language and is still just text."""
    async with shaped(database, world, [ACCOUNT, LIST, DESKS], codes=[("{request.name}", 1)]) as house:
        run_id = await house.admit()
        assert await _live(house, run_id) is RunStatus.DONE
        assert world.effects["desk:{request.name}"] == 1


async def test_first_goes_past_a_skipped_step(database: Database, world: World) -> None:
    """A ``$first`` whose first option was skipped takes the next, and waits for both."""
    skipped = {**step("desk", "desk"), "when": {"$eq": [{"$ref": "request.name"}, "Grace Hopper"]}}
    first = {"$first": [{"$ref": "desk.id"}, {"$ref": "account.id"}]}
    world.gates["account"] = asyncio.Event()
    async with shaped(database, world, [step("badge", "badge", account_id=first), skipped, ACCOUNT]) as house:
        run_id = await house.admit()
        living = asyncio.create_task(house.live(run_id))
        async with asyncio.timeout(10):
            async for _ in house.hints.watch(run_id):
                if any(entry.kind == "step.intended" for entry in await house.journal.read(run_id)):
                    break
        assert not await house.reviews.list(run_id=run_id)
        world.gates["account"].set()
        await living
        (row,) = await house.reviews.list(run_id=run_id)
        assert row.card.args["account_id"] == "account-1"


PAYS: dict[str, Any] = {**step("pay", "pay", amount={"$ref": "item.amount"}, **ITEM), "for_each": FOR_EACH}


@pytest.mark.parametrize(
    ("step_", "budget", "more", "reason", "before"),
    [
        (DESKS, Budget(calls=4), Raise(calls=5), "budget of 4 calls is used up", 2),
        (DESKS, Budget(steps=5), Raise(steps=1), "6 steps, and its budget is 5", 0),
        (PAYS, Budget(money=Money(amount=40, currency="EUR")), Raise(money=20), "would spend 60", 2),
    ],
    ids=["calls", "steps", "money"],
)
async def test_a_run_that_would_go_over_its_budget_parks_until_somebody_raises_it(
    database: Database, world: World, step_: dict[str, Any], budget: Budget, more: Raise, reason: str, before: int
) -> None:
    """Calls that are ready at once are counted together; a resume alone changes nothing; a raise is journaled by name."""
    async with shaped(database, world, [ACCOUNT, LIST, step_], budget=budget, gated=False) as house:
        run_id = await house.admit()
        assert await _live(house, run_id) is RunStatus.PARKED
        state = await house.state(run_id)
        assert state.parked is not None
        assert reason in state.parked.reason
        body: dict[str, Any] = {"by": ASKER.id, "reason": "go on"}
        await house.inbox.put(run_id, InputKind.RESUME, body, dedupe="one")
        assert await _live(house, run_id) is RunStatus.PARKED
        assert world.calls.count(step_["id"]) == before
        await house.inbox.put(run_id, InputKind.RESUME, {**body, "more": more.model_dump()}, dedupe="two")
        assert await _live(house, run_id) is RunStatus.DONE
        assert world.calls.count(step_["id"]) == 3
        bodies = [entry.parsed() for entry in await house.journal.read(run_id)]
        given = [body for body in bodies if isinstance(body, ev.RunResumed) and body.more]
        assert [(each.by, each.more) for each in given] == [(ASKER.id, more)]


async def test_the_hours_of_a_run_end_by_a_timer(database: Database, world: World) -> None:
    """A run that waits for a person parks when its time is over, and goes on with more."""
    async with shaped(database, world, [ACCOUNT, BADGES, LIST], budget=Budget(hours=5)) as house:
        run_id = await house.admit()
        assert await _live(house, run_id) is RunStatus.WAITING
        house.clock.moment += timedelta(hours=6)
        assert await _live(house, run_id) is RunStatus.PARKED
        state = await house.state(run_id)
        assert state.parked is not None
        assert "5 hours" in state.parked.reason
        body = {"by": ASKER.id, "reason": "take your time", "more": {"hours": 10}}
        await house.inbox.put(run_id, InputKind.RESUME, body)
        assert await _live(house, run_id) is RunStatus.WAITING
        await answer_all(house, run_id, approve())
        assert await _live(house, run_id) is RunStatus.DONE


async def _again(house: House, run_id: str, verdict: Verdict) -> RunStatus:
    """Answer what is asked, and live on."""
    await answer_all(house, run_id, verdict)
    return await _live(house, run_id)


async def test_a_failed_step_is_planned_around_and_a_person_agrees_to_what_is_new(
    database: Database, world: World
) -> None:
    """The account stays, the desk is a hot desk, the difference is journaled and shown, and nothing is done before the yes."""
    world.fault("desk", "no")
    async with shaped(database, world, goals=("account", "desk", "mail")) as house:
        run_id = await house.admit()
        assert await _live(house, run_id) is RunStatus.WAITING
        assert world.calls == ["account", "desk"]
        (row,) = await house.reviews.list(run_id=run_id)
        assert row.card.kind is ReviewKind.PLAN
        assert row.card.approvers == ("mary.jackson@acme.example",)
        assert "adds desk_2: world.hotdesk@1" in row.card.args["changes"]
        assert "drops desk: world.desk@1" in row.card.args["changes"]
        assert await _again(house, run_id, approve()) is RunStatus.DONE
        state = await house.state(run_id)
        assert (state.revision, state.replans) == (2, 1)
        assert state.checked is not None
        assert state.checked.difference is not None
        assert state.checked.difference.dropped == ("desk",)
        assert (await _view(house, run_id)).difference == state.checked.difference
        assert _ends(state) == {"account": "done", "desk": "failed", "desk_2": "done", "mail": "done"}
        assert world.calls == ["account", "desk", "hotdesk", "mail"]
        assert state.bad_ends == ()


async def test_a_no_to_the_revised_plan_parks_and_a_resume_goes_back_to_the_plan_before(
    database: Database, world: World
) -> None:
    """Nothing of the revision is done; resumed, the failed step is tried again under its old plan and key."""
    world.fault("desk", "no")
    async with shaped(database, world, goals=("account", "desk")) as house:
        run_id = await house.admit()
        await _live(house, run_id)
        assert await _again(house, run_id, reject(reason="a real desk, please")) is RunStatus.PARKED
        state = await house.state(run_id)
        assert state.parked is not None
        assert "a real desk, please" in state.parked.reason
        await house.inbox.put(run_id, InputKind.RESUME, {"by": ASKER.id, "reason": "there is one now"})
        assert await _live(house, run_id) is RunStatus.DONE
        state = await house.state(run_id)
        assert _ends(state) == {"account": "done", "desk": "done"}
        assert world.calls == ["account", "desk", "desk"]


async def test_where_every_way_fails_a_person_is_asked(database: Database, world: World) -> None:
    """The tool that failed is not tried again, and where no other is left the run parks with its undo list."""
    world.fault("desk", "no")
    world.fault("hotdesk", "no")
    async with shaped(database, world, goals=("account", "desk")) as house:
        run_id = await house.admit()
        await _live(house, run_id)
        assert await _again(house, run_id, approve()) is RunStatus.PARKED
        state = await house.state(run_id)
        assert state.replans == 1
        assert state.bad_ends == ("desk_2",)
        assert state.parked is not None
        assert [item.step for item in state.parked.undo] == ["account"]


async def test_a_cancel_while_a_revised_plan_is_before_people_withdraws_it(database: Database, world: World) -> None:
    """The question goes away, nothing of the revision is done, and what was done before is taken back."""
    world.fault("desk", "no")
    async with shaped(database, world, goals=("account", "desk")) as house:
        run_id = await house.admit()
        await _live(house, run_id)
        await house.inbox.put(run_id, InputKind.CANCEL, {"by": ASKER.id, "reason": "never mind"})
        assert await _live(house, run_id) is RunStatus.CANCELLED
        assert not await house.reviews.list(run_id=run_id)
        assert world.calls == ["account", "desk", "undo"]
        assert world.standing == []
        state = await house.state(run_id)
        assert (state.revision, state.replans) == (2, 1)


async def test_silence_about_a_revised_plan_ends_in_a_refusal(database: Database, world: World) -> None:
    """Those who were asked are warned, nobody else is there, and the run parks; resumed, it goes on with the plan before."""
    world.fault("desk", "no")
    async with shaped(database, world, goals=("account", "desk")) as house:
        run_id = await house.admit()
        await _live(house, run_id)
        house.clock.moment += timedelta(hours=20)
        assert await _live(house, run_id) is RunStatus.WAITING
        house.clock.moment += timedelta(hours=5)
        assert await _live(house, run_id) is RunStatus.PARKED
        state = await house.state(run_id)
        assert state.parked is not None
        assert "nobody agreed in time" in state.parked.reason
        assert "goes on with the plan before" in state.parked.reason
        kinds = [entry.kind for entry in await house.journal.read(run_id)]
        assert {"review.reminded", "run.at_risk", "review.escalated"} <= {*kinds}
        await house.inbox.put(run_id, InputKind.RESUME, {"by": ASKER.id, "reason": "there is one now"})
        assert await _live(house, run_id) is RunStatus.DONE
        assert world.calls == ["account", "desk", "desk"]


async def test_a_no_to_the_revised_plan_takes_back_where_the_playbook_says_so(database: Database, world: World) -> None:
    """A no is a no, to a step or to a plan; the report does not speak of going on."""
    world.fault("desk", "no")
    async with shaped(database, world, goals=("account", "desk"), on_refusal=OnRefusal.UNDO) as house:
        run_id = await house.admit()
        await _live(house, run_id)
        assert await _again(house, run_id, reject(reason="a real desk, please")) is RunStatus.UNDONE
        state = await house.state(run_id)
        assert "a real desk, please" in state.report
        assert "goes on" not in state.report
        assert world.standing == []


async def test_a_cancel_takes_back_what_was_done_for_each_item(database: Database, world: World) -> None:
    """Each item's effect has its own undo, and its own key."""
    pay = {**step("pay", "pay", amount=5), "after": ["desk"]}
    async with shaped(database, world, [ACCOUNT, LIST, DESKS, pay]) as house:
        run_id = await house.admit()
        assert await _live(house, run_id) is RunStatus.WAITING
        assert world.calls.count("desk") == 3
        await house.inbox.put(run_id, InputKind.CANCEL, {"by": ASKER.id, "reason": "never mind"})
        assert await _live(house, run_id) is RunStatus.CANCELLED
        assert world.standing == []
        state = await house.state(run_id)
        assert set(state.undos) == {"undo:desk[north]", "undo:desk[south]", "undo:desk[east]", "undo:account"}
        assert len({undo.intent.key for undo in state.undos.values() if undo.intent}) == 4


async def test_a_cancel_settles_what_the_revision_took_up(database: Database, world: World) -> None:
    """A stopped step that waits for its turn in a revised plan was not sent: it is ended, and nothing is planned or asked."""
    world.fault("badge", "down", "down")
    world.fault("desk", "no")
    async with shaped(database, world, goals=("account", "badge", "desk"), gated=False, linger=0) as house:
        run_id = await house.admit()
        while not await house.reviews.list(run_id=run_id):
            await house.live(run_id)
            house.clock.moment += timedelta(minutes=5)
        await house.inbox.put(run_id, InputKind.CANCEL, {"by": ASKER.id, "reason": "never mind"})
        assert await _live(house, run_id) is RunStatus.CANCELLED
        assert world.standing == []
        state = await house.state(run_id)
        assert (state.revision, state.open_steps) == (2, ())


async def test_what_was_stopped_by_a_failure_is_taken_up_by_the_revision(database: Database, world: World) -> None:
    """A step that waited for its next attempt when another failed is ended as stopped, and done after the replan."""
    world.fault("badge", "down", "down")
    world.fault("desk", "no")
    async with shaped(database, world, goals=("account", "badge", "desk"), gated=False, linger=0) as house:
        run_id = await house.admit()
        for _ in range(10):
            if await house.live(run_id) is None:
                house.clock.moment += timedelta(minutes=5)
            elif (await answer_all(house, run_id, approve())) == ["plan"]:
                break
        while (rest := await house.live(run_id)) is None or rest.status not in ENDED:
            house.clock.moment += timedelta(minutes=5)
        ends = _ends(await house.state(run_id))
        assert {ends[name] for name in ("account", "badge", "desk_2")} == {"done"}
        assert world.effects["badge:Ada Lovelace"] == 1


Faults = dict[str, tuple[str, ...]]
SCRIPTS: dict[str, tuple[list[dict[str, Any]], tuple[str, ...], Faults, RunStatus]] = {
    "for-each": (
        [ACCOUNT, LIST, BADGES, MAIL],
        ("account", "mail"),
        {"badge": ("lost",), "mail": ("lost",)},
        RunStatus.DONE,
    ),
    "replan": ([], ("account", "desk", "mail"), {"desk": ("no",) * 9, "account": ("lost",)}, RunStatus.DONE),
}
LIVES = 60


async def _play(house: House, faults: Faults) -> RunFold:
    for path, ways in faults.items():
        house.world.fault(path, *ways)
    run_id = await house.admit()
    for _ in range(LIVES):
        rest = await house.live(run_id)
        if rest is None:
            continue
        if rest.status in ENDED or rest.status is RunStatus.PARKED:
            return await house.state(run_id)
        await answer_all(house, run_id, approve())
        await house.clock.sleep(120)  # sleep: on a clock where it takes no time
    raise AssertionError(f"the run did not come to rest in {LIVES} lives: {await house.state(run_id)}")


@pytest.mark.timeout(240)
@pytest.mark.parametrize("name", SCRIPTS)
async def test_a_crash_at_every_point_changes_nothing(database: Database, name: str) -> None:
    """Lists and replans survive a crash after every append and on both sides of every send: one effect for each item."""
    steps, goals, faults, expected = SCRIPTS[name]
    points: list[str] = [""]
    essence: dict[str, Any] = {}
    missed = 0
    async with serving(World()) as world, shaped(database, world, steps, goals=goals) as house:
        while points:
            point = points.pop()
            for mapping in (world.effects, world.records, world.by_key, world.faults, world.calls, house.doom.counts):
                mapping.clear()
            house.doom.at, house.doom.hit = point, False
            state = await _play(house, faults)
            assert state.ended is not None, (point, state.parked)
            assert state.ended.status == expected
            found = {"ends": _ends(state), "revision": state.revision, "expanded": state.expanded}
            if not point:
                essence = found
                points = [f"{kind}:{n}" for kind, count in house.doom.counts.items() for n in range(1, count + 1)]
                assert len(points) > 20
            assert found == essence, point
            missed += bool(point) and not house.doom.hit
            assert all(count == 1 for count in world.effects.values()), (point, world.effects)
            assert verify(await house.journal.read(state.run_id)).ok
    # Appends that arrive together share one, so that a run now and then has one less.
    assert missed <= 2
