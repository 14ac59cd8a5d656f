"""The room that Chainlit's calls come into: who is there, what they said or clicked, and that errors are told kindly."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, cast

import chainlit as cl
import structlog
from chainlit.context import context
from chainlit.element import ElementDict
from chainlit.session import WebsocketSession
from chainlit.step import StepDict
from chainlit.types import ThreadDict
from chainlit.user import User

from governance.chats import Remark, Thread
from governance.errors import NotPermitted, StewardError
from governance.people import Person
from runtime.application import Application
from surfaces.chat import drafts
from surfaces.chat.cards import Cards
from surfaces.chat.clicks import Clicks
from surfaces.chat.data_layer import StewardDataLayer, thread_dict
from surfaces.chat.drawing import derived_id, draw, task_element
from surfaces.chat.login import LogIn
from surfaces.chat.screens import Screen, Screens
from surfaces.chat.talk import Answer, Heard, Reply, Talk
from surfaces.chat.wording import told

_LONGEST = 8_000
_SORRY = "Something went wrong here, and nothing was done. It is in the log; try again, or say it in other words."
_log = structlog.get_logger("steward.chat")


class Room:
    """What ``app.py`` registers with Chainlit. Whoever acts is taken from the log-in, never from a message or a card."""

    def __init__(self, steward: Application, password: str) -> None:
        self._steward = steward
        self._cards = Cards(steward.directory, lambda name: steward.tool(name).input)
        self._talk = Talk(steward, self._cards)
        self._clicks = Clicks(steward)
        self._log_in = LogIn(steward.directory, password, steward.clock)
        self.screens = Screens(steward, self._cards)

    def data_layer(self) -> StewardDataLayer:
        """What Chainlit reads threads from."""
        return StewardDataLayer(self._steward, self._project)

    async def log_in(self, username: str, password: str) -> User | None:
        """The person, or None."""
        return await self._log_in(username, password)

    async def starters(self, user: User | None, _language: str | None = None) -> list[cl.Starter]:
        """What may be said first, for this person."""
        person = self._steward.directory.find(user.identifier) if user else None
        asks = [cl.Starter(label="What waits for me?", message="What waits for me?")]
        if person is None or not any(p.startswith(("*", "onboarding:")) for p in person.permissions):
            return [*asks, cl.Starter(label="What can I do here?", message="Help")]
        sentence = (
            "Onboard Ada Lovelace as a software engineer in R&D, starting 1 January 2027, "
            "manager grace.hopper@acme.example"
        )
        return [
            cl.Starter(label="Onboard Ada Lovelace", message=sentence),
            *asks,
            cl.Starter(label="Status of my runs", message="Status"),
        ]

    async def greet(self) -> None:
        """A new page: what waits for the person stands on it from the beginning."""
        session, person = self._here()
        screen = self.screens.open(session, person)
        screen.ready = True
        session.has_first_interaction = (
            True  # otherwise Chainlit would leave this page at the first click, forms and all
        )
        self.screens.greet(screen, await self._steward.reviews())
        await self.screens.redraw(screen, whole=True)

    async def resume(self, thread: ThreadDict) -> None:
        """A thread is opened again, or the server was started again. Chainlit draws it, from ``_project``."""
        session, person = self._here()
        self.screens.open(session, person, await self._steward.chats.remarks(thread["id"])).begun = True

    async def connected(self, session: WebsocketSession) -> None:
        """After each (re)connection all is drawn once more: what happened meanwhile was not seen."""
        screen = self.screens.of(session)
        if screen is not None:
            screen.ready = True
            await self.screens.redraw(screen, whole=True)

    async def hear(self, message: cl.Message) -> None:
        """Something was said."""
        if not message.content.strip():
            return
        session, person = self._here()
        screen = self.screens.of(session) or self.screens.open(session, person)
        screen.ready = True
        try:
            await self._answer(screen, message)
        except StewardError as error:
            await self._tell(screen, Reply(told(error)))
        except Exception:  # noqa: BLE001 - the boundary to a person, who must never see a stack trace
            _log.exception("a message could not be answered", thread=screen.thread)
            await self._tell(screen, Reply(_SORRY))

    def actions(self) -> dict[str, Callable[[cl.Action], Awaitable[dict[str, Any]]]]:
        """What cards may call."""
        return {"decide": self._decide}

    async def _decide(self, action: cl.Action) -> dict[str, Any]:
        session, person = self._here()
        screen = self.screens.of(session) or self.screens.open(session, person)
        answer = await self._clicks.decide(action.payload, person)
        try:
            if answer["ok"]:
                await self._begin(screen, "What waits for me")
            await self.screens.redraw(screen)
        except StewardError as error:
            _log.warning("the page could not be redrawn", reason=str(error))
        return answer

    async def _answer(self, screen: Screen, message: cl.Message) -> None:
        text = message.content[:_LONGEST]
        await self._begin(screen, text)
        said = Remark(message.id, screen.person.id, text, self._steward.clock.now())
        await self._keep(screen, said, name=text)
        thread = await self._steward.chats.thread(screen.thread)
        heard = Heard(
            id=message.id,
            text=text,
            by=screen.person,
            draft=drafts.read(thread.draft if thread else None),
            runs=tuple(dict.fromkeys(remark.run for remark in screen.remarks if remark.run)),
            shown=self._shown(screen),
        )
        answer = await self._talk.answer(heard)
        await self._give(screen, answer)

    async def _give(self, screen: Screen, answer: Answer) -> None:
        for reply in answer.replies:
            await self._say(screen, reply)
        draft = drafts.kept(answer.draft) if answer.draft else None
        await self._steward.chats.keep_draft(screen.thread, screen.person.id, draft)
        if answer.name:
            await self._steward.chats.rename(screen.thread, screen.person.id, answer.name)
        await self.screens.redraw(screen)

    async def _tell(self, screen: Screen, reply: Reply) -> None:
        """Say that something did not work; where even that cannot be kept, it is shown for a moment."""
        try:
            await self._say(screen, reply)
            await self.screens.redraw(screen)
        except StewardError:
            await screen.emit("toast", {"message": reply.text, "type": "error"})

    async def _say(self, screen: Screen, reply: Reply) -> None:
        remark = Remark(
            id=derived_id(screen.thread, str(len(screen.said())), screen.said()[-1].id),
            said_by="",
            text=reply.text,
            at=self._steward.clock.now(),
            run=reply.run,
            reviews=reply.reviews,
            card=dict(reply.card),
        )
        await self._keep(screen, remark, runs=[*reply.about, *([reply.run] if reply.run else [])])

    async def _begin(self, screen: Screen, name: str) -> None:
        """The first words, or the first verdict, make a thread; the questions on the page become its beginning."""
        if screen.begun:
            return
        screen.begun = True
        if screen.greeting is not None:
            rows = await self.screens.rows([screen.greeting])
            runs = {row.card.run_id for row in rows.reviews.values()}
            await self._steward.chats.say(screen.thread, screen.person.id, screen.greeting, runs=runs, name=name)
            screen.remarks.insert(0, screen.greeting)
            screen.greeting = None
        await screen.emit("first_interaction", {"interaction": name, "thread_id": screen.thread})
        await screen.emit("window_message", {"type": "steward.thread", "id": screen.thread})

    async def _keep(self, screen: Screen, remark: Remark, *, runs: Sequence[str] = (), name: str = "") -> None:
        await self._steward.chats.say(screen.thread, screen.person.id, remark, runs=runs, name=name)
        screen.remarks.append(remark)

    def _shown(self, screen: Screen) -> frozenset[str]:
        cards = screen.drawn.cards.values()
        return frozenset(card["props"]["id"] for card in cards if card["name"] == "ReviewCard")

    async def _project(self, thread: Thread, person: Person) -> ThreadDict:
        """A thread as Chainlit resumes it."""
        remarks = await self._steward.chats.remarks(thread.id)
        drawing = draw(thread.id, person, remarks, await self.screens.rows(remarks), self._cards)
        elements = list(drawing.cards.values())
        if drawing.tasks is not None:
            elements.append(task_element(thread.id, drawing.tasks))
        whole = thread_dict(thread)
        whole["steps"] = cast("list[StepDict]", list(drawing.messages.values()))
        whole["elements"] = cast("list[ElementDict]", elements)
        return whole

    def _here(self) -> tuple[WebsocketSession, Person]:
        """The session that Chainlit is answering, and its person as the directory knows them now."""
        session = context.session
        user = session.user
        person = self._steward.directory.find(user.identifier) if user else None
        if person is None or not isinstance(session, WebsocketSession):
            raise NotPermitted("You are not in the directory any more.", hint="Ask whoever keeps people.yaml.")
        return session, person
