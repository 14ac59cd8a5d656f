"""Earned autonomy, whole: real runs on the sandbox company, scored, proposed, ratified, used, overridden."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from governance.autonomy import Direction, RuleStatus
from governance.decisions import DecisionKind
from governance.errors import InvalidInput, NotFound, NotPermitted, Refused
from governance.events import ReviewDecided
from governance.reviews import approve
from governance.scores import Score
from governance.scoring import Scored, scored
from memory.database import open_database
from memory.scores import Scores
from runtime.application import Application
from tests.conftest import DatabaseUrls
from tests.fixtures.company import ADA, FINANCE, HR, SECURITY, open_reviews, person, steward_on, until

GRACE, ALAN = "grace.hopper@acme.example", "alan.turing@acme.example"


async def _onboard(steward: Application, first_name: str) -> str:
    """A run as far as it goes without people."""
    row = await steward.start("onboarding", {**ADA, "first_name": first_name}, by=person(steward, HR))
    return row.id


async def _say_yes(steward: Application, run_id: str, *people: str) -> None:
    for row in (await open_reviews(steward, run_id)).values():
        (by,) = [each for each in people if each in row.card.approvers] or [""]
        if by:
            await steward.decide(row.card.id, approve(), by=person(steward, by))


async def _again(urls: DatabaseUrls, steward: Application, advice: Score, times: int) -> None:
    """The same decision as if it had been made so many times before: what forty onboardings would leave."""
    run = (await steward.store.journal.read(advice.run_id))[-1]
    copies = tuple(replace(advice, seq=10_000 + number) for number in range(times))
    async with open_database(urls.app_url) as database:
        await Scores(database).keep(advice.run_id, run.seq + 1, Scored(copies, settled=True))
    steward.autonomy.experience.forget()


async def test_from_answers_to_a_rule_and_back(database_urls: DatabaseUrls, home: Path) -> None:
    """Annie's yeses earn a rule that Grace ratifies; the next badge needs nobody, and taking it back ends the rule."""
    async with steward_on(database_urls, home) as steward, steward.working():
        first = await _onboard(steward, "Ada")
        await until(steward, first, "review.asked", count=2)
        await _say_yes(steward, first, FINANCE, SECURITY)
        await until(steward, first, "run.ended")
        assert await steward.autonomy.catch_up() == 1
        assert await steward.autonomy.catch_up() == 0, "what was read is not read again"
        assert await steward.autonomy.listed() == (), "once is no experience"
        made = scored(await steward.store.journal.read(first), {}).scores
        badge = next(s for s in made if s.kind is DecisionKind.ADVICE and s.tool == "security.issue_badge@1")
        await _again(database_urls, steward, badge, 60)
        await steward.autonomy.catch_up()
        (rule,) = await steward.autonomy.listed()
        assert (rule.direction, rule.tool, rule.answers) == (
            Direction.WIDER,
            "security.issue_badge@1",
            ("badge-needs-security",),
        )
        assert rule.evidence.runs == (first,)
        assert "61 of 61 times" in rule.because

        await _refuses_whom_it_should(steward, rule.id)
        today = steward.clock.now().date()
        ratified = await steward.autonomy.ratify(
            rule.id, until=today + timedelta(days=30), by=person(steward, GRACE), reason="a good year"
        )
        assert ratified.status is RuleStatus.RATIFIED

        second = await _onboard(steward, "Alan")
        await until(steward, second, "review.asked", count=2)
        await until(steward, second, "review.decided")
        view = await steward.show(second)
        answers = [body for entry in view.timeline if isinstance(body := entry.parsed(), ReviewDecided)]
        assert [(body.step, body.by) for body in answers] == [("badge", f"rule:{rule.name}")]
        assert set(await open_reviews(steward, second)) == {"employee"}, "what it does not name waits for people"

        await steward.cancel(second, reason="she declined", by=person(steward, HR))
        await until(steward, second, "run.ended")
        (ended,) = await steward.autonomy.listed(every=True)
        assert (ended.status, ended.why) == (RuleStatus.SUSPENDED, "a person had taken back what it let pass")
        third = await _onboard(steward, "Grace")
        await until(steward, third, "review.asked", count=2)
        assert "badge" in await open_reviews(steward, third)
        await steward.autonomy.catch_up()
        assert await steward.autonomy.listed() == (), "the counting begins anew"
        assert (await steward.verify()).ok


async def _refuses_whom_it_should(steward: Application, rule: str) -> None:
    today = steward.clock.now().date()
    month = today + timedelta(days=30)
    for by, why in ((SECURITY, "may not decide on autonomy"), (HR, "may not decide on autonomy")):
        with pytest.raises(NotPermitted, match=why):
            await steward.autonomy.ratify(rule, until=month, by=person(steward, by))
    annie = person(steward, SECURITY)
    trusted = annie.model_copy(update={"permissions": annie.permissions | {"autonomy:decide"}})
    with pytest.raises(NotPermitted, match="four eyes"):
        await steward.autonomy.ratify(rule, until=month, by=trusted)
    for wrong in (today - timedelta(days=1), today + timedelta(days=400)):
        with pytest.raises(InvalidInput, match="cannot be ratified"):
            await steward.autonomy.ratify(rule, until=wrong, by=person(steward, GRACE))
    with pytest.raises(Refused, match="is proposed"):
        await steward.autonomy.suspend(rule, reason="no", by=person(steward, ALAN))
    with pytest.raises(InvalidInput, match="reason"):
        await steward.autonomy.reject(rule, reason=" ", by=person(steward, ALAN))
    with pytest.raises(NotFound):
        await steward.autonomy.reject("zz", reason="no", by=person(steward, ALAN))


async def test_calibration_counts_what_was_decided(database_urls: DatabaseUrls, home: Path) -> None:
    """One run: a plan that ran through, two advices; too few to correct anything. Scores name nobody and no salary."""
    async with steward_on(database_urls, home) as steward, steward.working():
        assert await steward.autonomy.calibration() == ()
        run_id = await _onboard(steward, "Ada")
        await until(steward, run_id, "review.asked", count=2)
        await _say_yes(steward, run_id, FINANCE, SECURITY)
        await until(steward, run_id, "run.ended")
        await steward.autonomy.catch_up()
        found = {figures.kind: figures for figures in await steward.autonomy.calibration()}
        assert {kind: figures.stated.n for kind, figures in found.items()} == {"plan": 1, "advice": 2}
        assert all(figures.corrected is None for figures in found.values())
        async with open_database(database_urls.app_url) as database:
            rows = await database.fetch(b"SELECT * FROM decision_score")
        told = " ".join(str(value) for row in rows for value in row.values())
        employee = next(step for step in (await steward.show(run_id)).steps if step.id == "employee")
        salary = str(employee.args["annual_salary"])
        for secret in ("Ada", "Lovelace", "@", salary):
            assert secret not in told.replace("@1", "")
        assert 50000 in {row["magnitude"] for row in rows}
        await steward.erase(run_id, reason="she asked", by=person(steward, HR))
        assert await steward.autonomy.catch_up() == 0
        assert [f.stated.n for f in await steward.autonomy.calibration()] == [1, 2], "no person is in them"
