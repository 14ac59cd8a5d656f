"""What others leave for a run, and the timers that wake it."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from governance.errors import NotFound, Refused
from governance.events import CancelAsked, RunStatus
from governance.runs import InputKind, Rest, SetTimer
from graphs.ports import Inbox as InboxPort
from memory.ids import new_id
from memory.inbox import Inbox
from memory.journal import Journal
from memory.runs import Runs
from memory.timers import Timers
from tests.fakes import FIRST_MOMENT
from tests.fixtures.journals import LEASE, admit, claimed


async def test_what_is_left_wakes_the_run_and_is_open_until_an_event_takes_it_up(
    runs: Runs, journal: Journal, inbox: Inbox
) -> None:
    """Oldest first; taken up by the cause of the event, not by a mark that could get lost."""
    port: InboxPort = inbox
    run = await claimed(runs)
    await runs.finish(run.claim, Rest(RunStatus.WAITING))
    cancel = await inbox.put(run.row.id, InputKind.CANCEL, {"by": "Grace", "reason": "ü \x00"})
    resume = await inbox.put(run.row.id, InputKind.RESUME, {})
    assert await port.open(run.row.id) == [cancel, resume]
    assert cancel.body == {"by": "Grace", "reason": "ü \x00"}
    (claim,) = await runs.claim(1, 1, LEASE)
    await journal.append(claim, [run.next(CancelAsked(by="Grace", reason=""), cause=cancel.cause)])
    assert await inbox.open(run.row.id) == [resume]


async def test_repeats_with_the_same_key_get_the_first_row(runs: Runs, inbox: Inbox) -> None:
    """Also at once; the key counts within its run."""
    run, _ = await admit(runs)
    other, _ = await admit(runs)
    rows = await asyncio.gather(
        *(inbox.put(run.id, InputKind.CALLBACK, {"n": n}, dedupe="callback-1") for n in range(10))
    )
    assert len({row.id for row in rows}) == 1
    assert await inbox.open(run.id) == [rows[0]]
    assert (await inbox.put(other.id, InputKind.CALLBACK, {}, dedupe="callback-1")).run_id == other.id


async def test_nothing_can_be_left_for_nobody_or_an_ended_run(runs: Runs, inbox: Inbox) -> None:
    """But a repeat after the end still gets the first answer."""
    with pytest.raises(NotFound):
        await inbox.put(new_id(), InputKind.CANCEL, {})
    with pytest.raises(NotFound):
        await inbox.put("not an id", InputKind.CANCEL, {})
    run = await claimed(runs)
    first = await inbox.put(run.row.id, InputKind.CANCEL, {}, dedupe="once")
    await runs.finish(run.claim, Rest(RunStatus.DONE))
    with pytest.raises(Refused, match="has ended"):
        await inbox.put(run.row.id, InputKind.CANCEL, {})
    assert await inbox.put(run.row.id, InputKind.CANCEL, {}, dedupe="once") == first


async def test_due_timers_fire_once_and_wake_their_runs(runs: Runs, journal: Journal, timers: Timers) -> None:
    """On business time, whoever fires them and however many do; the others stay."""
    run = await claimed(runs)
    hour = timedelta(hours=1)
    rows = [SetTimer("a", FIRST_MOMENT), SetTimer("b", FIRST_MOMENT + hour), SetTimer("c", FIRST_MOMENT + 2 * hour)]
    await journal.append(run.claim, [run.next()], rows)
    await runs.finish(run.claim, Rest(RunStatus.WAITING))
    assert await timers.fire_due(FIRST_MOMENT - hour) == 0
    assert await runs.claim(1, 1, LEASE) == []
    fired = await asyncio.gather(*(timers.fire_due(FIRST_MOMENT + hour) for _ in range(8)))
    assert sum(fired) == 2
    assert [claim.run_id for claim in await runs.claim(1, 1, LEASE)] == [run.row.id]
    assert await timers.next_due() == FIRST_MOMENT + 2 * hour
    assert await timers.fire_due(FIRST_MOMENT + 2 * hour) == 1
    assert await timers.next_due() is None
