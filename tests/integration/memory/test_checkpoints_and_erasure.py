"""LangGraph's checkpoints on our connections, and the erasure of a person from every table."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any, TypedDict

import psycopg
import pytest
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import empty_checkpoint
from langgraph.graph import START, StateGraph
from langgraph.types import Interrupt

from governance.chain import verify
from governance.errors import NotFound, Refused
from governance.events import InputDropped, RunEnded, RunStatus
from governance.outside import KEPT, OutsideEvent
from governance.reviews import edit
from governance.runs import AskReview, InputKind, Rest, SetTimer, Subscribe
from memory.checkpoints import checkpoint_saver
from memory.database import Database
from memory.erasure import erase
from memory.ids import new_id
from memory.inbox import Inbox
from memory.journal import Journal
from memory.outside import OutsideEvents
from memory.reviews import Reviews
from memory.runs import Runs
from tests.fakes import FIRST_MOMENT
from tests.fixtures.journals import Chain, ClaimedRun, card, claimed

ROOT = Path(__file__).resolve().parents[3]
CANARY = "lovelace"


async def checkpointed(database: Database, run_id: str) -> RunnableConfig:
    """A checkpoint of a run, with Ada in it, inline and as a blob, and a pending write."""
    saver = checkpoint_saver(database)
    config: RunnableConfig = {"configurable": {"thread_id": run_id, "checkpoint_ns": ""}}
    checkpoint = empty_checkpoint()
    checkpoint["channel_values"] = {"name": "Ada Lovelace", "person": {"name": "Ada Lovelace"}}
    checkpoint["channel_versions"] = {"name": "1", "person": "1"}
    config = await saver.aput(config, checkpoint, {"source": "input", "step": 1}, {"name": "1", "person": "1"})
    await saver.aput_writes(config, [("person", {"name": "Ada Lovelace"})], "task")
    return config


async def test_checkpoints_are_kept_with_the_applications_rights(database: Database) -> None:
    """Put, read back, gone with the thread."""
    run_id = new_id()
    config = await checkpointed(database, run_id)
    found = await checkpoint_saver(database).aget_tuple(config)
    assert found
    assert found.checkpoint["channel_values"]["person"] == {"name": "Ada Lovelace"}
    assert found.pending_writes == [("task", "person", {"name": "Ada Lovelace"})]
    await checkpoint_saver(database).adelete_thread(run_id)
    assert await checkpoint_saver(database).aget_tuple(config) is None


class _Looked(TypedDict):
    name: str


async def test_of_an_error_only_its_class_is_kept(database: Database, owner: psycopg.AsyncConnection) -> None:
    """What it says may name anybody. All other writes are kept as they are, interrupts too."""

    def node(state: _Looked) -> _Looked:
        raise LookupError(f"Ada Lovelace{state['name']} is not in the directory")

    thread = new_id()
    config: RunnableConfig = {"configurable": {"thread_id": thread}}
    graph = StateGraph(_Looked).add_node("node", node).add_edge(START, "node")
    with pytest.raises(LookupError, match="Lovelace"):
        await graph.compile(checkpointer=checkpoint_saver(database)).ainvoke({"name": ""}, config)
    saver = checkpoint_saver(database)
    kept = await saver.aget_tuple(config)
    assert kept
    assert [(channel, value) for _, channel, value in kept.pending_writes or []] == [("__error__", "LookupError")]
    assert CANARY not in await whole(owner)
    asked = Interrupt({"step": "account"}, id="a")
    await saver.aput_writes(kept.config, [("__interrupt__", (asked,))], "task")
    again = await saver.aget_tuple(config)
    assert again
    assert [value for _, channel, value in again.pending_writes or [] if channel == "__interrupt__"] == [[asked]]


def test_without_strict_msgpack_there_is_no_saver() -> None:
    """In a process that imported LangGraph without the variable."""
    program = "import memory.checkpoints as c\ntry: c._demand_strict()\nexcept Exception as e: print(type(e).__name__)"
    for value, said in (("true", ""), ("false", "InvalidSettings\n")):
        environment = {**os.environ, "LANGGRAPH_STRICT_MSGPACK": value}
        ended = subprocess.run(
            [sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
        )
        assert ended.stdout == said


async def onboarded(database: Database, runs: Runs, journal: Journal, reviews: Reviews, inbox: Inbox) -> ClaimedRun:
    """A run that has left Ada's name wherever it can."""
    run = await claimed(runs)
    question = card(run.row.id)
    waits = [
        Subscribe(name, {"type": kind, "data.who": "Ada Lovelace"}, FIRST_MOMENT, FIRST_MOMENT + KEPT)
        for name, kind in (("came", "hired"), ("never", "fired"))
    ]
    await journal.append(run.claim, [run.next()], [AskReview(question), SetTimer("sla", FIRST_MOMENT), *waits])
    told = OutsideEvent(id="ada.lovelace", type="hired", source="hr", subject="Ada", data={"who": "Ada Lovelace"})
    assert (await OutsideEvents(database).publish(told, FIRST_MOMENT)).woken == 1
    verdict = edit({"email": "ada.lovelace@acme.example"}, reason="Lovelace is right")
    await reviews.decide(question.id, verdict, by="grace.hopper@acme.example", at=FIRST_MOMENT)
    await inbox.put(run.row.id, InputKind.CALLBACK, {"who": "Ada Lovelace"}, dedupe="ada.lovelace@acme.example")
    await checkpointed(database, run.row.id)
    return run


async def whole(owner: psycopg.AsyncConnection) -> str:
    """Every row of every table, as text, lower case; binary columns as what they hold."""
    found = await owner.execute(
        "SELECT relname::text FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
    )
    texts: list[Any] = []
    for (table,) in await found.fetchall():
        rows = await owner.execute(f'SELECT * FROM "{table}"'.encode())
        texts += [await rows.fetchall()]
    return repr(texts).lower()


async def test_an_erased_person_is_nowhere_and_the_journal_verifies(
    database: Database, runs: Runs, journal: Journal, reviews: Reviews, inbox: Inbox, owner: psycopg.AsyncConnection
) -> None:
    """What is left says that something happened, when, and who decided."""
    run = await onboarded(database, runs, journal, reviews, inbox)
    kept = await runs.admit(Chain().admitted(), dedupe="ada.lovelace@acme.example")
    assert (await whole(owner)).count(CANARY) > 8
    await journal.append(run.claim, [run.next(RunEnded(status="done"))])
    await runs.finish(run.claim, Rest(RunStatus.DONE, waiting_for="Ada Lovelace"))
    assert await erase(database, run.row.id) == 3
    left = [entry async for entry in journal.all_entries(run.row.id)]
    found = verify(left)
    assert (found.ok, found.entries, found.erased) == (True, 3, 3)
    assert all(entry.salt is None for entry in left)
    row = await runs.get(run.row.id)
    assert (row.title, row.requester, row.waiting_for, row.status) == ("", "", "", RunStatus.DONE)
    (review,) = await reviews.list(run_id=run.row.id, open_only=False)
    assert (review.decided_by, review.card.title) == ("grace.hopper@acme.example", "(erased)")
    assert review.verdict
    assert (review.verdict.choice, review.verdict.reason, review.verdict.args) == ("edit", "", None)
    assert [row.body for row in await inbox.open(run.row.id)] == [{}, {}, {}]
    assert await erase(database, run.row.id) == 0
    assert (await runs.get(kept.id)).title == "Onboard Ada Lovelace"


async def test_after_erasure_a_search_of_every_table_finds_nothing(
    database: Database, runs: Runs, journal: Journal, reviews: Reviews, inbox: Inbox, owner: psycopg.AsyncConnection
) -> None:
    """Also no key of a trigger or a callback: only their fingerprints were ever kept."""
    run = await onboarded(database, runs, journal, reviews, inbox)
    await journal.append(run.claim, [run.next(RunEnded(status="done"))])
    await runs.finish(run.claim, Rest(RunStatus.DONE, waiting_for="Ada Lovelace"))
    await erase(database, run.row.id)
    assert CANARY not in await whole(owner)
    assert "katherine" not in await whole(owner)


async def test_a_run_that_goes_on_is_not_erased(database: Database, runs: Runs, journal: Journal) -> None:
    """Nothing of it is blanked, not even through the function itself."""
    run = await claimed(runs)
    with pytest.raises(Refused, match="has not ended"):
        await erase(database, run.row.id)
    with pytest.raises(psycopg.errors.RaiseException):
        await database.fetch(b"SELECT steward_erase(%s)", [run.row.id])
    assert verify(await journal.read(run.row.id)).erased == 0
    with pytest.raises(NotFound):
        await erase(database, new_id())


async def test_a_row_that_says_ended_does_not_make_a_run_ended(
    database: Database, runs: Runs, journal: Journal, owner: psycopg.AsyncConnection
) -> None:
    """The application may write that row, so erasure believes the journal alone. A late input does not disturb it."""
    run = await claimed(runs)
    await database.fetch(b"UPDATE run SET ended_at = now(), status = 'done', owner = NULL")
    with pytest.raises(psycopg.errors.RaiseException, match="only an ended run"):
        await database.fetch(b"SELECT steward_erase(%s)", [run.row.id])
    with pytest.raises(Refused, match="has not ended"):
        await erase(database, run.row.id)
    assert CANARY in await whole(owner)
    await database.fetch(b"UPDATE run SET ended_at = NULL, owner = %s", [run.claim.owner])
    await journal.append(run.claim, [run.next(RunEnded(status="done"))])
    with pytest.raises(Refused, match="has not ended"):  # a worker has it still, and writes checkpoints
        await erase(database, run.row.id)
    await journal.append(run.claim, [run.next(InputDropped(what="cancel by Ada Lovelace", why="the run had ended"))])
    await runs.finish(run.claim, Rest(RunStatus.DONE))
    assert await erase(database, run.row.id) == 3
    assert CANARY not in await whole(owner)
