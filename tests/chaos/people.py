"""The people of the battery: who asks for runs, who decides, and who says truly what became of a shout."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from governance.errors import AlreadyDecided, Refused, Unavailable
from governance.people import Person
from governance.reviews import ReviewKind, approve, respond
from governance.runs import ReviewRow
from runtime.application import Application
from tests.chaos.ground import Scene
from tests.fixtures.company import person

ASKER = "katherine.johnson@acme.example"


def asker(steward: Application) -> Person:
    """Who starts all runs."""
    return person(steward, ASKER)


@dataclass
class Deciders:
    """What they did: ``acked`` are the reviews whose verdict was confirmed to them."""

    acked: set[str] = field(default_factory=set)
    outcomes: int = 0


@asynccontextmanager
async def deciding(scene: Scene) -> AsyncIterator[Deciders]:
    """People answer what is asked for as long as the block lasts, also while the database comes and goes."""
    deciders = Deciders()
    task = asyncio.create_task(_decide_for_ever(scene, deciders))
    try:
        yield deciders
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _decide_for_ever(scene: Scene, deciders: Deciders) -> None:
    while True:
        with contextlib.suppress(Unavailable):
            rows = [row for row in await scene.steward.reviews() if row.card.kind is not ReviewKind.PARKED]
            truth = await scene.witness.says() if any(r.card.kind is ReviewKind.OUTCOME for r in rows) else None
            for row in rows:
                with contextlib.suppress(AlreadyDecided, Refused):
                    heard = truth.effects.get("shout", {}) if truth else {}
                    await _decide(scene, deciders, row, heard)
        await asyncio.sleep(0.1)  # sleep: people look every now and then


async def _decide(scene: Scene, deciders: Deciders, row: ReviewRow, heard: dict[str, int]) -> None:
    by = person(scene.steward, row.card.approvers[0])
    if row.card.kind is ReviewKind.STEP:
        await scene.steward.decide(row.card.id, approve(), by=by)
    else:
        happened = row.card.args["subject"] in heard
        await scene.steward.decide(row.card.id, respond("happened" if happened else "did_not_happen"), by=by)
        deciders.outcomes += 1
    deciders.acked.add(row.card.id)
