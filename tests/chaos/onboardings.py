"""Onboardings in a storm: real workers killed with SIGKILL at random moments while runs go on, people decide and systems misbehave."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from governance.chain import Verified
from governance.errors import AlreadyDecided
from governance.events import ENDED, RunStatus
from governance.reviews import ReviewKind, approve, respond
from governance.runs import ReviewRow
from runtime.application import Application
from tests.chaos.ground import Ground, a_database
from tests.chaos.results import Measure, Result, equal, zero
from tests.chaos.workers import Workers, nursery
from tests.conftest import DatabaseUrls
from tests.fixtures.company import ADA, HR, SYSTEMS, home_of, person, steward_on
from tests.sandbox.running import Company

SITES = ("Berlin", "London", "Vilnius")
FAULTS = (
    {"system": "facilities", "method": "POST", "path_prefix": "/assignments", "kind": "error_after"},
    {"system": "payroll", "method": "POST", "path_prefix": "/employees", "kind": "error_after"},
    {"system": "training", "method": "POST", "path_prefix": "/enrolments", "kind": "drop_after"},
    {"system": "expenses", "method": "POST", "path_prefix": "/accounts", "kind": "error_before"},
    {"system": "identity", "method": "POST", "path_prefix": "/users", "kind": "status", "status": 503},
)


@dataclass(frozen=True)
class Toll:
    """What a storm left behind."""

    kills: int
    ended: dict[str, int]
    doubled: dict[str, int]
    missing: list[str]
    verified: Verified
    kinds: dict[str, int]
    parked: list[str]


@asynccontextmanager
async def onboarders(urls: DatabaseUrls, home: Path, *, lease_seconds: float = 5) -> AsyncIterator[Workers]:
    """Workers for onboardings."""
    settings = {
        "database_url": urls.app_url,
        "database_owner_url": urls.owner_url,
        "home": str(home),
        "lease_seconds": lease_seconds,
    }
    async with nursery(settings, home / "workers.log") as workers:
        yield workers


async def onboard(
    steward: Application, company: Company, workers: Workers, *, runs: int, kills: int, seed: int
) -> Toll:
    """Start ``runs`` onboardings, kill workers ``kills`` times, let two live, and count when every run has ended."""
    rng = Random(seed)
    for fault in FAULTS:
        company.order_fault(**fault, times=max(1, runs // 4))
    started = [await _start(steward, number) for number in range(runs)]
    deciding = asyncio.create_task(_decide_for_ever(steward, company))
    try:
        await workers.keep(2)
        for _ in range(kills):
            await _pass(rng.uniform(0.05, 0.6))
            workers.kill(rng.choice(workers.alive))
            await workers.keep(2)
        await _all_ended(steward, seconds=max(120, 15 * runs))
    finally:
        deciding.cancel()
        await asyncio.gather(deciding, return_exceptions=True)
    return await _toll(steward, company, started, kills)


async def _start(steward: Application, number: int) -> str:
    request = {**ADA, "email": f"ada.lovelace.{number}@acme.example", "site": SITES[number % len(SITES)]}
    return (await steward.start("onboarding", request, by=person(steward, HR))).id


async def _pass(seconds: float) -> None:
    """Let so much real time pass: where a kill strikes is the point."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(asyncio.Event().wait(), seconds)


async def _decide_for_ever(steward: Application, company: Company) -> None:
    """People: approve what is asked, and say truly what became of a mail whose answer was lost."""
    while True:
        for row in await steward.reviews():
            with contextlib.suppress(AlreadyDecided):
                await _decide(steward, company, row)
        await _pass(0.1)


async def _decide(steward: Application, company: Company, row: ReviewRow) -> None:
    by = person(steward, row.card.approvers[0])
    if row.card.kind is ReviewKind.STEP:
        await steward.decide(row.card.id, approve(), by=by)
    elif row.card.kind is ReviewKind.OUTCOME:
        effects = await asyncio.to_thread(company.effects, "mail")
        sent = any(row.card.args["to"] in effect["subject"] for effect in effects)
        await steward.decide(row.card.id, respond("happened" if sent else "did_not_happen"), by=by)


async def _all_ended(steward: Application, *, seconds: float) -> None:
    """A breaker lets one probe through each half minute, and each of the faults that are left uses one up."""
    async with asyncio.timeout(seconds):
        while any(
            run.status not in ENDED and run.status is not RunStatus.PARKED for run in await steward.runs(limit=1000)
        ):
            await _pass(0.2)


async def _toll(steward: Application, company: Company, started: list[str], kills: int) -> Toll:
    rows = await steward.runs(limit=1000)
    ended: dict[str, int] = {}
    for row in rows:
        ended[row.status.value] = ended.get(row.status.value, 0) + 1
    effects: list[dict[str, Any]] = [effect for system in SYSTEMS for effect in company.effects(system)]
    doubled = {f"{e['system']}.{e['operation']} {e['subject']}": e["count"] for e in effects if e["count"] != 1}
    by_system = {system: len(company.effects(system)) for system in SYSTEMS}
    least = {"identity": 2, "training": 2}
    least |= dict.fromkeys(("procurement", "support", "billing"), 0)  # an onboarding has nothing to do there
    missing = [s for s in SYSTEMS if by_system[s] != least.get(s, 1) * len(started)]
    kinds: dict[str, int] = {}
    async for entry in steward.store.journal.all_entries():
        kinds[entry.kind] = kinds.get(entry.kind, 0) + 1
    parked = [(await steward.show(row.id)).parked_because for row in rows if row.status is RunStatus.PARKED]
    return Toll(kills, ended, doubled, missing, await steward.verify(), kinds, parked)


async def onboardings(ground: Ground) -> Result:
    """The storm over the nine systems of the sandbox company."""
    runs, kills = ground.size(6, 40), ground.size(12, 80)
    title = "whole onboardings over the nine systems of the sandbox company, workers die by SIGKILL"
    result = Result("B1b", "Onboardings", title)
    folder = ground.folder / "onboardings"
    folder.mkdir()
    company = await asyncio.to_thread(Company, folder)
    try:
        home = home_of(company, folder / "home")
        async with (
            a_database(ground, "onboardings") as urls,
            steward_on(urls, home) as steward,
            onboarders(urls, home) as workers,
        ):
            toll = await onboard(steward, company, workers, runs=runs, kills=kills, seed=ground.seed)
    finally:
        await asyncio.to_thread(company.end)
    result.measures = [
        equal("runs done", runs, toll.ended.get("done", 0)),
        zero("effects counted more than once", len(toll.doubled)),
        zero("systems where something is missing", len(toll.missing)),
        Measure("every chain verifies", "yes", "yes" if toll.verified.ok else "no", toll.verified.ok),
    ]
    result.counts = {
        "runs": runs,
        "kills": kills,
        "lost": len(toll.missing),
        "duplicated": len(toll.doubled),
        "stuck": runs - toll.ended.get("done", 0),
    }
    result.facts = {
        "ended": toll.ended,
        "parked_because": list(dict.fromkeys(toll.parked))[:2],
        "doubled": toll.doubled,
    }
    return result
