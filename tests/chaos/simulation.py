"""B11: plan shapes made by chance, and a crash at every append and on both sides of every send of each of them.

In this process, on a clock of its own: the machinery is that of tests/integration/graphs. A shape is a DAG over effects
of every class, with faults at the systems and people who decide; each crash point is one life story that must end as the
one without a crash did.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from governance.chain import verify
from governance.effects import StepStatus
from governance.events import ENDED, RunStatus
from governance.reviews import ReviewKind, approve, respond
from graphs.fold import RunFold
from memory.database import Database, open_database
from tests.chaos.ground import Ground, a_database
from tests.chaos.results import Result, some, zero
from tests.integration.graphs.house import ANNIE, ASKER, MARY, House, a_house, step
from tests.integration.graphs.world import World, serving

_LIVES = 60
_TOOLS = ("desk", "pay", "badge", "mail")
_WAYS = {
    "account": ("busy", "down", "lost"),
    "desk": ("busy", "lost"),
    "pay": ("busy", "lost"),
    "badge": ("lost", "down"),
}
_WHO = {"pay": MARY.id, "badge": ANNIE.id, "mail": ASKER.id}


@dataclass(frozen=True)
class Shape:
    """A plan, what goes wrong at the systems, and how long waits stay in the slice."""

    steps: tuple[Mapping[str, Any], ...]
    faults: tuple[tuple[str, str], ...]
    linger: float

    @property
    def goals(self) -> tuple[str, ...]:
        """Every step is a goal."""
        return tuple(str(s["id"]) for s in self.steps)


def shape(seed: int) -> Shape:
    """The plan of a seed: the account, one to four further steps, each after some of those before it."""
    rng = Random(seed)
    chosen = [tool for tool in _TOOLS if rng.random() < 0.7] or ["pay"]
    steps = [step("account", "account")]
    for tool in chosen:
        before = [str(s["id"]) for s in steps[1:] if tool == "mail" or rng.random() < 0.3]
        args: dict[str, Any] = {} if tool == "mail" else {"account_id": {"$ref": "account.id"}}
        after = before if before or tool != "mail" else ["account"]
        steps.append(step(tool, tool, after=after, **args, **({"amount": 50} if tool == "pay" else {})))
    faults = [(tool, rng.choice(ways)) for tool, ways in _WAYS.items() if rng.random() < 0.5]
    return Shape(tuple(steps), tuple(faults), rng.choice((30.0, 30.0, 0.0)))


async def simulation(ground: Ground) -> Result:
    """B11."""
    shapes, stride = ground.size(4, 20), ground.size(3, 1)
    result = Result(
        "B11", "Simulation", "a crash at every append and on both sides of every send, in plans of many shapes"
    )
    points, wrong = 0, list[str]()
    async with a_database(ground, "simulation") as urls, open_database(urls.app_url) as database:
        for number in range(shapes):
            tried, found = await _every_point(database, _seed(ground, number), stride)
            points += tried
            wrong += found
    result.measures = [
        some("different shapes", len({repr(shape(_seed(ground, n))) for n in range(shapes)}), shapes - 2),
        some("crash points", points, shapes * 5),
        zero("crash points after which anything was different", len(wrong)),
    ]
    result.counts = {"simulated_crashes": points}
    result.facts = {"shapes": shapes, "points": points, "every_nth_point": stride, "wrong": wrong[:10]}
    return result


def _seed(ground: Ground, number: int) -> int:
    return ground.seed * 1000 + number


async def _every_point(database: Database, seed: int, stride: int) -> tuple[int, list[str]]:
    """How many points were tried, and what was wrong at which. The first life story is the one without a crash."""
    plan = shape(seed)
    async with (
        serving(World()) as world,
        a_house(database, world, plan.steps, goals=plan.goals, linger=plan.linger) as house,
    ):
        state = await _play(house, plan, "")
        expected, wrong = _essence(state), await _wrong(house, state, plan)
        points = [f"{p}:{n}" for p, count in house.doom.counts.items() for n in range(1, count + 1)][
            seed % stride :: stride
        ]
        for point in points:
            state = await _play(house, plan, point)
            found = await _wrong(house, state, plan)
            if not house.doom.hit:
                found.append("the crash point was not reached")
            if _essence(state) != expected:
                found.append(f"{_essence(state)} instead of {expected}")
            wrong += [f"shape {seed}, {point}: {what}" for what in found]
    return len(points), wrong


async def _play(house: House, plan: Shape, doom: str) -> RunFold:
    """One life story in a fresh world: lives until the run rests for good, with people acting between lives."""
    world = house.world
    for kept in (world.effects, world.records, world.by_key, world.faults, world.calls, house.doom.counts):
        kept.clear()
    house.doom.at, house.doom.hit = doom, False
    for tool, way in plan.faults:
        world.fault(tool, way)
    run_id = await house.admit()
    for _ in range(_LIVES):
        rest = await house.live(run_id)
        if rest is not None and (rest.status in ENDED or rest.status is RunStatus.PARKED):
            break
        await _answer(house, run_id)
        await house.clock.sleep(120)  # sleep: on a clock where it takes no time
    return await house.state(run_id)


async def _answer(house: House, run_id: str) -> None:
    """Whatever is asked: yes, and the truth."""
    for row in await house.reviews.list(run_id=run_id):
        card = row.card
        if card.kind is ReviewKind.OUTCOME:
            happened = house.world.effects[f"{card.step}:Ada Lovelace"] > 0
            verdict = respond("happened" if happened else "did_not_happen")
        else:
            verdict = approve()
        await house.reviews.decide(card.id, verdict, by=_WHO.get(card.step, ASKER.id), at=house.clock.now())


def _essence(state: RunFold) -> dict[str, Any]:
    return {
        "phase": state.phase.value,
        "ended": state.ended.status if state.ended else None,
        "steps": {i: s.ended.status.value for i, s in sorted(state.steps.items()) if s.ended is not None},
    }


async def _wrong(house: House, state: RunFold, plan: Shape) -> list[str]:
    """What must hold whatever happened, and does not."""
    effects, found = house.world.effects, list[str]()
    found += [f"{name} happened {times} times" for name, times in effects.items() if times != 1]
    done = _done(state)
    if done != {name.partition(":")[0] for name in effects} or done != set(plan.goals):
        found.append(f"done {sorted(done)}, and the world has {sorted(effects)}")
    if not verify(await house.journal.read(state.run_id)).ok:
        found.append("the chain does not hold")
    return found


def _done(state: RunFold) -> set[str]:
    ends: Sequence[tuple[str, Any]] = [(i, s.ended) for i, s in state.steps.items() if s.ended is not None]
    return {i for i, ended in ends if ended.status is StepStatus.DONE}
