"""A thread as Chainlit wants it, drawn from remarks, runs and reviews. Pure, with ids that are the same every time."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import quote
from uuid import NAMESPACE_URL, uuid5

from governance.chats import Remark
from governance.people import Person
from governance.runs import ReviewRow
from runtime.views import RunView
from surfaces.chat.cards import Cards

STEWARD = "Steward"
_TASKS = {
    "planned": "ready",
    "waiting": "ready",
    "running": "running",
    "done": "done",
    "found": "done",
    "skipped": "done",
    "failed": "failed",
    "refused": "failed",
    "stopped": "failed",
    "unknown": "failed",
}

_ENDS = {
    "done": "All done.",
    "cancelled": "The run was cancelled.",
    "closed": "The run was closed.",
    "undone": "The run was taken back.",
}
_Item = dict[str, Any]


@dataclass(frozen=True)
class Rows:
    """What is drawn from: runs and reviews as they stand now, by id. What is missing is not drawn."""

    runs: Mapping[str, RunView] = field(default_factory=dict)
    reviews: Mapping[str, ReviewRow] = field(default_factory=dict)


@dataclass(frozen=True)
class Drawing:
    """Messages in the order of time, the cards below them, and the list of tasks of the last run, if any."""

    messages: dict[str, _Item] = field(default_factory=dict)
    cards: dict[str, _Item] = field(default_factory=dict)
    tasks: dict[str, Any] | None = None


def draw(thread: str, person: Person, remarks: Sequence[Remark], rows: Rows, cards: Cards) -> Drawing:
    """The thread as the person sees it now."""
    drawn = _Drawn(thread, person, rows, cards)
    for remark in remarks:
        drawn.remark(remark)
    messages = {item["id"]: item for item in sorted(drawn.messages, key=lambda item: item["createdAt"])}
    last = next((rows.runs[r.run] for r in reversed(remarks) if r.run in rows.runs), None)
    tasks = tasks_of(last) if last and last.steps else None
    return Drawing(messages, {item["id"]: item for item in drawn.cards}, tasks)


def tasks_of(view: RunView) -> dict[str, Any]:
    """The plan's steps as Chainlit's list of tasks."""
    tasks = [
        {"title": _task(step.id, step.state), "status": _TASKS[step.state], "forId": None} for step in view.all_steps
    ]
    return {"status": view.row.status.value, "tasks": tasks}


def task_element(thread: str, tasks: dict[str, Any]) -> _Item:
    """The list of tasks as an element. Its content is its address: nothing is fetched, and no file is written."""
    content = quote(json.dumps(tasks, ensure_ascii=False))
    return {
        "id": derived_id(thread, "tasks"),
        "threadId": thread,
        "type": "tasklist",
        "name": "tasklist",
        "display": "inline",
        "url": f"data:application/json;charset=utf-8,{content}",
        "chainlitKey": None,
        "forId": "",
    }


def derived_id(*parts: str) -> str:
    """An id that is the same whenever the same thing is drawn in the same place."""
    return str(uuid5(NAMESPACE_URL, "steward:" + "/".join(parts)))


class _Drawn:
    def __init__(self, thread: str, person: Person, rows: Rows, cards: Cards) -> None:
        self._thread = thread
        self._person = person
        self._rows = rows
        self._cards = cards
        self.messages: list[_Item] = []
        self.cards: list[_Item] = []

    def remark(self, remark: Remark) -> None:
        """The words, and below them what they bring along."""
        self._message(remark.id, remark.text, remark.at, by_person=bool(remark.said_by))
        if remark.card:
            self._card(remark.id, "card", remark.card["name"], remark.card["props"])
        for review in remark.reviews:
            self._review(remark.id, review)
        if remark.run in self._rows.runs:
            self._run(remark, self._rows.runs[remark.run])

    def _run(self, remark: Remark, view: RunView) -> None:
        self._card(remark.id, "run", "RunCard", self._cards.run(view))
        for row in view.reviews:
            anchor = derived_id(remark.id, row.card.id)
            self._message(anchor, "", max(row.card.asked_at, remark.at))
            self._card(anchor, row.card.id, "ReviewCard", self._cards.review(row, self._person))
        if view.row.ended_at is not None:
            said = _ENDS[view.row.status.value]
            self._message(derived_id(remark.id, "end"), said, max(view.row.ended_at, remark.at))

    def _review(self, anchor: str, review: str) -> None:
        if review in self._rows.reviews:
            props = self._cards.review(self._rows.reviews[review], self._person)
            self._card(anchor, review, "ReviewCard", props)

    def _message(self, message_id: str, text: str, at: datetime, *, by_person: bool = False) -> None:
        moment = at.isoformat()
        self.messages.append(
            {
                "id": message_id,
                "threadId": self._thread,
                "parentId": None,
                "type": "user_message" if by_person else "assistant_message",
                "name": self._person.name if by_person else STEWARD,
                "output": text,
                "input": "",
                "createdAt": moment,
                "start": moment,
                "end": moment,
                "streaming": False,
                "isError": False,
                "waitForAnswer": False,
                "metadata": {},
                "tags": None,
                "language": None,
                "showInput": False,
            }
        )

    def _card(self, anchor: str, what: str, name: str, props: dict[str, Any]) -> None:
        self.cards.append(
            {
                "id": derived_id(anchor, what),
                "threadId": self._thread,
                "forId": anchor,
                "type": "custom",
                "name": name,
                "display": "inline",
                "props": props,
                "url": None,
                "chainlitKey": None,
                "mime": "application/json",
            }
        )


def _task(step: str, state: str) -> str:
    return f"{step} (waits)" if state == "waiting" else f"{step} (skipped)" if state == "skipped" else step
