"""Everybody's open pages. A page is redrawn from our rows whenever a run may have changed; only differences are sent."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

import structlog
from chainlit.server import sio
from chainlit.session import WebsocketSession, ws_sessions_id

from governance.chats import Remark
from governance.deciding import may_decide
from governance.errors import NotFound, Unavailable
from governance.people import Person
from governance.runs import ReviewRow
from runtime.application import Application
from runtime.views import RunView
from surfaces.chat.cards import Cards
from surfaces.chat.drawing import Drawing, Rows, derived_id, draw, task_element
from surfaces.chat.wording import count

_log = structlog.get_logger("steward.chat")


@dataclass
class Screen:
    """One open page: whose, what was said on it, and what is drawn. ``greeting`` is kept once it has ``begun``."""

    session: WebsocketSession
    person: Person
    remarks: list[Remark] = field(default_factory=list)
    greeting: Remark | None = None
    begun: bool = False
    drawn: Drawing = field(default_factory=Drawing)
    ready: bool = False
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def thread(self) -> str:
        """The id of the thread that the page shows."""
        return self.session.thread_id

    @property
    def connected(self) -> bool:
        """Whether anybody looks: Chainlit keeps sessions of closed pages for a while."""
        return bool(sio.manager.is_connected(self.session.socket_id, "/"))

    async def emit(self, event: str, data: object) -> None:
        """Send something to the page; lost when nobody looks."""
        await sio.emit(event, data, to=self.session.socket_id)

    def said(self) -> list[Remark]:
        """All remarks, the greeting first."""
        return [*([self.greeting] if self.greeting else []), *self.remarks]


class Screens:
    """All open pages of this process."""

    def __init__(self, steward: Application, cards: Cards) -> None:
        self._steward = steward
        self._cards = cards
        self._screens: dict[str, Screen] = {}
        self._ended: dict[str, RunView] = {}

    def open(self, session: WebsocketSession, person: Person, remarks: Iterable[Remark] = ()) -> Screen:
        """A page for a session; one that is there already is forgotten."""
        screen = Screen(session, person, list(remarks))
        self._screens[session.id] = screen
        return screen

    def of(self, session: WebsocketSession) -> Screen | None:
        """The page of a session, or None."""
        return self._screens.get(session.id)

    async def rows(self, remarks: Sequence[Remark], opened: dict[str, ReviewRow] | None = None) -> Rows:
        """The runs and reviews that remarks are about, as they stand now; ``opened`` are reviews just read."""
        runs = {remark.run for remark in remarks if remark.run}
        views = {run: view for run in runs if (view := await self._view(run, kept=opened is not None)) is not None}
        asked = {review for remark in remarks for review in remark.reviews}
        known = opened or {}
        reviews: dict[str, ReviewRow] = {}
        for review in asked:
            try:
                reviews[review] = known.get(review) or await self._steward.review(review)
            except NotFound:
                continue
        return Rows(views, reviews)

    async def redraw(self, screen: Screen, *, whole: bool = False, opened: dict[str, ReviewRow] | None = None) -> None:
        """Send what differs from what is drawn, or everything."""
        async with screen.turn:
            before = Drawing() if whole else screen.drawn
            rows = await self.rows(screen.said(), opened)
            now = draw(screen.thread, screen.person, screen.said(), rows, self._cards)
            screen.drawn = now
            for message in now.messages.values():
                if before.messages.get(message["id"]) != message:
                    fresh = message["id"] not in before.messages
                    await screen.emit("new_message" if fresh else "update_message", message)
            for card in now.cards.values():
                if before.cards.get(card["id"]) != card:
                    await screen.emit("element", card)
            if now.tasks is not None and now.tasks != before.tasks:
                await screen.emit("element", task_element(screen.thread, now.tasks))

    async def keep_up(self) -> None:
        """Redraw until cancelled: at every hint, and once a second in case one got lost."""
        async with aclosing(self._steward.stirred()) as stirred:
            async for _ in stirred:
                try:
                    await self._look()
                except Unavailable as error:
                    _log.warning("pages are not redrawn", reason=str(error))

    async def _look(self) -> None:
        for session_id in [each for each in self._screens if each not in ws_sessions_id]:
            del self._screens[session_id]
        screens = [screen for screen in self._screens.values() if screen.ready and screen.connected]
        if not screens:
            return
        shown = {remark.run for screen in screens for remark in screen.remarks}
        self._ended = {run: view for run, view in self._ended.items() if run in shown}
        opened = {row.card.id: row for row in await self._steward.reviews()}
        for screen in screens:
            if not screen.begun:
                self.greet(screen, opened.values())
            await self.redraw(screen, opened=opened)

    def greet(self, screen: Screen, opened: Iterable[ReviewRow]) -> None:
        """Put the questions that wait for a person on their first page, and each new one as it comes."""
        mine = [row.card.id for row in opened if may_decide(row.card, screen.person, self._steward.directory)]
        before = screen.greeting.reviews if screen.greeting else ()
        if not mine and not before:
            return
        waits = count(len(mine), "question waits", "questions wait") if mine else "Nothing waits"
        first = screen.person.name.partition(" ")[0]
        screen.greeting = Remark(
            id=derived_id(screen.session.id, "greeting"),
            said_by="",
            text=f"Hello {first}. {waits} for you.",
            at=screen.greeting.at if screen.greeting else self._steward.clock.now(),
            reviews=tuple(dict.fromkeys((*before, *mine))),
        )

    async def _view(self, run: str, *, kept: bool) -> RunView | None:
        """A run as it stands; with ``kept`` one that had ended when it was last read is not read again."""
        if kept and run in self._ended:
            return self._ended[run]
        try:
            view = await self._steward.show(run)
        except NotFound:
            return None
        if view.row.ended_at is not None:
            self._ended[run] = view
        return view
