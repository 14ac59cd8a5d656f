"""Recall: past answers to the same tool, the most alike first; what was erased is not among them, what was just said is."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta

from governance.cases import Case
from governance.events import RunEnded, RunStatus
from governance.reviews import Choice, approve, reject
from governance.runs import AskReview, Rest
from memory.database import Database
from memory.erasure import erase
from memory.ids import new_id
from memory.journal import Journal
from memory.recall import Recall
from memory.reviews import Reviews
from memory.runs import Runs
from tests.fakes import FIRST_MOMENT
from tests.fixtures.journals import ClaimedRun, card, claimed

GRACE = "grace.hopper@acme.example"
TOOL, PLAYBOOK = "identity.create_account@1", "onboarding@1"


async def decided(runs: Runs, journal: Journal, reviews: Reviews, number: int, **args: str) -> ClaimedRun:
    """A run whose question about these arguments was answered: every third with no. Later numbers are newer."""
    run = await claimed(runs)
    question = card(run.row.id, review_id=f"rv-{number:012x}").model_copy(update={"args": args})
    await journal.append(run.claim, [run.next()], [AskReview(question)])
    verdict = approve(reason=f"number {number}") if number % 3 else reject(reason="not wanted")
    await reviews.decide(question.id, verdict, by=GRACE, at=FIRST_MOMENT + timedelta(minutes=number))
    return run


async def like(recall: Recall, *words: str, besides: str = "", limit: int = 20) -> Sequence[Case]:
    """What is recalled."""
    return await recall.like(tool=TOOL, playbook=PLAYBOOK, words=words, besides=besides or new_id(), limit=limit)


async def test_the_most_alike_come_first_then_the_newest(
    database: Database, runs: Runs, journal: Journal, reviews: Reviews
) -> None:
    """By the words of the arguments, whatever their case; the run that asks is not its own past."""
    first = await decided(runs, journal, reviews, 1, name="Ada Lovelace", team="Research")
    second = await decided(runs, journal, reviews, 2, name="Joan Clarke", team="Research")
    third = await decided(runs, journal, reviews, 3, name="Ada Byron", team="Finance")
    recall = Recall(database)
    assert [case.run_id for case in await like(recall, "ADA", "research")] == [
        run.row.id for run in (first, third, second)
    ]
    assert [case.run_id for case in await like(recall, "nothing alike", limit=2)] == [third.row.id, second.row.id]
    (found,) = await like(recall, "Clarke", besides=first.row.id, limit=1)
    assert (found.choice, found.by, found.reason) == (Choice.APPROVE, GRACE, "number 2")
    assert found.args == {"name": "Joan Clarke", "team": "Research"}
    assert first.row.id not in {case.run_id for case in await like(recall, "Ada", besides=first.row.id)}


async def test_another_tool_or_playbook_is_another_matter(
    database: Database, runs: Runs, journal: Journal, reviews: Reviews
) -> None:
    """Nothing is recalled of those."""
    await decided(runs, journal, reviews, 1, name="Ada Lovelace")
    recall = Recall(database)
    assert await recall.like(tool=TOOL, playbook="offboarding@1", words=["Ada"], besides=new_id()) == []
    assert await recall.like(tool="mail.send@1", playbook=PLAYBOOK, words=["Ada"], besides=new_id()) == []


async def test_what_was_said_a_moment_ago_counts_and_what_was_erased_does_not(
    database: Database, runs: Runs, journal: Journal, reviews: Reviews
) -> None:
    """Though what was read once is not read again."""
    old = await decided(runs, journal, reviews, 1, name="Ada Lovelace")
    recall = Recall(database)
    assert len(await like(recall, "Ada")) == 1
    new = await decided(runs, journal, reviews, 2, name="Ada Byron")
    assert [case.run_id for case in await like(recall, "Ada")] == [new.row.id, old.row.id]
    await journal.append(old.claim, [old.next(RunEnded(status="done"))])
    await runs.finish(old.claim, Rest(RunStatus.DONE))
    await erase(database, old.row.id)
    assert [case.run_id for case in await like(recall, "Ada")] == [new.row.id]


async def test_a_question_that_was_asked_again_has_its_last_answer(
    database: Database, runs: Runs, journal: Journal, reviews: Reviews
) -> None:
    """Its row is the same, and what was kept of it is not."""
    run = await decided(runs, journal, reviews, 1, name="Ada Lovelace")
    recall = Recall(database)
    assert [case.choice for case in await like(recall, "Ada")] == [Choice.APPROVE]
    again = card(run.row.id, review_id=f"rv-{1:012x}").model_copy(update={"args": {"name": "Ada Lovelace"}})
    await journal.append(run.claim, [run.next()], [AskReview(again)])
    assert await like(recall, "Ada") == []
    at = FIRST_MOMENT + timedelta(hours=1)
    await reviews.decide(again.id, reject(reason="not any more"), by=GRACE, at=at)
    assert [case.choice for case in await like(recall, "Ada")] == [Choice.REJECT]


async def test_those_who_ask_at_once_share_a_look(
    database: Database, runs: Runs, journal: Journal, reviews: Reviews
) -> None:
    """Each with its own words."""
    ada = await decided(runs, journal, reviews, 1, name="Ada Lovelace")
    joan = await decided(runs, journal, reviews, 2, name="Joan Clarke")
    recall = Recall(database)
    found = await asyncio.gather(like(recall, "Ada", limit=1), like(recall, "Joan", limit=1), like(recall, "Ada"))
    assert [[case.run_id for case in cases] for cases in found] == [
        [ada.row.id],
        [joan.row.id],
        [ada.row.id, joan.row.id],
    ]
