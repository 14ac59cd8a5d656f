"""The rows of kept plans, and the copies that processes have of them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace

import psycopg
import pytest
import pytest_asyncio

from governance.errors import DatabaseUnavailable
from governance.templates import Template, TemplateFailure
from memory.database import Database, open_database
from memory.hints import open_hints
from memory.runs import Runs
from memory.templates import Templates, open_templates
from tests.conftest import DatabaseUrls
from tests.fakes import FIRST_MOMENT
from tests.fixtures.journals import admit

ONE = Template(
    key="0" * 64,
    playbook="onboarding@1",
    playbook_digest="1" * 64,
    catalog_digest="2" * 64,
    planner="rule:test@1",
    shape={"fields": {}, "answers": []},
    plan={"playbook": "onboarding@1", "steps": []},
    plan_digest="3" * 64,
    first_run="01a20524-b4c2-76ea-bc7a-ea1d8fb3fc28",
    decider="rule:test",
    confidence=0.9,
    took_ms=40,
    kept_at=FIRST_MOMENT,
)
OTHER = replace(ONE, plan_digest="4" * 64, took_ms=50)


@pytest_asyncio.fixture
async def second(database_urls: DatabaseUrls) -> AsyncIterator[Templates]:
    """Templates as another process has them."""
    async with open_database(database_urls.app_url) as database:
        yield Templates(database)


async def test_of_two_workers_that_keep_a_plan_for_the_same_key_one_is_first(
    database: Database, second: Templates
) -> None:
    """Both use their own until it is written; then both use the one in the row, whoever was first."""
    first = Templates(database)
    first.keep(ONE)
    second.keep(OTHER)
    assert (await first.find(ONE.key), await second.find(ONE.key)) == (ONE, OTHER)
    await asyncio.gather(first.write(), second.write())
    await asyncio.gather(first.refresh(), second.refresh())
    (row,) = await first.rows()
    assert row.template in (ONE, OTHER)
    assert await first.find(ONE.key) == await second.find(ONE.key) == row.template


async def test_a_plan_that_is_found_again_costs_no_round_trip(
    database: Database, second: Templates, database_urls: DatabaseUrls
) -> None:
    """The first look-up asks the database, the next ones do not: they answer when it is gone."""
    first = Templates(database)
    first.keep(ONE)
    await first.write()
    async with open_database(database_urls.app_url) as closed:
        third = Templates(closed)
        assert await third.find(ONE.key) == ONE
    assert await third.find(ONE.key) == ONE
    with pytest.raises(DatabaseUnavailable):
        await third.find("9" * 64)


async def test_counts_of_all_processes_add_up(database: Database, second: Templates) -> None:
    """Hits, misses and their reasons; what could not be written is written later, once."""
    first = Templates(database)
    first.keep(ONE)
    await first.write()
    for templates, times in ((first, 2), (second, 3)):
        for _ in range(times):
            templates.used(ONE.id)
            templates.missed("onboarding@1", "why")
        await templates.write()
        await templates.write()
    (row,) = await second.rows()
    assert (row.hits, row.saved_ms) == (5, 200)
    assert [(miss.why, miss.count) for miss in await second.misses()] == [("why", 5)]


async def test_a_run_fails_by_its_template_once_and_a_few_of_many_drop_nothing(database: Database) -> None:
    """Three failures of twelve runs drop it, three of thirteen do not; one run counts once, whoever says so how often."""
    templates, runs = Templates(database), Runs(database)
    for kept, hits in ((ONE, 13), (replace(OTHER, key="5" * 64), 12)):
        templates.keep(kept)
        for _ in range(hits):
            templates.used(kept.id)
        for _ in range(3):
            row, _chain = await admit(runs)
            failure = TemplateFailure(kept.id, row.id, "account", "identity.create_account@1", FIRST_MOMENT)
            templates.failed(failure)
            await templates.write()
            templates.failed(failure)
            await templates.write()
    rows = {row.template.key: row for row in await templates.rows()}
    assert [(rows[key].failures, rows[key].dropped_at is not None) for key in (ONE.key, "5" * 64)] == [
        (3, False),
        (3, True),
    ]


async def test_dropping_one_is_heard_in_other_processes(database: Database, database_urls: DatabaseUrls) -> None:
    """By a hint, without a restart: what they had a copy of is asked for anew."""
    async with open_database(database_urls.app_url) as there, open_hints(there) as hints:
        await hints.listening.wait()
        async with open_templates(there, hints) as other:
            other.keep(ONE)
            await other.write()
            await Templates(database).drop(ONE.id, by="a@acme.example", why="too early", at=FIRST_MOMENT)
            async with asyncio.timeout(10), contextlib.aclosing(hints.watch("templates")) as hinted:
                async for _ in hinted:  # one watch: a new one would look at once, again and again
                    if await other.find(ONE.key) is None:
                        break
            other.keep(ONE)
            assert await other.find(ONE.key) is None, "the very same plan does not come back"


async def test_what_was_said_last_is_written_at_the_end(database: Database) -> None:
    """A worker that stops leaves its figures."""
    async with open_hints(database) as hints, open_templates(database, hints) as templates:
        templates.keep(ONE)
        templates.used(ONE.id)
    assert [row.hits for row in await Templates(database).rows()] == [1]


async def test_the_application_cannot_change_what_a_template_says(database: Database) -> None:
    """Its plan, once kept, stands."""
    with pytest.raises(DatabaseUnavailable, match="permission denied"):
        await database.fetch(b"UPDATE plan_template SET body = ''")
    with pytest.raises((DatabaseUnavailable, psycopg.Error)):
        await database.fetch(b"DELETE FROM plan_template_failure")
