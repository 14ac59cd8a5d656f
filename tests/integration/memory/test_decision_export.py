"""Exports of decisions: a thousand runs pass through, and never more than a few of them are held."""

from __future__ import annotations

import asyncio
import gc
import json
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import timedelta
from typing import Any

import pytest_asyncio

from governance import events as ev
from governance.decisions import Decision, DecisionKind
from governance.record import Wanted
from governance.runs import Claim
from memory.database import Database
from memory.journal import Journal, open_journal
from memory.runs import Runs
from runtime.export import decision_lines
from runtime.record import KINDS
from tests.fakes import FIRST_MOMENT
from tests.fixtures.journals import LEASE, Chain

RUNS = 1_000
LONG = "a reason that takes some room. " * 250


@pytest_asyncio.fixture
async def many(database: Database) -> AsyncIterator[Journal]:
    """A thousand runs, one begun each minute, with a plan and with an entry in which nothing is decided."""
    async with open_journal(database) as journal:
        runs = Runs(database)
        chains = [Chain(at=FIRST_MOMENT + timedelta(minutes=number)) for number in range(RUNS)]
        await asyncio.gather(*(runs.admit(chain.admitted()) for chain in chains))
        claims: dict[str, Claim] = {}
        while len(claims) < RUNS:  # one requester's runs are not claimed all at once
            claims |= {claim.run_id: claim for claim in await runs.claim(1, RUNS, LEASE)}
        await asyncio.gather(
            *(
                journal.append(claims[chain.run_id], [chain.next(planned(number)), chain.next()])
                for number, chain in enumerate(chains)
            )
        )
        yield journal


def planned(number: int) -> ev.PlanWritten:
    """A plan with a long reason."""
    said = Decision(
        kind=DecisionKind.PLAN,
        subject="onboarding@1",
        choice=f"plan {number}",
        reasoning=LONG,
        confidence=0.9,
        decider="rule:planner",
    )
    return ev.PlanWritten(revision=1, plan={}, author="rule:planner", decision=said)


def lines(journal: Journal, wanted: Wanted) -> AsyncIterator[str]:
    """The exported lines."""
    return decision_lines(journal.deciding(KINDS, wanted), wanted)


async def choices(journal: Journal, **wanted: Any) -> list[str]:
    """What was chosen in the exported records."""
    return [json.loads(line)["choice"] async for line in lines(journal, Wanted(**wanted))]


async def test_a_thousand_runs_are_streamed(many: Journal) -> None:
    """All are there, once each, and what is held at any moment is a fraction of what goes through."""
    gc.collect()
    tracemalloc.start()
    total, seen = 0, set()
    async for line in lines(many, Wanted()):
        total += len(line)
        seen.add(json.loads(line)["choice"])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert seen == {f"plan {number}" for number in range(RUNS)}
    assert total > RUNS * len(LONG)
    assert peak < total / 2


async def test_an_export_that_is_broken_off_gives_its_connection_back(many: Journal) -> None:
    """A reader who has enough leaves nothing behind: as many exports as connections, and one more."""
    for _ in range(10):
        async with aclosing(many.deciding(KINDS, Wanted())) as entries:
            async for _entry in entries:
                break
    assert len(await choices(many, until=FIRST_MOMENT + timedelta(minutes=1))) == 1


async def test_what_is_wanted_is_narrowed_by_time_playbook_and_kind(many: Journal) -> None:
    """``since`` is in, ``until`` is not; a playbook with or without its version."""
    since, until = FIRST_MOMENT + timedelta(minutes=10), FIRST_MOMENT + timedelta(minutes=13)
    ten = [f"plan {number}" for number in (10, 11, 12)]
    assert sorted(await choices(many, since=since, until=until)) == ten
    for playbook, found in (("onboarding", 3), ("onboarding@1", 3), ("onboarding@2", 0), ("offboarding", 0)):
        assert len(await choices(many, since=since, until=until, playbook=playbook)) == found
    assert await choices(many, since=since, until=until, kinds=frozenset({DecisionKind.VERDICT})) == []
