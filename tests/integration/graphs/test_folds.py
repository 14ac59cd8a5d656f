"""A run that comes back soon is folded from where it stood, and from the beginning where that is not how it goes on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio

from governance.chain import Entry
from governance.events import RunStatus
from governance.reviews import approve
from governance.runs import Claim
from graphs.fold import RunFold
from graphs.folds import Folds
from graphs.live import LiveRun
from graphs.transitions import fold
from memory.database import Database
from tests.integration.graphs.house import LEASE, MARY, House, a_house, step
from tests.integration.graphs.world import World, serving

ACCOUNT = step("account", "account")
PAY = step("pay", "pay", account_id={"$ref": "account.id"}, amount=50)


@pytest_asyncio.fixture
async def world() -> AsyncIterator[World]:
    """A fresh world, serving."""
    async with serving(World()) as served:
        yield served


async def _asked(house: House) -> str:
    """A run that waits for its review."""
    run_id = await house.admit()
    rest = await house.live(run_id)
    assert rest is not None
    assert rest.status is RunStatus.WAITING
    return run_id


async def _approved(house: House, run_id: str) -> None:
    (review,) = await house.reviews.list(run_id=run_id)
    await house.reviews.decide(review.card.id, approve(), by=MARY.id, at=house.clock.now())


async def test_a_run_that_comes_back_is_read_from_where_it_stood(
    database: Database, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is known is not read again, and the end is the same as from the whole journal."""
    async with a_house(database, world, [ACCOUNT, PAY]) as house:
        run_id = await _asked(house)
        stood = (await house.state(run_id)).seq
        read, asked = house.journal.read, []

        async def watched(run: str, after: int = 0) -> list[Entry]:
            asked.append(after)
            return await read(run, after)

        monkeypatch.setattr(house.journal, "read", watched)
        await _approved(house, run_id)
        rest = await house.live(run_id)
        assert rest is not None
        assert rest.status is RunStatus.DONE
        assert asked == [stood]
        assert house.engine.folds.take(run_id) is None  # of what has ended nothing is kept


@pytest.mark.parametrize("known", ["older", "of another journal", "none"])
async def test_what_others_did_meanwhile_is_folded_too(database: Database, world: World, known: str) -> None:
    """Another worker had the run in between, or the database is another: the fold is that of the journal there is."""
    async with a_house(database, world, [ACCOUNT, PAY]) as house:
        run_id = await _asked(house)
        whole, entries = await house.state(run_id), await house.journal.read(run_id)
        older = house.engine.folds.take(run_id)
        assert older == whole
        early = await _folded(house, run_id, 3)
        stood = {"older": early, "of another journal": replace(early, head=b"\1" * 32, report="forged"), "none": None}
        (claim,) = await _claimed(house, run_id)
        run = await LiveRun.open(claim, house.journal, house.clock, house.engine.entropy, known=stood[known])
        assert run.state == whole
        assert run.state.seq == len(entries)


async def _folded(house: House, run_id: str, count: int) -> RunFold:
    return fold(run_id, (await house.journal.read(run_id))[:count])


async def _claimed(house: House, run_id: str) -> list[Claim]:
    await house.runs.wake(run_id)
    return await house.runs.claim(1, 1, LEASE)


def test_only_so_many_are_kept() -> None:
    """The one that was kept first goes first."""
    folds = Folds(most=2)
    for number in range(3):
        folds.keep(RunFold(str(number)))
    assert [folds.take(str(number)) is not None for number in range(3)] == [False, True, True]
    assert folds.take("2") is None
