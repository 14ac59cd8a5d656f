"""Questions and wishes in the chat: looked up with sources, or a run whose plan somebody else sees first."""

from __future__ import annotations

from pathlib import Path

from agents.ports import Understood
from runtime.application import Application
from surfaces.chat.cards import Cards
from surfaces.chat.talk import Answer, Heard, Talk
from tests.conftest import DatabaseUrls
from tests.fixtures.company import ADA, HR, person, steward_on, until


async def _say(steward: Application, text: str, *, number: int = 1, draft: Understood | None = None) -> Answer:
    talk = Talk(steward, Cards(steward.directory, lambda name: steward.tool(name).input))
    return await talk.answer(Heard(f"m{number}", text, person(steward, HR), draft))


async def test_a_question_is_answered_with_its_sources(database_urls: DatabaseUrls, home: Path) -> None:
    """The answer, and below it what was read; a question that reads like one about runs is tried there first."""
    async with steward_on(database_urls, home) as steward:
        (said,) = (await _say(steward, "Which desks are free in Berlin?")).replies
        assert "desks free 18" in said.text
        assert "facilities.list\\_sites@1" in said.text
        (said,) = (await _say(steward, "Where does Mary Jackson work?")).replies
        assert "Vilnius" in said.text
        (said,) = (await _say(steward, "What is the weather in Berlin?")).replies
        assert "I do not know" in said.text
        assert await steward.runs() == []


async def test_questions_about_runs_go_on_working(database_urls: DatabaseUrls, home: Path) -> None:
    """Status is about runs wherever a run is meant."""
    async with steward_on(database_urls, home) as steward:
        await steward.start("onboarding", ADA, by=person(steward, HR))
        for text in ("How is Ada Lovelace doing?", "where is the onboarding of Ada?", "status"):
            (said,) = (await _say(steward, text)).replies
            assert "Onboard Ada Lovelace" in said.text


async def test_a_wish_becomes_a_run_whose_plan_is_shown_whole(database_urls: DatabaseUrls, home: Path) -> None:
    """Nothing but a review comes of it at first, and its card has a row for each step."""
    async with steward_on(database_urls, home) as steward, steward.working():
        asked = await _say(steward, "Give Mary Jackson a desk in Berlin")
        assert asked.draft is not None
        assert "which day" in asked.replies[0].text
        said = await _say(steward, "1 March 2027", number=2, draft=asked.draft)
        run = said.replies[-1].run
        await until(steward, run, "review.asked")
        (row,) = await steward.reviews(run=run)
        cards = Cards(steward.directory, lambda name: steward.tool(name).input)
        shown = cards.review(row, person(steward, HR))
        assert [arg["label"] for arg in shown["args"]] == ["Step 1", "Step 2", "Step 3"]
        assert not shown["may"]
