"""A storm: real workers killed with SIGKILL at random moments while runs go on, people decide and systems misbehave."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
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
from tests.conftest import DatabaseUrls
from tests.fixtures.company import ADA, HR, SYSTEMS, person
from tests.sandbox.running import Company

ROOT = Path(__file__).parents[2]
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
async def nursery(urls: DatabaseUrls, home: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """The warm parent, in a process group of its own that is killed at the end."""
    settings = {
        "database_url": urls.app_url,
        "database_owner_url": urls.owner_url,
        "home": str(home),
        "lease_seconds": 5,
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.chaos.nursery", json.dumps(settings)),
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


async def storm(
    steward: Application, company: Company, parent: asyncio.subprocess.Process, *, runs: int, kills: int, seed: int
) -> Toll:
    """Start ``runs`` onboardings, kill workers ``kills`` times, let two live, and count when every run has ended."""
    rng = Random(seed)
    for fault in FAULTS:
        company.order_fault(**fault, times=max(1, runs // 4))
    started = [await _start(steward, number) for number in range(runs)]
    deciding = asyncio.create_task(_decide_for_ever(steward, company))
    try:
        workers = [await _fork(parent), await _fork(parent)]
        for _ in range(kills):
            await _pass(rng.uniform(0.05, 0.6))
            victim = workers.pop(rng.randrange(len(workers)))
            os.kill(victim, signal.SIGKILL)
            workers.append(await _fork(parent))
        await _all_ended(steward)
    finally:
        deciding.cancel()
        await asyncio.gather(deciding, return_exceptions=True)
    return await _toll(steward, company, started, kills)


async def _start(steward: Application, number: int) -> str:
    request = {**ADA, "email": f"ada.lovelace.{number}@acme.example", "site": SITES[number % len(SITES)]}
    return (await steward.start("onboarding", request, by=person(steward, HR))).id


async def _fork(parent: asyncio.subprocess.Process) -> int:
    assert parent.stdin is not None
    assert parent.stdout is not None
    parent.stdin.write(b"\n")
    await parent.stdin.drain()
    return int(await parent.stdout.readline())


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


async def _all_ended(steward: Application) -> None:
    async with asyncio.timeout(120):
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
    missing = [s for s in SYSTEMS if by_system[s] != least.get(s, 1) * len(started)]
    kinds: dict[str, int] = {}
    async for entry in steward.store.journal.all_entries():
        kinds[entry.kind] = kinds.get(entry.kind, 0) + 1
    parked = [(await steward.show(row.id)).parked_because for row in rows if row.status is RunStatus.PARKED]
    return Toll(kills, ended, doubled, missing, await steward.verify(), kinds, parked)
