"""Erasing Ada: nothing of her is left in any column of any table, and the journal still proves itself."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from governance.chats import Remark
from governance.errors import NotPermitted, Refused
from governance.events import StepEnded
from governance.reviews import approve, edit, reject, respond
from memory.ids import new_id
from runtime.application import Application
from tests.conftest import DatabaseUrls
from tests.fixtures.company import ADA, FINANCE, HR, SECURITY, open_reviews, person, steward_on, until
from tests.sandbox.running import Company

FIRST, LAST, MAILBOX, SALARY, RAISED = "Adaxcanary", "Lovelaceqcanary", "quillwort.canary", 987_651, 987_652
CANARY = {
    **ADA,
    "first_name": FIRST,
    "last_name": LAST,
    "email": f"{MAILBOX}@acme.example",
    "annual_salary": SALARY,
}
WORDS = (FIRST.lower(), LAST.lower(), MAILBOX, str(SALARY), str(RAISED), "secretwhy")
COLUMNS = """
    SELECT table_schema, table_name, column_name FROM information_schema.columns
    JOIN information_schema.tables USING (table_schema, table_name)
    WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema')
"""


async def found(urls: DatabaseUrls) -> set[tuple[str, str]]:
    """(table.column, canary) for every canary in every column of every table, as the owner sees them."""
    seen: set[tuple[str, str]] = set()
    async with await psycopg.AsyncConnection.connect(urls.owner_url) as connection:
        columns = await (await connection.execute(COLUMNS)).fetchall()
        assert len({table for _, table, _ in columns}) >= 11, "ours, the chat's and LangGraph's"
        for schema, table, column in columns:
            ask = sql.SQL("SELECT {} FROM {}").format(sql.Identifier(column), sql.Identifier(schema, table))
            for (value,) in await (await connection.execute(ask)).fetchall():
                text = readable(value).lower()
                seen.update((f"{table}.{column}", word) for word in WORDS if word in text)
    return seen


def readable(value: Any) -> str:
    """A value as text; bytes in every way in which words could be read from them."""
    if isinstance(value, bytes | memoryview):
        raw = bytes(value)
        return "\n".join([raw.decode("latin-1"), raw.decode("utf-8", "replace"), raw.decode("utf-16-le", "replace")])
    return str(value)


async def talked(steward: Application, run_id: str) -> None:
    """A conversation about the run, as the chat keeps it."""
    words = f"Onboard {FIRST} {LAST} at {SALARY}"
    remark = Remark(id=new_id(), said_by=HR, text=words, at=datetime.now(UTC), run=run_id)
    await steward.chats.say(new_id(), HR, remark, runs=[run_id], name=words)


async def onboarded(steward: Application) -> str:
    """A run of Ada's that ended after an edit, an approval, a refusal and a close, with a conversation around it."""
    hr = person(steward, HR)
    run = await steward.start("onboarding", CANARY, by=hr, dedupe=f"ticket of {FIRST}")
    await talked(steward, run.id)
    await until(steward, run.id, "review.asked", count=2)
    asked = await open_reviews(steward, run.id)
    card = asked["employee"].card
    raised = edit({**card.args, "annual_salary": RAISED}, reason=f"secretwhy {FIRST}")
    await steward.decide(card.id, raised, by=person(steward, FINANCE))
    async for entry in steward.events(run.id):  # a refusal that came first would keep her off the payroll
        if isinstance(body := entry.parsed(), StepEnded) and body.step == "employee":
            break
    await steward.decide(asked["badge"].card.id, reject(reason=f"secretwhy {LAST}"), by=person(steward, SECURITY))
    await until(steward, run.id, "run.parked")
    (parked,) = (await open_reviews(steward, run.id)).values()
    await steward.decide(parked.card.id, respond("close", reason=f"secretwhy {MAILBOX}"), by=hr)
    await until(steward, run.id, "run.ended")
    return run.id


async def test_nothing_of_ada_is_left_and_the_journal_still_verifies(
    database_urls: DatabaseUrls, home: Path, company: Company
) -> None:
    """The same search finds her in journal, reviews, chat and checkpoints before, and nowhere after."""
    async with steward_on(database_urls, home) as steward:
        async with steward.working():
            run_id = await onboarded(steward)
        before = await found(database_urls)
        assert {word for _, word in before} == set(WORDS), "or this test could not fail"
        assert {place for place, _ in before} >= {
            "run.title",
            "journal.body",
            "review.card",
            "review.verdict",
            "inbox.body",
            "chat_thread.name",
            "chat_remark.body",
        }
        assert (await steward.templates()).templates, "her plan is kept for others"
        assert not [place for place, _ in await found(database_urls) if place.startswith("plan_template")]
        entries = len((await steward.show(run_id)).timeline)
        await steward.fork(run_id, by=person(steward, HR), at=8)
        erased = await steward.erase(run_id, reason="Ada asked", by=person(steward, HR))
        assert (erased.title, erased.requester) == ("", "")
        assert await found(database_urls) == set()
        verified = await steward.verify(run_id)
        assert (verified.ok, verified.entries, verified.erased) == (True, entries, entries)
        assert [line async for line in steward.export(run_id) if any(word in line.lower() for word in WORDS)] == []
        assert company.effect_count("payroll") == 1, "what systems hold is theirs: erasing a run does not undo it"


async def test_an_erased_run_can_still_be_listed_and_looked_at(
    database_urls: DatabaseUrls, home: Path, company: Company
) -> None:
    """What is left is shown, not an error; erasing again changes nothing; a same trigger does not start it anew."""
    assert company
    async with steward_on(database_urls, home) as steward:
        hr = person(steward, HR)
        async with steward.working():
            run_id = await onboarded(steward)
        await steward.erase(run_id, reason="Ada asked", by=hr)
        await steward.erase(run_id, reason="Ada asked twice", by=hr)
        assert [row.id for row in await steward.runs()] == [run_id]
        view = await steward.show(run_id)
        assert (view.request, view.steps, view.undo) == ({}, (), ())
        assert [entry.kind for entry in view.timeline][-1] == "run.ended"
        assert await steward.reviews(run=run_id, open_only=False) is not None
        assert (await steward.start("onboarding", CANARY, by=hr, dedupe=f"ticket of {FIRST}")).id == run_id
        with pytest.raises(Refused, match="ended"):
            await steward.cancel(run_id, reason="too late", by=hr)


async def test_a_run_that_has_not_ended_is_not_erased_and_not_everybody_may(
    database_urls: DatabaseUrls, home: Path, company: Company
) -> None:
    """A waiting run is refused and stays whole; erasing takes the permission privacy:erase."""
    assert company
    async with steward_on(database_urls, home) as steward:
        async with steward.working():
            run = await steward.start("onboarding", CANARY, by=person(steward, HR))
            await until(steward, run.id, "review.asked", count=2)
        with pytest.raises(NotPermitted, match="may not erase"):
            await steward.erase(run.id, reason="curious", by=person(steward, FINANCE))
        with pytest.raises(Refused, match="has not ended"):
            await steward.erase(run.id, reason="Ada asked", by=person(steward, HR))
        assert ("run.title", FIRST.lower()) in await found(database_urls)
        asked = await open_reviews(steward, run.id)
        decided = await steward.decide(asked["badge"].card.id, approve(), by=person(steward, SECURITY))
        assert decided.card.args
