"""Which of the due runs a worker gets first: by turns of requesters, by priority, and nothing starves."""

from __future__ import annotations

import time

import psycopg

from memory.runs import Runs
from tests.fixtures.journals import LEASE, Chain

KATHERINE, ALAN = "katherine.johnson@acme.example", "alan.turing@acme.example"


async def _admitted(runs: Runs, requester: str, priority: int = 0) -> str:
    return (await runs.admit(Chain().admitted(requester=requester, priority=priority))).id


async def _many(owner: psycopg.AsyncConnection, count: int, *, due: bool, requester: str = KATHERINE) -> None:
    """So many runs, written as they are kept; those that are not due wait for a person."""
    await owner.execute(
        "INSERT INTO run (id, playbook, title, requester, source, status, admitted_at, wake_at)"
        " SELECT gen_random_uuid(), 'onboarding@1', 'Onboard', %s, 'test', 'queued', now(),"
        " CASE WHEN %s THEN now() - interval '1 min' + n * interval '1 ms' END FROM generate_series(1, %s) AS n",
        (requester, due, count),
    )


async def test_one_requesters_thousands_do_not_starve_anothers_one(runs: Runs, owner: psycopg.AsyncConnection) -> None:
    """Whoever came last is in the next claim, though ten thousand runs have waited longer."""
    await _many(owner, 10_000, due=True)
    late = await _admitted(runs, ALAN)
    claims = await runs.claim(1, 4, LEASE)
    assert len(claims) == 4
    assert late in [claim.run_id for claim in claims]


async def test_requesters_take_turns(runs: Runs) -> None:
    """Of one that has six and one that has three, a claim of four takes two each."""
    mine = {await _admitted(runs, KATHERINE) for _ in range(6)}
    others = {await _admitted(runs, ALAN) for _ in range(3)}
    taken = {claim.run_id for claim in await runs.claim(1, 4, LEASE)}
    assert (len(taken & mine), len(taken & others)) == (2, 2)


async def test_a_higher_priority_goes_first(runs: Runs) -> None:
    """Of one requester: urgent, high, normal, low, whatever came first."""
    made = [await _admitted(runs, KATHERINE, priority) for priority in (-1, 0, 1, 2)]
    taken = [(await runs.claim(1, 1, LEASE))[0].run_id for _ in range(4)]
    assert taken == made[::-1]
    assert (await runs.get(made[3])).priority == 2


async def test_waiting_is_worth_a_level_a_minute_but_never_urgent(runs: Runs, owner: psycopg.AsyncConnection) -> None:
    """A low run that has waited two minutes goes before a new high one, and after an urgent one."""
    old = await _admitted(runs, KATHERINE, -1)
    await owner.execute("UPDATE run SET wake_at = now() - interval '130 s'")
    high, urgent = await _admitted(runs, KATHERINE, 1), await _admitted(runs, KATHERINE, 2)
    taken = [(await runs.claim(1, 1, LEASE))[0].run_id for _ in range(3)]
    assert taken == [urgent, old, high]


async def test_two_claims_at_once_get_different_runs(runs: Runs, owner: psycopg.AsyncConnection) -> None:
    """What another holds at this moment is passed over, and the next in order taken."""
    await _many(owner, 100, due=True)
    async with await psycopg.AsyncConnection.connect(owner.info.dsn) as other:
        await other.execute("SELECT id FROM run ORDER BY wake_at LIMIT 20 FOR UPDATE")
        assert len(await runs.claim(1, 16, LEASE)) == 16


async def test_a_claim_stays_cheap_with_many_runs(runs: Runs, owner: psycopg.AsyncConnection) -> None:
    """100,000 waiting and 10,000 due rows: the middle one of fifty claims takes less than 25 ms (measured: see docs)."""
    await _many(owner, 100_000, due=False)
    await _many(owner, 10_000, due=True)
    await owner.execute("ANALYZE run")
    spent = []
    for _ in range(50):
        before = time.perf_counter()
        assert len(await runs.claim(1, 16, LEASE)) == 16
        spent.append(time.perf_counter() - before)
    spent.sort()
    print(f"claims: p50 {spent[25] * 1000:.1f} ms, p99 {spent[-1] * 1000:.1f} ms")
    assert spent[25] < 0.025
