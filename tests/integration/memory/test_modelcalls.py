"""The ledger of model calls: limits hold for all who ask at once, and the day adds up."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from governance.models import CallBegun, CallEnded, ModelLimits
from memory.database import Database
from memory.modelcalls import ModelCalls
from tests.fakes import FIRST_MOMENT

CALL = CallBegun("", "plan", "m", "plan@1+abc", FIRST_MOMENT, 100)
NO_RATE = ModelLimits(0, 250, 350)


async def test_calls_that_begin_at_once_do_not_share_the_last_cent(database: Database) -> None:
    """Of ten calls that may cost 100 each, three fit into a day of 350; two ledgers stand for two processes."""
    ledgers = [ModelCalls(database, NO_RATE), ModelCalls(database, NO_RATE)]
    leaves = await asyncio.gather(*(ledgers[number % 2].begin(CALL) for number in range(10)))
    assert sum(bool(leave.call) for leave in leaves) == 3
    assert {leave.why for leave in leaves if not leave.call} == {"the day's 0.00035 dollars are spent"}


async def test_what_a_call_really_took_frees_what_was_held_back(database: Database) -> None:
    """And the next day begins anew."""
    ledger = ModelCalls(database, NO_RATE)
    for _ in range(3):
        leave = await ledger.begin(CALL)
        await ledger.end(leave.call, CallEnded(ok=True, tokens_in=5, tokens_out=2, cost_microusd=10, latency_ms=40))
    assert (await ledger.begin(CALL)).call
    (day,) = await ledger.day(FIRST_MOMENT)
    assert (day.calls, day.failed, day.tokens_in, day.cost_microusd, day.latency_ms) == (4, 0, 15, 130, 40)
    assert await ledger.day(FIRST_MOMENT + timedelta(days=1)) == ()


async def test_a_run_has_a_limit_of_its_own(database: Database) -> None:
    """Two calls of one run fit, a third does not, and another run's does, also on another day."""
    ledger = ModelCalls(database, ModelLimits(0, 250, 0))
    one, other = (CallBegun(run, "plan", "m", "p", FIRST_MOMENT, 100) for run in ("run-1", "run-2"))
    later = CallBegun("run-1", "plan", "m", "p", FIRST_MOMENT + timedelta(days=3), 100)
    assert [bool((await ledger.begin(call)).call) for call in (one, one, later, other)] == [True, True, False, True]


async def test_a_minute_has_so_many_turns(database: Database) -> None:
    """Of six calls at two a minute two go now; the rest would wait longer than a call waits for its turn."""
    ledger = ModelCalls(database, ModelLimits(2, 0, 0))
    leaves = [await ledger.begin(CALL) for _ in range(6)]
    assert [bool(leave.call) for leave in leaves] == [True, True, False, False, False, False]
    assert leaves[2].why == "there were 2 calls in a minute already"


async def test_a_failure_says_its_kind(database: Database) -> None:
    """The last one is what `steward models` shows."""
    ledger = ModelCalls(database, NO_RATE)
    for why in ("no answer within 60 s", "it answered HTTP 500"):
        await ledger.end((await ledger.begin(CALL)).call, CallEnded(ok=False, why=why))
    (day,) = await ledger.day(FIRST_MOMENT)
    assert (day.calls, day.failed) == (2, 2)
    assert day.last_failure in {"no answer within 60 s", "it answered HTTP 500"}
