"""Reviews as rows. They are opened and closed with the journal (``AskReview``, ``CloseReview``), and decided here."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import psycopg
from psycopg.rows import DictRow

from governance.errors import AlreadyDecided, InvalidInput, NotFound
from governance.escalation import Escalation, first_standing
from governance.reviews import Choice, ReviewCard, ReviewKind, ReviewStatus, Verdict
from governance.runs import ReviewRow
from memory.batching import Together
from memory.database import Database
from memory.ids import demand_length, new_id, run_uuid
from memory.statements import statements

_ERASED = "(erased)"
_WHOLE = re.compile(r"[0-9a-f]{12}")
_DONE = {
    Choice.APPROVE: "approved",
    Choice.EDIT: "edited",
    Choice.REJECT: "rejected",
    Choice.RESPOND: "answered",
}


class Reviews:
    """All reviews. Who may decide is not asked here: the application has done that."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = statements("reviews")
        self._exact = Together(self._named, name="reviews")
        self._answer = Together(self._decide_all, name="verdicts")

    async def decide(self, review_id: str, verdict: Verdict, *, by: str, at: datetime) -> ReviewRow:
        """Answer an open review: the row, the verdict in the run's inbox and the wake, in one transaction.

        The inbox row's body is ``{review_id, by, verdict, at}``. Of any number of answers exactly one counts. Those that
        come together share the transaction.

        Raises:
            AlreadyDecided: decided, expired or withdrawn before; the sentence says by whom or why, and when.
            NotFound: there is no such review.

        """
        told = verdict.model_dump(mode="json")
        values = {
            "id": review_id,
            "verdict": json.dumps(told),
            "by": by,
            "at": at,
            "inbox_id": new_id(),
            "body": json.dumps({"review_id": review_id, "by": by, "verdict": told, "at": at.isoformat()}),
        }
        decided = await self._answer.ask(values)
        if isinstance(decided, InvalidInput):
            raise decided
        if decided is not None:
            return _review(decided)
        rows = await self._fetch("get", {"id": review_id})
        raise _too_late(rows[0]) if rows else _no_review(review_id)

    async def _decide_all(self, answers: Sequence[Mapping[str, object]]) -> list[DictRow | InvalidInput | None]:
        try:
            rows = await self._fetch("decide", {name: [answer[name] for answer in answers] for name in answers[0]})
        except InvalidInput as error:
            if len(answers) > 1:  # because of what stands in one of them
                return [(await self._decide_all([one]))[0] for one in answers]
            return [error]
        decided = {row["number"]: row for row in rows}
        return [decided.get(number) for number in range(1, len(answers) + 1)]

    async def get(self, review_id: str) -> ReviewRow:
        """The review. Raises NotFound."""
        rows = await self._fetch("get", {"id": review_id})
        if not rows:
            raise _no_review(review_id)
        return _review(rows[0])

    async def find_prefix(self, text: str) -> ReviewRow:
        """The one review whose id begins with ``text``, with or without its ``rv-``.

        Raises:
            NotFound: there is none, there are several, or ``text`` has less than 4 digits.

        """
        digits = text.strip().lower().removeprefix("rv-")
        demand_length(digits, text)
        if _WHOLE.fullmatch(digits) and (row := await self._exact.ask(f"rv-{digits}")):
            return _review(row)
        rows = await self._fetch("beginning_with", {"text": f"rv-{digits}"})
        if len(rows) > 1:
            raise NotFound(f"More than one review begins with {text!r}.", hint="Give more of the id.")
        if not rows:
            raise _no_review(text)
        return _review(rows[0])

    async def _named(self, asked: Sequence[str]) -> list[DictRow | None]:
        rows = {row["id"]: row for row in await self._fetch("named", {"ids": list(asked)})}
        return [rows.get(review_id) for review_id in asked]

    async def _fetch(self, statement: str, values: Mapping[str, object]) -> list[DictRow]:
        try:
            return await self._database.fetch(self._sql[statement], values)
        except (psycopg.DataError, UnicodeError) as error:
            raise InvalidInput("There is a character that cannot be kept.", hint="Write it again.") from error

    async def list(
        self, *, run_id: str | None = None, approver: str | None = None, open_only: bool = True, limit: int = 500
    ) -> list[ReviewRow]:
        """Reviews, the oldest question first: of a run, of those whom ``approver`` may answer, or all."""
        values = {
            "run": run_uuid(run_id) if run_id else None,
            "approver": approver,
            "open_only": open_only,
            "limit": limit,
        }
        return [_review(row) for row in await self._fetch("list", values)]


def _no_review(text: str) -> NotFound:
    return NotFound(f"There is no review {text!r}.", hint="`steward reviews` lists the open ones.")


def _too_late(row: DictRow) -> AlreadyDecided:
    match ReviewStatus(row["status"]):
        case ReviewStatus.DECIDED:
            choice = Verdict.model_validate_json(row["verdict"]).choice
            sentence = f"This was already {_DONE[choice]} by {row['decided_by']} {_when(row['decided_at'])}."
        case ReviewStatus.EXPIRED:
            sentence = f"This question expired {_when(row['closed_at'])}{_why(row)}."
        case ReviewStatus.WITHDRAWN:
            sentence = f"This question was withdrawn {_when(row['closed_at'])}{_why(row)}."
        case ReviewStatus.OPEN:
            sentence = f"The run ended {_when(row['ended_at'])}, so this question needs no answer any more."
    return AlreadyDecided(sentence, hint=f"`steward show {row['run_id']}` tells what happened.")


def _when(moment: datetime) -> str:
    return f"at {moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _why(row: DictRow) -> str:
    return f": {row['closed_why'].rstrip('.')}" if row["closed_why"] else ""


def _review(row: DictRow) -> ReviewRow:
    card = ReviewCard.model_validate_json(row["card"]) if row["card"] is not None else _blank(row)
    told = row["escalation"]
    escalation = first_standing(card) if told is None else Escalation.model_validate_json(told)
    return ReviewRow(
        card=card.model_copy(update={"approvers": tuple(row["approvers"]), "due_at": escalation.due_at}),
        status=ReviewStatus(row["status"]),
        verdict=Verdict.model_validate_json(row["verdict"]) if row["verdict"] is not None else None,
        decided_by=row["decided_by"],
        decided_at=row["decided_at"],
        closed_why=row["closed_why"],
        escalation=escalation,
    )


def _blank(row: DictRow) -> ReviewCard:
    """What is left of a card after erasure."""
    return ReviewCard(
        id=row["id"],
        run_id=str(row["run_id"]),
        kind=ReviewKind(row["kind"]),
        title=_ERASED,
        question=_ERASED,
        triggered_by=_ERASED,
        approvers=(),
        requester=_ERASED,
        asked_at=row["asked_at"],
    )
