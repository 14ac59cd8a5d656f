"""Threads of the chat: whose they are, in what order, and that they go with an erased run."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from uuid import uuid4

import psycopg
import pytest

from governance.chats import Remark
from governance.errors import InvalidInput, NotPermitted
from governance.events import RunEnded, RunStatus
from governance.runs import Rest
from memory.chats import Chats
from memory.database import Database
from memory.erasure import erase
from memory.journal import Journal
from memory.runs import Runs
from tests.fixtures.journals import claimed

KATHERINE = "katherine.johnson@acme.example"
MARY = "mary.jackson@acme.example"


@pytest.fixture
def chats(database: Database) -> Chats:
    """The threads."""
    return Chats(database)


def remark(text: str, *, by: str = KATHERINE, run: str = "") -> Remark:
    """Something said just now."""
    return Remark(
        str(uuid4()), by, text, datetime.now(UTC), run=run, reviews=("rv-1",), card={"name": "A", "props": {}}
    )


async def test_what_is_said_is_kept_in_order_and_once(chats: Chats) -> None:
    """A remark that is said again, with other words, stays as it was."""
    thread = str(uuid4())
    said = [remark("first"), remark("second", by=""), remark("third")]
    for each in [*said, dataclasses.replace(said[0], text="other words", said_by=MARY)]:
        await chats.say(thread, KATHERINE, each, name="first")
    kept = await chats.remarks(thread)
    assert [dataclasses.replace(each, at=said[0].at) for each in kept] == [
        dataclasses.replace(each, at=said[0].at) for each in said
    ]
    found = await chats.thread(thread)
    assert found
    assert (found.person, found.name, found.draft) == (KATHERINE, "first", None)


async def test_a_thread_is_its_persons_alone(chats: Chats) -> None:
    """Nobody else writes in it, renames it, drafts in it or removes it."""
    thread = str(uuid4())
    await chats.say(thread, KATHERINE, remark("mine"), name="mine")
    with pytest.raises(NotPermitted, match="somebody else's"):
        await chats.say(thread, MARY, remark("forged", by=MARY))
    await chats.rename(thread, MARY, "stolen")
    await chats.keep_draft(thread, MARY, "{}")
    await chats.remove(thread, MARY)
    found = await chats.thread(thread)
    assert found
    assert (found.name, found.draft) == ("mine", None)
    assert [each.text for each in await chats.remarks(thread)] == ["mine"]
    assert await chats.list(MARY) == []


async def test_threads_are_listed_in_pages_the_last_touched_first(chats: Chats) -> None:
    """And found by a part of their name."""
    threads = [str(uuid4()) for _ in range(4)]
    for number, thread in enumerate(threads):
        await chats.say(thread, KATHERINE, remark("hello"), name=f"Thread 100% number {number}")
    await chats.say(threads[0], KATHERINE, remark("again"))
    first = await chats.list(KATHERINE, limit=2)
    rest = await chats.list(KATHERINE, after=first[-1].id)
    assert [each.id for each in first + rest] == [threads[0], threads[3], threads[2], threads[1]]
    assert [each.id for each in await chats.list(KATHERINE, search="0% NUMBER 2")] == [threads[2]]


async def test_a_draft_is_kept_and_dropped(chats: Chats) -> None:
    """As it was given."""
    thread = str(uuid4())
    await chats.say(thread, KATHERINE, remark("hello"))
    for draft in ('{"playbook": "onboarding@1"}', None):
        await chats.keep_draft(thread, KATHERINE, draft)
        found = await chats.thread(thread)
        assert found
        assert found.draft == draft


async def test_bad_ids_and_characters_are_said_to_be_bad(chats: Chats) -> None:
    """Never an error of the database's."""
    assert await chats.thread("no uuid") is None
    with pytest.raises(InvalidInput):
        await chats.say("no uuid", KATHERINE, remark("hello"))
    with pytest.raises(InvalidInput, match="character"):
        await chats.say(str(uuid4()), KATHERINE, remark("hello"), name="a\x00b")


async def test_erasing_a_run_removes_the_threads_that_showed_it(
    database: Database, runs: Runs, chats: Chats, owner: psycopg.AsyncConnection, journal: Journal
) -> None:
    """The requester's and an approver's, and no others; and a late remark cannot bring the link back."""
    run, other = await claimed(runs), await claimed(runs)
    shown, asked, apart = (str(uuid4()) for _ in range(3))
    await chats.say(shown, KATHERINE, remark("onboard Ada Lovelace"), runs=[run.row.id])
    await chats.say(asked, MARY, remark("approve, Lovelace is known to me", by=MARY), runs=[other.row.id, run.row.id])
    await chats.say(apart, KATHERINE, remark("hello"), runs=[other.row.id])
    assert sorted(await chats.threads_of(run.row.id)) == sorted([shown, asked])
    await journal.append(run.claim, [run.next(RunEnded(status="done"))])
    await runs.finish(run.claim, Rest(RunStatus.DONE))
    await erase(database, run.row.id)
    assert [await chats.thread(thread) for thread in (shown, asked)] == [None, None]
    assert await chats.remarks(apart)
    found = await (await owner.execute("SELECT count(*) FROM chat_remark WHERE body LIKE '%Lovelace%'")).fetchone()
    assert found == (0,)
    await chats.say(apart, KATHERINE, remark("late"), runs=[run.row.id])
    assert await chats.threads_of(run.row.id) == []
