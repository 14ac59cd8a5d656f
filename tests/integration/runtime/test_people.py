"""What people do to a run, through the application: verdicts in any order, twice, late, by the wrong person."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from time import monotonic
from typing import TypeVar

import psycopg
import pytest

from governance.errors import (
    AlreadyDecided,
    DatabaseUnavailable,
    InvalidInput,
    InvalidRequest,
    NotFound,
    NotPermitted,
    Refused,
)
from governance.events import RunStatus
from governance.reviews import approve, edit, reject
from runtime.application import Application
from tests.conftest import DatabaseUrls
from tests.fixtures.company import ADA, FINANCE, HR, SECURITY, open_reviews, person, steward_on, until
from tests.sandbox.running import Company

T = TypeVar("T")


async def test_two_reviews_in_the_other_order_and_twice(
    database_urls: DatabaseUrls, home: Path, company: Company
) -> None:
    """Either may come first; the second answer to the same question hears who was first; every system holds one record."""
    async with steward_on(database_urls, home) as steward, steward.working():
        run = await steward.start("onboarding", ADA, by=person(steward, HR))
        await until(steward, run.id, "review.asked", count=2)
        asked = await open_reviews(steward, run.id)
        badge, employee = asked["badge"].card.id, asked["employee"].card.id
        with pytest.raises(NotPermitted, match="four eyes"):
            await steward.decide(badge, approve(), by=person(steward, HR))
        with pytest.raises(NotPermitted, match="not put to Mary Jackson"):
            await steward.decide(badge, approve(), by=person(steward, FINANCE))
        await steward.decide(badge, approve(reason="seen"), by=person(steward, SECURITY))
        with pytest.raises(AlreadyDecided, match="Annie Easley"):
            await steward.decide(badge, reject(reason="no"), by=person(steward, SECURITY))
        await steward.decide(employee, approve(), by=person(steward, FINANCE))
        await until(steward, run.id, "run.ended")
        view = await steward.show(run.id)
        assert view.row.status is RunStatus.DONE or view.report
        assert {step.state for step in view.steps} == {"done"}
        assert all(
            effect["count"] == 1
            for system in company.ports
            if system != "control"
            for effect in company.effects(system)
        )
        assert (await steward.verify()).ok


async def test_a_late_answer_hears_that_the_question_was_withdrawn(database_urls: DatabaseUrls, home: Path) -> None:
    """A cancel withdraws what is asked; a late click says so."""
    async with steward_on(database_urls, home) as steward, steward.working():
        run = await steward.start("onboarding", ADA, by=person(steward, HR))
        await until(steward, run.id, "review.asked", count=2)
        asked = await open_reviews(steward, run.id)
        await steward.cancel(run.id, reason="the offer was declined", by=person(steward, HR))
        await until(steward, run.id, "run.ended")
        with pytest.raises(AlreadyDecided, match="withdrawn"):
            await steward.decide(asked["badge"].card.id, approve(), by=person(steward, SECURITY))
        view = await steward.show(run.id)
        assert "the offer was declined" in view.report
        assert {step.id for step in view.undos} >= {"undo:account", "undo:desk"}
        with pytest.raises(Refused, match="ended"):
            await steward.cancel(run.id, reason="again", by=person(steward, HR))


async def test_an_edit_is_checked_and_becomes_what_is_done(
    database_urls: DatabaseUrls, home: Path, company: Company
) -> None:
    """An edit that does not pass the check is refused with its findings; one that does is a new revision, and happens."""
    async with steward_on(database_urls, home) as steward, steward.working():
        run = await steward.start("onboarding", ADA, by=person(steward, HR))
        await until(steward, run.id, "review.asked", count=2)
        asked = await open_reviews(steward, run.id)
        card, mary = asked["employee"].card, person(steward, FINANCE)
        with pytest.raises(InvalidInput) as refused:
            await steward.decide(card.id, edit({**card.args, "annual_salary": "much"}, reason="more"), by=mary)
        assert any("annual_salary" in finding.place for finding in refused.value.findings)
        with pytest.raises(InvalidInput, match="reason"):
            await steward.decide(card.id, edit({**card.args, "annual_salary": 61_000}, reason=" "), by=mary)
        await steward.decide(card.id, edit({**card.args, "annual_salary": 61_000}, reason="as agreed"), by=mary)
        await steward.decide(asked["badge"].card.id, approve(), by=person(steward, SECURITY))
        await until(steward, run.id, "run.ended")
        view = await steward.show(run.id)
        assert view.revision == 2
        assert next(step for step in view.steps if step.id == "employee").args["annual_salary"] == 61_000
        found = company["payroll"].get("/employees", params={"email": "ada.lovelace@acme.example"}).json()
        assert "6100000" in str(found)


async def test_a_verdict_starts_its_step_while_an_unrelated_call_still_runs(
    database_urls: DatabaseUrls, home: Path, company: Company
) -> None:
    """A 5 s call to one system does not keep an approved step of another waiting: it starts within 500 ms."""
    company.order_fault(system="training", method="POST", path_prefix="/enrolments", kind="latency", seconds=5, times=1)
    async with steward_on(database_urls, home) as steward, steward.working():
        run = await steward.start("onboarding", ADA, by=person(steward, HR))
        await until(steward, run.id, "review.asked", count=2)
        badge = (await open_reviews(steward, run.id))["badge"].card.id
        decided = asyncio.create_task(until(steward, run.id, "step.intended", count=6))
        began = monotonic()
        await steward.decide(badge, approve(), by=person(steward, SECURITY))
        async for entry in steward.events(run.id):
            if entry.cause == "step:badge:0:intended":
                break
        took = monotonic() - began
        decided.cancel()
        view = await steward.show(run.id)
        assert any(step.state == "running" and step.system == "training" for step in view.steps)
        assert took < 0.5


async def test_bad_requests_are_named_all_at_once(database_urls: DatabaseUrls, home: Path) -> None:
    """Every problem by field; an unknown playbook with the nearest name; nothing is started."""
    async with steward_on(database_urls, home) as steward:
        hr = person(steward, HR)
        with pytest.raises(InvalidRequest) as invalid:
            await steward.start("onboarding", {**ADA, "start_date": "soon", "department": "Magic", "colour": 1}, by=hr)
        assert {f.place for f in invalid.value.findings} >= {
            "request.start_date",
            "request.department",
            "request.colour",
        }
        with pytest.raises(NotFound) as unknown:
            await steward.start("onbording", ADA, by=hr)
        assert "onboarding" in unknown.value.hint
        with pytest.raises(NotPermitted):
            await steward.start("onboarding", ADA, by=person(steward, FINANCE))
        assert await steward.runs() == []


async def test_a_system_that_is_down_parks_the_run_and_a_resume_goes_on(
    database_urls: DatabaseUrls, home: Path, company: Company
) -> None:
    """Nothing is lost: what was done stays done, and after a resume only the rest happens."""
    company.order_fault(system="identity", method="POST", path_prefix="/users", kind="status", status=422, times=1)
    async with steward_on(database_urls, home) as steward, steward.working():
        run = await steward.start("onboarding", {**ADA, "work_mode": "remote"}, by=person(steward, HR))
        await until(steward, run.id, "run.parked")
        assert "account" in (await steward.show(run.id)).parked_because
        await steward.resume(run.id, reason="it is back", by=person(steward, HR))
        await until(steward, run.id, "review.asked", count=2)
        asked = await open_reviews(steward, run.id)
        await steward.decide(asked["employee"].card.id, approve(), by=person(steward, FINANCE))
        await until(steward, run.id, "run.ended")
        assert all(
            effect["count"] == 1
            for system in company.ports
            if system != "control"
            for effect in company.effects(system)
        )


async def test_dedupe_admits_once(database_urls: DatabaseUrls, home: Path) -> None:
    """The same key gives the same run."""
    async with steward_on(database_urls, home) as steward:
        hr = person(steward, HR)
        first = await steward.start("onboarding", ADA, by=hr, dedupe="ticket-1")
        again = await steward.start("onboarding", ADA, by=hr, dedupe="ticket-1")
        assert first.id == again.id
        assert len(await steward.runs()) == 1


@pytest.mark.parametrize("spared", ["nobody", "the worker's own session"])
async def test_losing_database_connections_loses_nothing(
    database_urls: DatabaseUrls, home: Path, company: Company, spared: str
) -> None:
    """Connections are cut again and again while the run goes on: it ends, and nothing is doubled.

    Where the worker's own session is spared it owns its runs still, and must hand back what it broke off.
    """
    cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'steward_app' AND datname = current_database()"
    if spared != "nobody":
        cut += " AND pid NOT IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory')"
    async with steward_on(database_urls, home) as steward, steward.working():
        run = await steward.start("onboarding", ADA, by=person(steward, HR))
        async with await psycopg.AsyncConnection.connect(database_urls.owner_url, autocommit=True) as owner:
            for _ in range(8):
                await owner.execute(cut)
                await _retried(lambda: _approve_what_is_asked(steward, run.id))
        async with asyncio.timeout(60):
            while not (await _retried(lambda: steward.show(run.id))).report:
                await _retried(lambda: _approve_what_is_asked(steward, run.id))
        assert (await steward.verify()).ok
        assert all(
            effect["count"] == 1
            for system in company.ports
            if system != "control"
            for effect in company.effects(system)
        )


async def _retried(work: Callable[[], Awaitable[T]]) -> T:
    """What a caller does whose connection was cut: the same again."""
    while True:
        try:
            return await work()
        except DatabaseUnavailable:
            continue


async def _approve_what_is_asked(steward: Application, run_id: str) -> None:
    for row in await steward.reviews(run=run_id):
        with contextlib.suppress(AlreadyDecided):
            await steward.decide(row.card.id, approve(), by=person(steward, row.card.approvers[0]))
