"""A plan's form in the chat: its fields are those of its schema, for whoever may answer."""

from __future__ import annotations

from typing import Any

from governance.forms import answer_findings
from governance.reviews import Choice, ReviewCard, ReviewKind, ReviewStatus
from governance.runs import ReviewRow
from playbooks.company import load_company
from surfaces.chat.cards import Cards
from surfaces.chat.forms import args_from
from surfaces.cli.review_page import ways
from tests.fakes import FIRST_MOMENT

MARY, ANNIE = "mary.jackson@acme.example", "annie.easley@acme.example"
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"note": {"type": "string"}, "amount": {"type": "integer", "minimum": 1}},
    "required": ["amount"],
}
ROW = ReviewRow(
    ReviewCard(
        id="rv-000000000002",
        run_id="run",
        kind=ReviewKind.FORM,
        step="size",
        title="Posters",
        tool="people.ask@1",
        args={"to": "finance", "question": "Which amount?", "schema": SCHEMA},
        question="Which amount?",
        triggered_by="the plan asks",
        approvers=(MARY,),
        requester=ANNIE,
        requester_may_decide=True,
        asked_at=FIRST_MOMENT,
        allowed=(Choice.RESPOND,),
    ),
    ReviewStatus.OPEN,
)


def test_a_form_has_its_fields_for_who_may_answer_it() -> None:
    """Mary gets the fields, and what she sends fits the schema; Annie reads for whom it waits."""
    directory = load_company(None).directory
    cards = Cards(directory, lambda _: {})
    mary, annie = directory.find(MARY), directory.find(ANNIE)
    assert mary is not None
    assert annie is not None
    shown = cards.review(ROW, mary)
    assert [(part["name"], part["kind"], part["required"]) for part in shown["form"]] == [
        ("note", "line", False),
        ("amount", "integer", True),
    ]
    assert (shown["responses"], shown["args"]) == ([], [])
    assert answer_findings(SCHEMA, args_from(SCHEMA, {"amount": "3", "note": ""})) == []
    assert answer_findings(SCHEMA, args_from(SCHEMA, {"amount": "0"}))[0].place == "amount"
    assert cards.review(ROW, annie)["form"] is None


def test_the_command_line_says_how_a_form_is_filled_in() -> None:
    """The required field first, the others as ones that may be left out."""
    assert ways(ROW.card) == [f"steward answer rv-000000000002 --set amount=… [--set note=…] --by {MARY}"]
