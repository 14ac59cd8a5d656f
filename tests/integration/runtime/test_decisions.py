"""The decision record of real runs: every decision is there, tied to its entry, and people's overrides are marked."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from governance.decisions import DecisionKind
from governance.errors import NotFound
from governance.record import DecisionRecord, Wanted
from governance.reviews import approve, edit, reject, respond
from runtime.application import Application
from runtime.views import RunDecisions
from surfaces.cli.timeline import namer
from surfaces.http.decision_page import decision_html
from tests.conftest import DatabaseUrls
from tests.fixtures.company import ADA, FINANCE, HR, SECURITY, open_reviews, person, steward_on, until
from tests.sandbox.running import Company

GRACE = "grace.hopper@acme.example"


def of(decided: RunDecisions, kind: DecisionKind, step: str | None = None) -> list[DecisionRecord]:
    """The records of a kind, about a step if one is named."""
    return [each for each in decided.records if each.kind is kind and step in (None, each.step)]


async def edited_run(steward: Application) -> str:
    """An onboarding whose salary finance corrects against the advice, and whose badge is approved: to its end."""
    run = await steward.start("onboarding", ADA, by=person(steward, HR))
    await until(steward, run.id, "review.asked", count=2)
    asked = await open_reviews(steward, run.id)
    card = asked["employee"].card
    salary = edit({**card.args, "annual_salary": 61_000}, reason="as agreed with Grace")
    await steward.decide(card.id, salary, by=person(steward, FINANCE))
    await steward.decide(asked["badge"].card.id, approve(reason="seen"), by=person(steward, SECURITY))
    await until(steward, run.id, "run.ended")
    return run.id


async def test_every_decision_of_a_run_is_there_and_each_is_tied_to_its_entry(
    database_urls: DatabaseUrls, home: Path, company: Company
) -> None:
    """Triage, plan, a ruling for each step, advice, verdicts; seq, moment and hash are those of the journal."""
    async with steward_on(database_urls, home) as steward, steward.working():
        run = await edited_run(steward)
        decided = await steward.decisions(run)
        entries = {entry.seq: entry async for entry in steward.events(run, follow=False)}
        assert decided.verified.ok
        assert decided.head == entries[max(entries)].hash.hex()
        for record in decided.records:
            entry = entries[record.seq]
            assert (record.hash, record.at) == (entry.hash.hex(), entry.at)
            assert record.id.startswith(f"{run}/{record.seq}/")
            assert record.choice
            assert record.choice in (entry.body or "") or record.kind is DecisionKind.RULING
        assert len({record.id for record in decided.records}) == len(decided.records)
        assert len(of(decided, DecisionKind.TRIAGE)) == 1
        first, second = of(decided, DecisionKind.PLAN)
        steps = {each.step for each in first.planned}
        assert {ruling.step for ruling in of(decided, DecisionKind.RULING)} == steps
        assert {each.step for each in of(decided, DecisionKind.ADVICE)} == {"employee", "badge"}
        (verdict,) = of(decided, DecisionKind.VERDICT, "employee")
        assert verdict.ruling is not None
        assert verdict.ruling.kind == "gate"
        assert (second.decider, second.step, second.revision) == (f"person:{FINANCE}", "employee", 2)
        listed = [*decided.of_run, *(record for group in decided.by_step for record in group.records)]
        assert {each.id for each in listed} | {each.id for each in of(decided, DecisionKind.RULING)} == {
            each.id for each in decided.records
        }


async def test_an_edit_overrides_advice_gate_and_plan(
    database_urls: DatabaseUrls, home: Path, company: Company
) -> None:
    """Who, when, what instead and why; both ends name each other, and the approved step has no override."""
    async with steward_on(database_urls, home) as steward, steward.working():
        decided = await steward.decisions(await edited_run(steward))
        (verdict,) = of(decided, DecisionKind.VERDICT, "employee")
        planned, revised = of(decided, DecisionKind.PLAN)
        advice = of(decided, DecisionKind.ADVICE, "employee")[0]
        gate = of(decided, DecisionKind.RULING, "employee")[0]
        over = {each.id: each.overridden[0] for each in decided.overridden}
        # Advice that only asks for a look is answered, not overridden.
        assert set(over) == {planned.id, gate.id, *([] if advice.choice == "look" else [advice.id])}
        assert over[gate.id].record == verdict.id
        assert over[planned.id].record == revised.id
        assert {(each.by, each.choice, each.why) for each in over.values()} == {
            (FINANCE, "edit", "as agreed with Grace")
        }
        assert over[gate.id].at == verdict.at
        assert set(verdict.overrides) | set(revised.overrides) == set(over)
        assert of(decided, DecisionKind.VERDICT, "badge")[0].overrides == ()


async def test_a_no_against_the_advice_and_a_resume_against_the_no(
    database_urls: DatabaseUrls, home: Path, company: Company
) -> None:
    """The advisor says yes, security says no: an override. HR sends the parked run on: the no is overridden in turn."""
    async with steward_on(database_urls, home) as steward, steward.working():
        run = await steward.start("onboarding", ADA, by=person(steward, HR))
        await until(steward, run.id, "review.asked", count=2)
        asked = await open_reviews(steward, run.id)
        await steward.decide(asked["employee"].card.id, approve(), by=person(steward, FINANCE))
        await steward.decide(asked["badge"].card.id, reject(reason="no photo"), by=person(steward, SECURITY))
        await until(steward, run.id, "run.parked")
        parked = (await open_reviews(steward, run.id))[""]
        await steward.decide(parked.card.id, respond("resume", reason="the photo is there"), by=person(steward, HR))
        await until(steward, run.id, "review.asked", count=4)
        decided = await steward.decisions(run.id)
        (no,) = of(decided, DecisionKind.VERDICT, "badge")
        (sent_on,) = of(decided, DecisionKind.VERDICT, "")
        advice = of(decided, DecisionKind.ADVICE, "badge")[0]
        assert [each.record for each in no.overridden] == [sent_on.id]
        assert no.overridden[0].why == "the photo is there"
        assert [each.record for each in advice.overridden] == ([no.id] if advice.choice == "approve" else [])
        # The diagnosis left it to a person, and a resume that carries out a verdict is no decision of its own.
        assert [each.overridden for each in of(decided, DecisionKind.DIAGNOSIS, "badge")] == [()]
        assert of(decided, DecisionKind.INTERVENTION) == []


async def test_a_cancel_and_a_resume_unasked_are_decisions(
    database_urls: DatabaseUrls, home: Path, company: Company
) -> None:
    """Whoever steps in is in the record, with the reason."""
    company.order_fault(system="identity", method="POST", path_prefix="/users", kind="status", status=422, times=1)
    async with steward_on(database_urls, home) as steward, steward.working():
        run = await steward.start("onboarding", ADA, by=person(steward, HR))
        await until(steward, run.id, "run.parked")
        await steward.resume(run.id, reason="it is back", by=person(steward, HR))
        await until(steward, run.id, "review.asked", count=3)
        await steward.cancel(run.id, reason="the offer was declined", by=person(steward, HR))
        await until(steward, run.id, "run.ended")
        decided = await steward.decisions(run.id)
        assert [(each.choice, each.decider, each.reasoning) for each in of(decided, DecisionKind.INTERVENTION)] == [
            ("resume", f"person:{HR}", "it is back"),
            ("cancel", f"person:{HR}", "the offer was declined"),
        ]
        assert [each.choice for each in of(decided, DecisionKind.DIAGNOSIS, "account")] == ["ask"]


async def test_only_who_may_see_a_run_sees_its_decisions(
    database_urls: DatabaseUrls, home: Path, company: Company
) -> None:
    """Its requester, who was asked, and who manages runs; for anybody else it is not there."""
    async with steward_on(database_urls, home) as steward, steward.working():
        run = await edited_run(steward)
        manages = next(each for each in steward.directory.everyone() if each.may("runs:manage") and each.id != HR)
        for who in (HR, FINANCE, SECURITY, manages.id):
            assert (await steward.decisions(run, by=person(steward, who))).records
        for text in (run, run[:13]):
            with pytest.raises(NotFound, match="Grace Hopper may see"):
                await steward.decisions(text, by=person(steward, GRACE))


async def test_erasure_leaves_the_fact_of_a_decision_and_no_word_of_it(
    database_urls: DatabaseUrls, home: Path, company: Company
) -> None:
    """Record, page and export say that something was decided and when; no name, no reason, no value is left."""
    async with steward_on(database_urls, home) as steward:
        async with steward.working():
            run = await edited_run(steward)
        before = await steward.decisions(run)
        words = (
            "Lovelace",
            "lovelace",
            "61000",
            "agreed",
            "mary.",
            "annie.",
            "katherine.",
            "Mary",
            "Annie",
            "Katherine",
        )
        assert any(word in str([each.shape() for each in before.records]) for word in words)
        await steward.erase(run, reason="asked to", by=person(steward, HR))
        after = await steward.decisions(run)
        assert all(each.erased for each in after.records)
        assert after.verified.ok
        kinds = [DecisionKind.TRIAGE, DecisionKind.PLAN, DecisionKind.RULING]
        assert [each.kind for each in after.records][:3] == kinds
        assert {each.hash for each in after.records} <= {each.hash for each in before.records}
        lines = [line async for line in steward.export_decisions(Wanted())]
        assert len(lines) == len(after.records)
        page = decision_html(after, namer(steward.directory), steward.named)
        told = "\n".join([*lines, page, json.dumps([each.shape() for each in after.records])])
        assert [word for word in words if word in told] == []
