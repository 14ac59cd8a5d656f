"""Whose fault a worker's death was: no run is convicted for having been near, and one that kills is."""

from __future__ import annotations

from random import Random
from typing import get_args

import psycopg
import pytest

from governance import events as ev
from governance.events import RunStatus
from governance.runs import CONVICTED, SUSPECTED, Claim, Rest
from memory.journal import Journal
from memory.runs import Runs
from tests.fixtures.journals import LEASE, admit, claimed

QUEUED = Rest(RunStatus.QUEUED, again=True)


async def _due(runs: Runs, owner: psycopg.AsyncConnection) -> None:
    """All pauses are over."""
    await owner.execute("UPDATE run SET wake_at = least(wake_at, now()) WHERE owner IS NULL AND ended_at IS NULL")


async def test_a_run_that_kills_is_convicted_after_a_bounded_number_of_claims(
    runs: Runs, owner: psycopg.AsyncConnection
) -> None:
    """Three times in company, then alone, with growing pauses; the last claim is for parking it."""
    run = await claimed(runs)  # nobody holds the lock of worker 1: it is dead
    claims: list[Claim] = [run.claim]
    for number in range(1, CONVICTED + 1):
        assert await runs.reap() == 1
        assert (await runs.get(run.row.id)).deaths == number
        pause = await (await owner.execute("SELECT extract(epoch FROM wake_at - now()) FROM run")).fetchone()
        assert pause
        assert round(float(pause[0]), 1) <= (0 if number < 9 or number == CONVICTED else min(4, 2 ** (number - 9)))
        await _due(runs, owner)
        (claim,) = await runs.claim(1, 5, LEASE)
        claims.append(claim)
        if claim.suspect:
            await runs.isolate(claim)
    assert [claim.deaths for claim in claims] == list(range(CONVICTED + 1))
    assert [claim.suspect for claim in claims] == [SUSPECTED <= number < CONVICTED for number in range(CONVICTED + 1)]


async def test_deaths_in_company_convict_nobody(runs: Runs, owner: psycopg.AsyncConnection) -> None:
    """However often: a suspect that its worker had not yet begun alone is only a suspect."""
    run = await claimed(runs)
    for _ in range(20):
        await runs.reap()
        await _due(runs, owner)
        assert [claim.run_id for claim in await runs.claim(1, 5, LEASE)] == [run.row.id]
    assert (await runs.get(run.row.id)).deaths == SUSPECTED


async def test_a_suspect_comes_singly(runs: Runs) -> None:
    """Other runs that are due stay for other workers, or for later."""
    suspect = await claimed(runs)
    for _ in range(SUSPECTED):
        await runs.reap()
        if (await runs.get(suspect.row.id)).deaths < SUSPECTED:
            await runs.claim(1, 1, LEASE)
    others = {(await admit(runs))[0].id for _ in range(3)}
    assert [claim.run_id for claim in await runs.claim(1, 5, LEASE)] == [suspect.row.id]
    assert {claim.run_id for claim in await runs.claim(1, 5, LEASE)} == others


async def test_progress_clears_a_suspect(runs: Runs, journal: Journal) -> None:
    """An event since the first of the deaths: it did not kill each time, so it is claimed with others again."""
    run = await claimed(runs)
    await runs.reap()
    (second,) = await runs.claim(1, 1, LEASE)
    await journal.append(second, [run.next()])
    for number in range(1, SUSPECTED + 1):
        await runs.reap()
        assert (await runs.get(run.row.id)).deaths == number
        (last,) = await runs.claim(1, 1, LEASE)
    assert last.suspect
    await journal.append(last, [run.next()])
    await runs.finish(last, QUEUED)
    (cleared,) = await runs.claim(1, 1, LEASE)
    assert cleared.deaths == 0


@pytest.mark.parametrize(("deaths", "company"), [(1, (3, 0)), (2, (0, 2))])
async def test_ever_fewer_are_in_doubt_together(runs: Runs, deaths: int, company: tuple[int, int]) -> None:
    """After one death and after two only so many of them come along, and others with them."""
    for _ in range(6):
        await admit(runs)
    for _ in range(deaths):
        assert len(await runs.claim(1, 9, LEASE, (9, 9))) == 6
        await runs.reap()
    fresh = {(await admit(runs))[0].id for _ in range(2)}
    claims = await runs.claim(1, 9, LEASE, company)
    assert {claim.run_id for claim in claims if not claim.deaths} == fresh
    assert [claim.deaths for claim in claims if claim.deaths] == [deaths] * max(company)


async def test_promises_are_no_progress(runs: Runs, owner: psycopg.AsyncConnection) -> None:
    """What a call that ends the process leaves behind each time does not clear it, and the kinds are still called so."""
    kinds = {body.model_fields["kind"].default for body in get_args(get_args(ev.Body)[0])}
    promises = {"step.intended", "step.tried", "step.reconciled", "step.waiting"}
    assert promises <= kinds
    run = await claimed(runs)
    await runs.reap()
    for number, kind in enumerate(sorted(promises), start=2):
        await owner.execute(
            "INSERT INTO journal (run_id, seq, at, kind, cause, body_digest, prev_hash, hash)"
            " VALUES (%s, %s, now(), %s, %s, '', '', '')",
            (run.row.id, number, kind, f"cause {number}"),
        )
        (claim,) = await runs.claim(1, 1, LEASE)
        await runs.finish(claim, QUEUED)
        assert (await runs.get(run.row.id)).deaths == 1


async def test_a_restart_of_the_server_is_nobodys_doing(runs: Runs, owner: psycopg.AsyncConnection) -> None:
    """It ends all workers' sessions at once; runs claimed before it are not counted as theirs."""
    run = await claimed(runs)
    await owner.execute("UPDATE run SET claimed_at = pg_postmaster_start_time() - interval '1 s'")
    assert await runs.reap() == 1
    assert (await runs.get(run.row.id)).deaths == 0


async def test_a_storm_convicts_no_healthy_run_and_the_killer_in_it(runs: Runs, owner: psycopg.AsyncConnection) -> None:
    """Three hundred deaths at random over 100 runs; one of them kills each worker that begins it. Seeded."""
    rng = Random(1815)
    rows = [(await admit(runs))[0].id for _ in range(100)]
    killer = rows[77]
    kills = 0
    while kills < 300:
        await _due(runs, owner)
        claims = await runs.claim(1, 16, LEASE)
        for claim in claims:
            if claim.suspect:
                await runs.isolate(claim)
        guilty = [claim for claim in claims if claim.run_id == killer]
        assert not any(claim.deaths >= CONVICTED for claim in claims if claim.run_id != killer)
        if guilty and guilty[0].deaths >= CONVICTED:
            await runs.finish(guilty[0], Rest(RunStatus.PARKED))
            await owner.execute("UPDATE run SET ended_at = now() WHERE id = %s", (killer,))
            continue
        # A slice alone is short, and one kill in ten finds its worker in it; a full worker is hit nearly always.
        struck = bool(guilty) or rng.random() < (0.1 if len(claims) == 1 else 0.9)
        if struck:
            kills += 1
            await runs.reap()
            continue
        for claim in claims:
            await runs.finish(claim, QUEUED)
        made = [claim.run_id for claim in claims]
        await owner.execute("UPDATE run SET deaths = 0 WHERE id = ANY (%s::uuid[])", (made,))  # they made progress
    assert (await runs.get(killer)).status is RunStatus.PARKED
    assert kills == 300
