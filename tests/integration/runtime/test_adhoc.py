"""Requests outside of every playbook, on the real sandbox: from words to a plan that a person saw whole, to what it did."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from agents.ports import NotUnderstood, Understood
from governance.errors import InvalidRequest, NotPermitted, Refused
from governance.events import RunEnded
from governance.people import Person
from governance.reviews import ReviewKind, approve, reject
from governance.runs import ReviewRow, RunRow
from runtime.application import Application
from tests.conftest import DatabaseUrls
from tests.fixtures.company import HR, SECURITY, open_reviews, person, steward_on, until
from tests.sandbox.running import Company

GRACE, ALAN = "grace.hopper@acme.example", "alan.turing@acme.example"
DESK = "Give Mary Jackson a desk in Berlin from 1 March 2027"
BADGE_READ: dict[str, Any] = {
    "wish": "read a badge",
    "goals": [{"id": "badge", "provides": "security.get_badge", "reason": "asked"}],
}


async def _understood(steward: Application, text: str, by: Person) -> Understood:
    found = await steward.understand(text, by=by)
    assert isinstance(found, Understood), found.question
    return found


async def _started(steward: Application, text: str, by: Person) -> RunRow:
    found = await _understood(steward, text, by)
    return await steward.start(found.playbook, found.request, by=by, source="chat", understanding=found.decision)


async def _plan_review(steward: Application, run: RunRow) -> ReviewRow:
    await until(steward, run.id, "review.asked")
    (row,) = await steward.reviews(run=run.id)
    assert row.card.kind is ReviewKind.PLAN
    return row


async def _end(steward: Application, run: RunRow) -> str:
    """How the run ended, as its journal says."""
    *_, last = [entry async for entry in steward.events(run.id, follow=False)]
    body = last.parsed()
    assert isinstance(body, RunEnded)
    return body.status


async def test_a_wish_is_planned_reviewed_whole_and_done(
    database_urls: DatabaseUrls, home: Path, company: Company
) -> None:
    """Nothing happens before somebody else has seen every step; then exactly that happens."""
    async with steward_on(database_urls, home) as steward, steward.working():
        run = await _started(steward, "Enrol Grace Hopper in the code of conduct course", person(steward, HR))
        asked = await _plan_review(steward, run)
        assert company.effects("training") == []
        assert [line for line in asked.card.args["steps"] if "code-of-conduct" in line and GRACE in line]
        with pytest.raises(NotPermitted):
            await steward.decide(asked.card.id, approve(), by=person(steward, HR))
        await steward.decide(asked.card.id, approve(reason="she asked for it"), by=person(steward, GRACE))
        await until(steward, run.id, "run.ended")
        assert await _end(steward, run) == "done"
        assert [effect["count"] for effect in company.effects("training")] == [1]
        assert (await steward.verify()).ok


async def test_a_refused_plan_ends_the_run_with_nothing_done(
    database_urls: DatabaseUrls, home: Path, company: Company
) -> None:
    """A no to the whole plan is the end of it, and the reason is told."""
    async with steward_on(database_urls, home) as steward, steward.working():
        run = await _started(steward, "Enrol Grace in security-awareness", person(steward, HR))
        asked = await _plan_review(steward, run)
        await steward.decide(asked.card.id, reject(reason="she has done it"), by=person(steward, GRACE))
        await until(steward, run.id, "run.ended")
        assert await _end(steward, run) == "closed"
        assert "she has done it" in (await steward.show(run.id)).report
        assert company.effects("training") == []


async def test_what_only_reads_needs_nobody(database_urls: DatabaseUrls, home: Path) -> None:
    """A plan of reads is run at once."""
    async with steward_on(database_urls, home) as steward, steward.working():
        run = await _started(steward, "Look up Annie's badge", person(steward, HR))
        await until(steward, run.id, "run.ended")
        assert await _end(steward, run) == "done"
        assert await steward.reviews(run=run.id, open_only=False) == []


async def test_a_gated_step_asks_again_when_its_arguments_were_not_on_the_screen(
    database_urls: DatabaseUrls, home: Path
) -> None:
    """The badge's account is only found in the run: security is asked about the badge itself, after the plan."""
    async with steward_on(database_urls, home) as steward, steward.working():
        wish = "Issue a badge for Mary Jackson in Vilnius, starting 1 March 2027"
        run = await _started(steward, wish, person(steward, HR))
        asked = await _plan_review(steward, run)
        assert "badge" not in asked.card.args["actions"]
        await steward.decide(asked.card.id, approve(), by=person(steward, GRACE))
        await until(steward, run.id, "review.asked", count=2)
        row = (await open_reviews(steward, run.id))["badge"]
        assert row.card.approvers == (SECURITY,)


def _badge_with_all_arguments() -> dict[str, Any]:
    """A goal whose arguments are all given: they stand on the plan's screen."""
    args = {"account_id": "acc-000004", "display_name": "Mary Jackson", "site": "London", "start_date": "2027-03-01"}
    goal = {"id": "badge", "provides": "security.badge", "args": args, "reason": "she visits London"}
    return {"wish": "a badge for Mary in London", "goals": [goal]}


async def test_a_yes_to_the_plan_covers_a_gated_step_only_of_its_own_approver(
    database_urls: DatabaseUrls, home: Path
) -> None:
    """Its arguments stood on the screen, but who said yes to the plan may not decide on badges: security is asked."""
    async with steward_on(database_urls, home) as steward, steward.working():
        run = await steward.start("adhoc", _badge_with_all_arguments(), by=person(steward, HR))
        asked = await _plan_review(steward, run)
        assert set(asked.card.args["actions"]) == {"badge"}
        await steward.decide(asked.card.id, approve(), by=person(steward, GRACE))
        await until(steward, run.id, "review.asked", count=2)
        assert (await open_reviews(steward, run.id))["badge"].card.approvers == (SECURITY,)


async def test_a_yes_to_the_plan_is_a_yes_to_the_gated_step_that_stood_there_whole(
    database_urls: DatabaseUrls, home: Path, company: Company
) -> None:
    """Who may decide on badges saw this badge, with all its arguments, in the plan: it is not asked for twice."""
    (home / "policy.yaml").write_text(_POLICY, encoding="utf-8")
    async with steward_on(database_urls, home) as steward, steward.working():
        run = await steward.start("adhoc", _badge_with_all_arguments(), by=person(steward, HR))
        asked = await _plan_review(steward, run)
        await steward.decide(asked.card.id, approve(reason="seen"), by=person(steward, GRACE))
        await until(steward, run.id, "run.ended")
        assert len(await steward.reviews(run=run.id, open_only=False)) == 1
        intended = [entry async for entry in steward.events(run.id, follow=False) if entry.kind == "step.intended"]
        body = intended[0].parsed()
        assert body is not None
        assert asked.card.id in body.model_dump_json()
        assert [effect["count"] for effect in company.effects("security")] == [1]


_POLICY = """
rules:
  - {name: reads-go, then: go, when: {$eq: [{$ref: effect}, read]}, because: looking changes nothing}
  - {name: effects-need-the-manager, then: gate, when: {$ne: [{$ref: effect}, read]}, because: we look at all, approvers: [manager]}
"""


async def test_nobody_plans_with_tools_that_they_may_not_use(database_urls: DatabaseUrls, home: Path) -> None:
    """The catalog is narrowed to the requester's permissions, in words and in goals given outright."""
    async with steward_on(database_urls, home) as steward, steward.working():
        alan = person(steward, ALAN)
        unknown = await steward.understand(DESK, by=alan)
        assert isinstance(unknown, NotUnderstood)
        assert "do not know" in unknown.question
        with pytest.raises(NotPermitted, match="adhoc@1"):
            await steward.start("adhoc", BADGE_READ, by=person(steward, GRACE))
        goal = {"id": "desk", "provides": "facilities.desk", "reason": "asked"}
        run = await steward.start("adhoc", {"wish": DESK, "goals": [goal], "email": ALAN}, by=alan)
        await until(steward, run.id, "run.parked")
        assert "facilities.desk" in (await steward.show(run.id)).parked_because


@pytest.mark.parametrize("source", ["webhook:tickets", "mail", "run", "schedule"])
async def test_what_comes_by_itself_names_no_goals(database_urls: DatabaseUrls, home: Path, source: str) -> None:
    """An attacker's text is never planned freely: only doors behind which somebody is logged in admit such a request."""
    async with steward_on(database_urls, home) as steward:
        with pytest.raises(Refused, match="logged in") as refused:
            await steward.start("adhoc", BADGE_READ, by=person(steward, HR), source=source)
        assert refused.value.hint
        assert await steward.runs() == []


async def test_bad_goals_are_named(database_urls: DatabaseUrls, home: Path) -> None:
    """Goals are typed like every request; two of one name, or conditions that nobody may give, are refused."""
    async with steward_on(database_urls, home) as steward:
        goal = BADGE_READ["goals"][0]
        for goals in ([], [{"id": "x"}], [{**dict(goal), "when": {}}], [goal, goal], "badge"):
            with pytest.raises(InvalidRequest):
                await steward.start("adhoc", {"wish": "something", "goals": goals}, by=person(steward, HR))


async def test_a_wish_with_open_questions_is_completed_by_answers(database_urls: DatabaseUrls, home: Path) -> None:
    """What is missing is asked for, one after the other; nothing is taken from other records."""
    async with steward_on(database_urls, home) as steward:
        hr = person(steward, HR)
        draft = await _understood(steward, "Give Mary a desk", hr)
        assert set(draft.missing) == {"site", "start_date"}
        for answer in ("Berlin", "1 March 2027"):
            found = await steward.understand(answer, by=hr, draft=draft)
            assert isinstance(found, Understood)
            draft = found
        assert draft.ready
        assert (draft.request["site"], draft.request["start_date"]) == ("Berlin", "2027-03-01")
