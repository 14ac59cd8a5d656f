"""Deciding: one answer counts, it is in the run's inbox, and whoever is late hears what happened."""

from __future__ import annotations

import asyncio

import pytest

from governance.errors import AlreadyDecided, InvalidInput, NotFound
from governance.events import RunStatus
from governance.reviews import ReviewCard, ReviewStatus, approve, edit, reject
from governance.runs import AskReview, CloseReview, InputKind, Rest
from memory.inbox import Inbox
from memory.journal import Journal
from memory.reviews import Reviews
from memory.runs import Runs
from tests.fakes import FIRST_MOMENT
from tests.fixtures.journals import LEASE, ClaimedRun, card, claimed

GRACE = "grace.hopper@acme.example"
ALAN = "alan.turing@acme.example"


async def asked(runs: Runs, journal: Journal) -> tuple[ClaimedRun, ReviewCard]:
    """A run that waits for one review."""
    run = await claimed(runs)
    question = card(run.row.id)
    await journal.append(run.claim, [run.next()], [AskReview(question)])
    await runs.finish(run.claim, Rest(RunStatus.WAITING))
    return run, question


async def test_a_verdict_is_in_the_row_and_the_inbox_and_wakes_the_run(
    runs: Runs, journal: Journal, reviews: Reviews, inbox: Inbox
) -> None:
    """At once."""
    run, question = await asked(runs, journal)
    verdict = edit({"email": "ada@acme.example"}, reason="shorter \x00 is better")
    row = await reviews.decide(question.id, verdict, by=GRACE, at=FIRST_MOMENT)
    assert row == await reviews.get(question.id)
    assert (row.status, row.verdict, row.decided_by, row.decided_at) == (
        ReviewStatus.DECIDED,
        verdict,
        GRACE,
        FIRST_MOMENT,
    )
    (left,) = await inbox.open(run.row.id)
    assert left.kind is InputKind.VERDICT
    assert left.body == {
        "review_id": question.id,
        "by": GRACE,
        "verdict": verdict.model_dump(mode="json"),
        "at": FIRST_MOMENT.isoformat(),
    }
    assert [claim.run_id for claim in await runs.claim(1, 1, LEASE)] == [run.row.id]


async def test_of_a_hundred_answers_at_once_exactly_one_counts(
    runs: Runs, journal: Journal, reviews: Reviews, inbox: Inbox
) -> None:
    """The others hear who was first."""
    run, question = await asked(runs, journal)
    people = [f"person{n}@acme.example" for n in range(100)]
    results = await asyncio.gather(
        *(reviews.decide(question.id, approve(), by=person, at=FIRST_MOMENT) for person in people),
        return_exceptions=True,
    )
    late = [result for result in results if isinstance(result, AlreadyDecided)]
    assert len(late) == 99
    winner = (await reviews.get(question.id)).decided_by
    assert {str(error) for error in late} == {f"This was already approved by {winner} at 2027-01-04 09:00 UTC."}
    assert [row.body["by"] for row in await inbox.open(run.row.id)] == [winner]


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (ReviewStatus.EXPIRED, "This question expired at 2027-01-04 09:00 UTC: nobody answered."),
        (ReviewStatus.WITHDRAWN, "This question was withdrawn at 2027-01-04 09:00 UTC: nobody answered."),
    ],
)
async def test_whoever_answers_a_closed_question_hears_why(
    status: ReviewStatus, sentence: str, runs: Runs, journal: Journal, reviews: Reviews, inbox: Inbox
) -> None:
    """Each end has its own sentence, and nothing is left for the run."""
    run = await claimed(runs)
    question = card(run.row.id)
    await journal.append(run.claim, [run.next()], [AskReview(question)])
    await journal.append(run.claim, [run.next()], [CloseReview(question.id, status, "nobody answered")])
    with pytest.raises(AlreadyDecided) as caught:
        await reviews.decide(question.id, reject(reason="no"), by=GRACE, at=FIRST_MOMENT)
    assert str(caught.value) == sentence
    assert await inbox.open(run.row.id) == []


async def test_a_question_of_an_ended_run_needs_no_answer(runs: Runs, journal: Journal, reviews: Reviews) -> None:
    """Even if nobody closed it."""
    run = await claimed(runs)
    question = card(run.row.id)
    await journal.append(run.claim, [run.next()], [AskReview(question)])
    await runs.finish(run.claim, Rest(RunStatus.CANCELLED))
    with pytest.raises(AlreadyDecided, match="The run ended at 2027-01-04 09:00 UTC"):
        await reviews.decide(question.id, approve(), by=GRACE, at=FIRST_MOMENT)


async def test_reviews_are_found(runs: Runs, journal: Journal, reviews: Reviews) -> None:
    """By id, by its beginning, by run, by who may answer, open or all."""
    run = await claimed(runs)
    first = card(run.row.id, review_id="rv-aaaa11")
    second = card(run.row.id, review_id="rv-aaaa22", approver=ALAN)
    await journal.append(run.claim, [run.next()], [AskReview(first), AskReview(second)])
    assert (await reviews.find_prefix("rv-aaaa1")).card == first
    assert (await reviews.find_prefix(" AAAA2")).card == second
    with pytest.raises(NotFound, match="More than one"):
        await reviews.find_prefix("aaaa")
    for little in ("", " ", "rv-", "aaa", "RV-aaa", "%"):
        with pytest.raises(NotFound, match="too little") as caught:
            await reviews.find_prefix(little)
        assert caught.value.hint == "Give at least 4 of its characters."
    for nonsense in ("zzzz", "%%%%", "rv-%%%%", "____"):
        with pytest.raises(NotFound, match="no review"):
            await reviews.find_prefix(nonsense)
    with pytest.raises(NotFound):
        await reviews.decide("rv-none", approve(), by=GRACE, at=FIRST_MOMENT)
    with pytest.raises(NotFound):
        await reviews.get("rv-none")
    with pytest.raises(InvalidInput):
        await reviews.get("rv-\x00")
    assert [row.card.id for row in await reviews.list()] == ["rv-aaaa11", "rv-aaaa22"]
    assert [row.card.id for row in await reviews.list(approver=ALAN)] == ["rv-aaaa22"]
    await reviews.decide("rv-aaaa11", approve(), by=GRACE, at=FIRST_MOMENT)
    assert [row.card.id for row in await reviews.list(run_id=run.row.id)] == ["rv-aaaa22"]
    assert len(await reviews.list(run_id=run.row.id, open_only=False)) == 2
