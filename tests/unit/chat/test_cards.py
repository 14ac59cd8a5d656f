"""What a review's card shows to whom."""

from __future__ import annotations

import dataclasses

import pytest

from governance.people import Directory, Person
from governance.reviews import ReviewCard, ReviewStatus, reject
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
