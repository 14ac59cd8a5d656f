"""A crash after every journal append and on both sides of every send: nothing twice, nothing lost, the same fold."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from governance.chain import verify
from governance.effects import StepStatus
from governance.events import ENDED, RunStatus
from governance.reviews import ReviewKind, Verdict, approve, reject, respond
from governance.runs import InputKind
from graphs.fold import RunFold
from memory.database import Database
from playbooks.model import OnRefusal
from tests.integration.graphs.house import ANNIE, ASKER, MARY, MAY_BE_MISSED, House, a_house, step
from tests.integration.graphs.world import World, serving

LIVES = 60
AFTER: dict[str, Any] = {"account_id": {"$ref": "account.id"}}
STEPS = (
    step("account", "account"),
    step("desk", "desk", **AFTER),
    step("pay", "pay", amount=50, **AFTER),
    step("badge", "badge", **AFTER),
    step("mail", "mail", after=["desk", "pay", "badge"]),
)


@dataclass(frozen=True)
class Script:
    """What people do: verdicts in this order, one at each wait, and when somebody cancels (at which wait).

    ``eager`` people also act between a crash and the next life. Where that may change how far the run comes,
    ``fixed`` is False, and only what must hold in every case is looked at. ``refuses``: the system says no to the first
    call of this path.
    """

    name: str
    verdicts: Mapping[str, Verdict]
    cancel_at_wait: int = 0
    expected: RunStatus = RunStatus.DONE
    eager: bool = False
    fixed: bool = True
    linger: float = 30
    on_refusal: OnRefusal = OnRefusal.ASK
    refuses: str = ""


SCRIPTS = (
    Script("approved", {"pay": approve(), "badge": approve()}),
    Script("refused", {"pay": approve(), "badge": reject(reason="no")}, expected=RunStatus.PARKED),
    Script("cancelled", {"pay": approve()}, cancel_at_wait=2, expected=RunStatus.CANCELLED),
    Script(
        "refused-and-undone",
        {"pay": approve(), "badge": reject(reason="no")},
        on_refusal=OnRefusal.UNDO,
        expected=RunStatus.UNDONE,
    ),
    Script(
        "undone-by-timers",
        {"pay": approve()},
        cancel_at_wait=4,
        expected=RunStatus.CANCELLED,
        eager=True,
        fixed=False,
        linger=0,
    ),
    Script(
        "an-undo-fails",
        {"pay": approve(), "": respond("resume")},
        cancel_at_wait=2,
        expected=RunStatus.CANCELLED,
        refuses="release",
    ),
    Script("approved-by-timers", {"pay": approve(), "badge": approve()}, linger=0),
    Script("approved-between-lives", {"pay": approve(), "badge": approve()}, eager=True),
    Script(
        "cancelled-between-lives",
        {"pay": approve()},
        cancel_at_wait=2,
        expected=RunStatus.CANCELLED,
        eager=True,
        fixed=False,
    ),
)
WHO = {"pay": MARY.id, "badge": ANNIE.id, "mail": ASKER.id, "": ASKER.id}


@pytest_asyncio.fixture
async def world() -> AsyncIterator[World]:
    """A fresh world, serving."""
    async with serving(World()) as served:
        yield served


async def _play(house: House, script: Script) -> RunFold:
    """Lives until the run rests for good, with people acting between lives."""
    house.world.fault("account", "busy")
    house.world.fault("desk", "lost")
    house.world.fault("release", *([] if not script.refuses else ["no"]), "lost")
    house.world.fault("undo", "busy", "lost")
    run_id = await house.admit()
    waits = 0
    for _ in range(LIVES):
        rest = await house.live(run_id)
        if rest is None and not script.eager:
            continue
        parked = rest is not None and rest.status is RunStatus.PARKED and "" not in script.verdicts
        if rest is not None and (rest.status in ENDED or parked):
            return await house.state(run_id)
        waits += 1
        if script.cancel_at_wait == waits:
            await house.inbox.put(
                run_id, InputKind.CANCEL, {"by": ASKER.id, "reason": "changed our minds"}, dedupe=run_id
            )
        else:
            await _answer(house, run_id, script)
        await house.clock.sleep(3600 if waits > 10 else 120)  # sleep: on a clock where it takes no time
    raise AssertionError(f"the run did not come to rest in {LIVES} lives: {await house.state(run_id)}")


async def _answer(house: House, run_id: str, script: Script) -> None:
    """The first open question that the script has an answer to; what really happened for those about an outcome."""
    order = [*script.verdicts, "mail"]
    rows = await house.reviews.list(run_id=run_id)
    for card in sorted(
        (row.card for row in rows), key=lambda card: order.index(card.step) if card.step in order else 99
    ):
        if card.kind is ReviewKind.OUTCOME:
            happened = house.world.effects[f"{card.step}:Ada Lovelace"] > 0
            verdict: Verdict | None = respond("happened" if happened else "did_not_happen")
        else:
            verdict = script.verdicts.get(card.step)
        if verdict is not None:
            await house.reviews.decide(card.id, verdict, by=WHO[card.step], at=house.clock.now())
            return


def _essence(state: RunFold) -> dict[str, Any]:
    """What must be equal with and without crashes."""
    return {
        "phase": state.phase.value,
        "ended": state.ended.status if state.ended else None,
        "parked": state.parked is not None,
        "steps": {i: s.ended.status.value for i, s in sorted(state.steps.items()) if s.ended is not None},
        "undone": sorted(i for i, s in state.undos.items() if s.satisfied),
        "undo": sorted(item.step for item in state.parked.undo) if state.parked else [],
    }


async def _check(house: House, state: RunFold, script: Script) -> None:
    """What holds whatever happened."""
    assert all(count == 1 for count in house.world.effects.values()), house.world.effects
    assert all(count == 1 for count in house.world.undone.values()), house.world.undone
    done = {i for i, s in state.steps.items() if s.ended is not None and s.ended.status is StepStatus.DONE}
    assert done == {name.partition(":")[0] for name in house.world.effects}
    if state.undoing is not None:
        assert set(house.world.standing) <= {"mail:Ada Lovelace"}
        assert {i.partition(":")[2] for i in state.undos} == {n.partition(":")[0] for n in house.world.undone}
    known = {*(s["id"] for s in STEPS), "undo", "release"}
    assert set(house.world.calls) <= known | {f"look:{path}" for path in known}
    assert verify(await house.journal.read(state.run_id)).ok
    if script.expected is RunStatus.DONE:
        assert state.ended is not None


async def _points(database: Database, script: Script) -> tuple[dict[str, int], dict[str, Any]]:
    async with (
        serving(World()) as world,
        a_house(
            database, world, STEPS, goals=("account", "mail"), linger=script.linger, on_refusal=script.on_refusal
        ) as house,
    ):
        state = await _play(house, script)
        await _check(house, state, script)
        return dict(house.doom.counts), _essence(state)


@pytest.mark.timeout(240)
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
async def test_a_crash_at_every_point_changes_nothing(database: Database, script: Script) -> None:
    """Every append, every send: crash there once, go on in new lives, and end as the run that never crashed."""
    counts, expected = await _points(database, script)
    assert counts["append"] > 10
    missed = 0
    points = [f"{point}:{number}" for point, count in counts.items() for number in range(1, count + 1)]
    async with (
        serving(World()) as world,
        a_house(
            database, world, STEPS, goals=("account", "mail"), linger=script.linger, on_refusal=script.on_refusal
        ) as house,
    ):
        for point in points:
            house.world.forget()
            house.doom.counts.clear()
            house.doom.at, house.doom.hit = point, False
            state = await _play(house, script)
            missed += not house.doom.hit
            if script.fixed:
                assert _essence(state) == expected, point
            await _check(house, state, script)
    assert missed <= MAY_BE_MISSED
