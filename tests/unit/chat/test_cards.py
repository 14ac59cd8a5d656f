"""What a review's card shows to whom."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

import pytest

from governance.escalation import standing_at
from governance.people import Directory, Person
from governance.reviews import Choice, ReviewCard, ReviewKind, ReviewStatus, reject
from governance.runs import ReviewRow
from playbooks.company import load_company
from surfaces.chat.cards import Cards
from surfaces.chat.wording import plain
from tests.fakes import FIRST_MOMENT

KATHERINE, ANNIE, MARY = ("katherine.johnson@acme.example", "annie.easley@acme.example", "mary.jackson@acme.example")
SCHEMA = {"properties": {"site": {"type": "string"}, "level": {"enum": ["staff"]}}, "required": ["site"]}


@pytest.fixture(scope="module")
def directory() -> Directory:
    """The demo people."""
    return load_company(None).directory


def person(directory: Directory, who: str) -> Person:
    """Somebody of them."""
    found = directory.find(who)
    assert found
    return found


@pytest.fixture
def row() -> ReviewRow:
    """A question for Annie, asked by Katherine's run."""
    card = ReviewCard(
        id="rv-000000000001",
        run_id="run",
        step="badge",
        title="Onboard Ada Lovelace",
        tool="security.issue_badge@1",
        args={"level": "staff", "site": "Berlin"},
        question="May Steward do this: Issue a badge.",
        triggered_by="a rule",
        approvers=(ANNIE,),
        requester=KATHERINE,
        asked_at=FIRST_MOMENT,
    )
    return ReviewRow(card, ReviewStatus.OPEN)


def test_a_parked_run_can_be_resumed_taken_back_or_closed(directory: Directory, row: ReviewRow) -> None:
    """As buttons, in this order; where taking back is stuck already, without the second."""
    parked = {"kind": ReviewKind.PARKED, "allowed": (Choice.RESPOND,), "tool": "", "args": {"undo": []}}
    card = row.card.model_copy(update=parked)
    stuck = card.model_copy(update={"args": {"undo": [], "undoing": True}})
    annie, cards = person(directory, ANNIE), Cards(directory, lambda _: SCHEMA)
    assert cards.review(ReviewRow(card, ReviewStatus.OPEN), annie)["responses"] == ["resume", "undo", "close"]
    assert cards.review(ReviewRow(stuck, ReviewStatus.OPEN), annie)["responses"] == ["resume", "close"]


def test_only_who_may_decide_gets_a_form(directory: Directory, row: ReviewRow) -> None:
    """The others read why not, and for whom it waits."""
    cards = Cards(directory, lambda _: SCHEMA)
    shown = {who: cards.review(row, person(directory, who)) for who in (KATHERINE, ANNIE, MARY)}
    assert {who: (props["may"], props["form"] is not None) for who, props in shown.items()} == {
        KATHERINE: (False, False),
        ANNIE: (True, True),
        MARY: (False, False),
    }
    assert shown[KATHERINE]["why_not"] == (
        "You asked for this run, so somebody else decides: four eyes. It waits for Annie Easley."
    )
    assert shown[ANNIE]["question"] == "May Steward do this: Issue a badge?"
    assert [arg["value"] for arg in shown[ANNIE]["args"]] == ["Berlin", "staff"]


def test_an_open_card_says_what_silence_has_come_to(directory: Directory, row: ReviewRow) -> None:
    """Level, reminder, and what comes next without an answer; moments and no ages, so that time alone redraws nothing."""
    due = FIRST_MOMENT + timedelta(hours=10)
    standing = standing_at(2, FIRST_MOMENT, due, ends=True).reminded(FIRST_MOMENT, 1, None).warned(FIRST_MOMENT)
    pressed = dataclasses.replace(row, escalation=standing)
    props = Cards(directory, lambda _: SCHEMA).review(pressed, person(directory, ANNIE))
    assert [mark["word"] for mark in props["pressing"]] == [
        "Escalated to level 2",
        "Reminded",
        "At risk: without an answer it is refused",
    ]
    assert props["pressing"][-1]["at"] == due.isoformat()
    closed = dataclasses.replace(pressed, status=ReviewStatus.EXPIRED)
    assert Cards(directory, lambda _: SCHEMA).review(closed, person(directory, ANNIE))["pressing"] == []


def test_a_decided_card_says_by_whom_when_and_why(directory: Directory, row: ReviewRow) -> None:
    """And offers nothing any more."""
    verdict = reject(reason="Not needed: she has one")
    decided = dataclasses.replace(
        row, status=ReviewStatus.DECIDED, verdict=verdict, decided_by=ANNIE, decided_at=FIRST_MOMENT
    )
    props = Cards(directory, lambda _: SCHEMA).review(decided, person(directory, ANNIE))
    assert (props["may"], props["form"], props["standing"]) == (False, None, "rejected")
    assert props["outcome"] == {
        "choice": "reject",
        "word": "Rejected",
        "by": "Annie Easley",
        "at": FIRST_MOMENT.isoformat(),
        "reason": "Not needed: she has one",
    }


def test_somebodys_words_do_not_format_our_messages() -> None:
    """No link, no image, no markup from a name or a reason."""
    assert plain("![x](http://evil.example) <b>*Ada*</b>") == (r"\!\[x\]\(http://evil.example\) \<b\>\*Ada\*\</b\>")
