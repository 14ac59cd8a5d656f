"""What is said back: a wish and who has it in, words and what is drawn below them out. Nothing is drawn or kept here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from agents.ports import Ask, NotUnderstood, Understood, Wish
from governance.errors import NotFound
from governance.people import Person
from governance.reviews import Choice, approve, reject
from governance.runs import ReviewRow, RunRow
from runtime.application import Application
from surfaces.chat import drafts
from surfaces.chat.cards import Cards
from surfaces.chat.targets import reviews_meant, runs_meant
from surfaces.chat.telling import Telling
from surfaces.chat.wording import HELP, answer_lines, count, is_question, plain

BEGUN = "I plan it, have the plan checked, and begin. Everything below is live."


@dataclass(frozen=True)
class Heard:
    """A message, and where it was said. ``runs`` are the thread's, the last one last; ``shown`` its reviews."""

    id: str
    text: str
    by: Person
    draft: Understood | None = None
    runs: tuple[str, ...] = ()
    shown: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Reply:
    """Something to say. ``about`` are runs that it speaks of beside ``run``, which is drawn below it."""

    text: str
    run: str = ""
    reviews: tuple[str, ...] = ()
    card: Mapping[str, Any] = field(default_factory=dict)
    about: tuple[str, ...] = ()


@dataclass(frozen=True)
class Answer:
    """All that is said to a message, the draft as it stands then, and a better name for the thread, if any."""

    replies: tuple[Reply, ...]
    draft: Understood | None = None
    name: str = ""


class Talk:
    """Answers messages. Every method acts as the person who spoke, and raises StewardError with what to tell them."""

    def __init__(self, steward: Application, cards: Cards) -> None:
        self._steward = steward
        self._cards = cards
        self._telling = Telling(steward)
        self._answers: dict[Ask, Callable[[Heard, Wish], Awaitable[Reply]]] = {
            Ask.STATUS: self._status,
            Ask.WAITING: self._waiting,
            Ask.WHY: self._why,
            Ask.QUESTION: self._question,
            Ask.APPROVE: self._approve,
            Ask.REJECT: self._reject,
            Ask.CANCEL: self._cancel,
            Ask.RESUME: self._resume,
            Ask.HELP: self._help,
        }

    async def answer(self, heard: Heard) -> Answer:
        """Do what is wished, and say so."""
        wish = self._steward.hear(heard.text, drafting=heard.draft is not None)
        if wish.ask in {Ask.START, Ask.ANSWER}:
            return await self._ask_for_work(heard)
        if wish.ask is Ask.CANCEL and heard.draft is not None:
            return Answer((Reply("The request is dropped; nothing was started."),))
        if wish.ask in self._answers:
            return Answer((await self._answers[wish.ask](heard, wish),), heard.draft)
        return Answer((Reply("I am not sure what you mean, so I do nothing.\n\n" + HELP),), heard.draft)

    async def _ask_for_work(self, heard: Heard) -> Answer:
        understood = await self._steward.understand(heard.text, by=heard.by, draft=heard.draft)
        if isinstance(understood, NotUnderstood):
            return Answer((Reply(plain(understood.question)),), heard.draft)
        playbook = next(known for known in self._steward.playbooks() if known.id == understood.playbook)
        card = drafts.card(understood, playbook, self._cards)
        if not understood.ready:
            return Answer((Reply(drafts.questions(understood), card=card),), understood)
        row = await self._steward.start(
            playbook.id,
            understood.request,
            by=heard.by,
            source="chat",
            dedupe=f"chat:{heard.by.id}:{heard.id}",
            understanding=understood.decision,
        )
        replies = (
            Reply("This is what I understood.", card=card, about=(row.id,)),
            Reply(f"{BEGUN} {plain(self._steward.who_decides)}", run=row.id),
        )
        return Answer(replies, None, row.title)

    async def _status(self, heard: Heard, wish: Wish) -> Reply:
        rows = await self._telling.runs_of(heard.by, heard.runs if not wish.target else ())
        meant = runs_meant(wish.target, rows) if wish.target else rows
        if not meant:
            told = await self._steward.ask(heard.text, by=heard.by) if wish.target and is_question(heard.text) else None
            if told is not None and told.statements:  # "where is …" may be about the company, not about a run
                return Reply(answer_lines(told))
            return Reply("None of your runs is called that." if rows else "You have no runs yet.")
        one = meant[0].id if len(meant) == 1 and meant[0].id not in heard.runs else ""
        return Reply(self._telling.lines(meant), run=one, about=tuple(row.id for row in meant))

    async def _question(self, heard: Heard, _: Wish) -> Reply:
        return Reply(answer_lines(await self._steward.ask(heard.text, by=heard.by)))

    async def _waiting(self, heard: Heard, _: Wish) -> Reply:
        mine = await self._steward.reviews(person=heard.by)
        others = await self._telling.waits_for_others(heard.by)
        if not mine:
            text = "Nothing waits for you." + (f"\n\n{others}" if others else "")
            return Reply(text)
        text = count(len(mine), "question waits for you:", "questions wait for you:")
        runs = tuple(dict.fromkeys(row.card.run_id for row in mine))
        return Reply(text, reviews=tuple(row.card.id for row in mine), about=runs)

    async def _why(self, heard: Heard, wish: Wish) -> Reply:
        rows = await self._telling.runs_of(heard.by, heard.runs)
        if not rows:
            return Reply("There is no run here that I could explain.")
        return Reply(self._telling.why(await self._steward.show(rows[0].id), wish.target), about=(rows[0].id,))

    async def _approve(self, heard: Heard, wish: Wish) -> Reply:
        found = await self._one_review(heard, wish.target, Choice.APPROVE)
        if isinstance(found, Reply):
            return found
        await self._steward.decide(found.card.id, approve(reason=wish.reason), by=heard.by)
        return self._decided(heard, found, "Approved")

    async def _reject(self, heard: Heard, wish: Wish) -> Reply:
        found = await self._one_review(heard, wish.target, Choice.REJECT)
        if isinstance(found, Reply):
            return found
        if not wish.reason:
            name = plain(wish.target or found.card.step)
            return Reply(f"Why? Say *reject {name} because …*: the requester will read it.", about=(found.card.run_id,))
        await self._steward.decide(found.card.id, reject(reason=wish.reason), by=heard.by)
        return self._decided(heard, found, "Rejected")

    async def _one_review(self, heard: Heard, target: str, choice: Choice) -> ReviewRow | Reply:
        """The review that is meant: of those that the person may decide, else of those that this thread shows."""
        mine = [row for row in await self._steward.reviews(person=heard.by) if choice in row.card.allowed]
        meant = reviews_meant(target, mine)
        if not meant:
            meant = reviews_meant(target, [row for row in await self._shown(heard) if choice in row.card.allowed])[:1]
        if len(meant) == 1:
            return meant[0]
        if not meant:
            waits = count(len(mine), "question waits", "questions wait")
            return Reply(
                f"No question that you may answer fits that. {waits} for you." if mine else "Nothing waits for you."
            )
        runs = tuple(dict.fromkeys(row.card.run_id for row in meant))
        return Reply("More than one fits. Which one?", reviews=tuple(row.card.id for row in meant), about=runs)

    async def _shown(self, heard: Heard) -> Sequence[ReviewRow]:
        """Reviews on this page, also those that somebody else must answer or has answered: open ones first."""
        rows: dict[str, ReviewRow] = {}
        for run in heard.runs:
            rows |= {row.card.id: row for row in await self._steward.reviews(run=run, open_only=False)}
        for review in heard.shown - rows.keys():
            try:
                rows[review] = await self._steward.review(review)
            except NotFound:
                continue
        return sorted(rows.values(), key=lambda row: row.status.value != "open")

    @staticmethod
    def _decided(heard: Heard, row: ReviewRow, word: str) -> Reply:
        card = row.card
        shown = () if card.id in heard.shown else (card.id,)
        return Reply(f"{word}: {plain(card.step)} of “{plain(card.title)}”.", reviews=shown, about=(card.run_id,))

    async def _cancel(self, heard: Heard, wish: Wish) -> Reply:
        row = await self._one_run(heard, wish, "cancel", [])
        if isinstance(row, Reply):
            return row
        await self._steward.cancel(row.id, reason=wish.reason, by=heard.by)
        text = f"I have asked “{plain(row.title)}” to stop. Calls that are on their way end first; "
        text += "then what can be taken back is, newest first."
        return Reply(text, run="" if row.id in heard.runs else row.id, about=(row.id,))

    async def _resume(self, heard: Heard, wish: Wish) -> Reply:
        row = await self._one_run(heard, wish, "resume", ["parked"])
        if isinstance(row, Reply):
            return row
        await self._steward.resume(row.id, reason=wish.reason, by=heard.by)
        return Reply(f"“{plain(row.title)}” goes on.", run="" if row.id in heard.runs else row.id, about=(row.id,))

    async def _one_run(self, heard: Heard, wish: Wish, verb: str, only: Sequence[str]) -> RunRow | Reply:
        """The run that is meant, with a reason given; otherwise what to ask."""
        rows = await self._telling.runs_of(heard.by, heard.runs if not wish.target else ())
        rows = [row for row in rows if row.ended_at is None and (not only or row.status.value in only)]
        meant = runs_meant(wish.target, rows)
        if not meant:
            what = f"No {'parked ' if only else ''}run that could be {verb.rstrip('e')}ed fits that."
            return Reply(what.replace("canceled", "cancelled"))
        if len(meant) > 1:
            titles = "\n".join(f"- {plain(row.title)} ({row.id[:13]})" for row in meant[:10])
            return Reply(f"Which one do you want to {verb}?\n\n{titles}")
        if not wish.reason:
            return Reply(f"Why? Say *{verb} because …*: the reason is kept with the run.", about=(meant[0].id,))
        return meant[0]

    @staticmethod
    async def _help(_heard: Heard, _wish: Wish) -> Reply:
        return Reply(HELP)
