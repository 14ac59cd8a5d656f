"""Who answers the demo's questions: the person at the terminal, or the named reviewers of the demo."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from rich.text import Text

from governance.reviews import ReviewKind, Verdict, approve, reject, respond
from governance.runs import ReviewRow
from surfaces.cli.asking import Terminal
from surfaces.cli.review_page import review_card, verdict_line
from surfaces.cli.screen import Screen, rule
from surfaces.cli.timeline import Namer

if TYPE_CHECKING:
    from runtime.application import Application

Outcome = Literal["happened", "did_not_happen"]


@dataclass(frozen=True)
class Voices:
    """Answers reviews. ``terminal`` None: nobody is there, and the demo's reviewers approve by themselves."""

    screen: Screen
    steward: Application
    name: Namer
    terminal: Terminal | None

    async def answer(self, review: ReviewRow) -> None:
        """Put a question and give the answer, as its first approver."""
        person = self.steward.directory.find(review.card.approvers[0]) if review.card.approvers else None
        if person is None:
            return
        self.screen.show(
            rule(f"A question to {person.name}"),
            review_card(review, self.name, self.steward.clock.now(), answers=False),
            Text(),
        )
        verdict = await self._asked(review, person.name) if self.terminal else _by_itself(review)
        decided = await self.steward.decide(review.card.id, verdict, by=person)
        spoken = verdict_line(decided, self.name)
        if self.terminal is None:
            spoken.append(" (nobody is at the terminal, so the demo answers)", style="dim")
        self.screen.show(Text("✓ ", style="green").append_text(spoken), Text())

    async def _asked(self, review: ReviewRow, name: str) -> Verdict:
        assert self.terminal is not None  # noqa: S101 - see answer()
        if review.card.kind is ReviewKind.OUTCOME:
            said = await self.terminal.choose(f"You are {name}. Did it happen?", ["happened", "did-not-happen"])
            happened: Outcome = "happened" if said == "happened" else "did_not_happen"
            return respond(happened, reason=await self.terminal.ask("How do you know?"))
        if await self.terminal.choose(f"You are {name}. Your verdict?", ["approve", "reject"]) == "approve":
            return approve(reason=await self.terminal.ask("Why? (may be empty)"))
        reason = ""
        while not reason:
            reason = await self.terminal.ask("Why not? (the requester reads it)")
        return reject(reason=reason)


def _by_itself(review: ReviewRow) -> Verdict:
    if review.card.kind is ReviewKind.OUTCOME:
        return respond("happened", reason="the demo looked at the system")
    return approve(reason="as agreed with the requester")
