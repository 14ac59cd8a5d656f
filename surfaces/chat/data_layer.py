"""What Chainlit may read and change of our threads. It writes no message and no card: only Steward does that.

Chainlit lets a page rewrite steps and elements by their ids; here such calls reach nothing, because whatever is shown
is drawn from our rows each time.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from chainlit.data.base import BaseDataLayer
from chainlit.element import Element, ElementDict
from chainlit.step import StepDict
from chainlit.types import (
    Feedback,
    PageInfo,
    PaginatedResponse,
    Pagination,
    ThreadDict,
    ThreadFilter,
)
from chainlit.user import PersistedUser, User
from typing_extensions import override

from governance.chats import Thread
from governance.people import Person
from runtime.application import Application

_SINCE = "2027-01-01T00:00:00Z"  # Chainlit wants a date of birth for users; ours come from the directory
_LONGEST_PAGE = 50

Projector = Callable[[Thread, Person], Awaitable[ThreadDict]]


class StewardDataLayer(BaseDataLayer):
    """Threads of the logged-in person, people of the directory, and nothing else."""

    def __init__(self, steward: Application, project: Projector) -> None:
        self._steward = steward
        self._project = project

    async def get_user(self, identifier: str) -> PersistedUser | None:
        """The person of the directory, with the roles of today, or None."""
        person = self._steward.directory.find(identifier)
        return persisted(person) if person else None

    async def create_user(self, user: User) -> PersistedUser | None:
        """People are not made here: the directory knows them, or nobody does."""
        return await self.get_user(user.identifier)

    async def get_thread_author(self, thread_id: str) -> str:
        """The person whose thread it is; empty: there is no such thread."""
        thread = await self._steward.chats.thread(thread_id)
        return thread.person if thread else ""

    async def list_threads(self, pagination: Pagination, filters: ThreadFilter) -> PaginatedResponse[ThreadDict]:
        """A person's threads, without what was said in them."""
        limit = max(1, min(pagination.first, _LONGEST_PAGE))
        found = await self._steward.chats.list(
            filters.userId or "", search=filters.search or None, after=pagination.cursor, limit=limit + 1
        )
        page = found[:limit]
        ends = (page[0].id, page[-1].id) if page else (None, None)
        info = PageInfo(hasNextPage=len(found) > limit, startCursor=ends[0], endCursor=ends[1])
        return PaginatedResponse(pageInfo=info, data=[thread_dict(thread) for thread in page])

    async def get_thread(self, thread_id: str) -> ThreadDict | None:
        """A thread as it is drawn now. The caller checks whose it is."""
        thread = await self._steward.chats.thread(thread_id)
        person = self._steward.directory.find(thread.person) if thread else None
        return await self._project(thread, person) if thread and person else None

    @override
    async def update_thread(
        self,
        thread_id: str,
        name: str | None = None,
        user_id: str | None = None,
        metadata: dict[str, Any] | None = None,
        tags: list[str] | None = None,
    ) -> None:
        """Rename a thread that is there. Chainlit also calls this to keep its session, which nobody needs."""
        thread = await self._steward.chats.thread(thread_id)
        if thread and name and user_id is None:  # with a user it is Chainlit naming a thread that Steward has named
            await self._steward.chats.rename(thread_id, thread.person, name)

    async def delete_thread(self, thread_id: str) -> None:
        """Remove a thread; Chainlit has checked whose it is. Its runs stay."""
        thread = await self._steward.chats.thread(thread_id)
        if thread:
            await self._steward.chats.remove(thread_id, thread.person)

    @override
    async def get_element(self, thread_id: str, element_id: str) -> ElementDict | None:
        """None: elements are drawn with their thread."""
        return None

    async def create_element(self, element: Element) -> None:
        """Nothing is kept."""

    @override
    async def delete_element(self, element_id: str, thread_id: str | None = None) -> None:
        """Nothing was kept."""

    async def create_step(self, step_dict: StepDict) -> None:
        """Nothing is kept: what a person says is kept by whoever answers it."""

    async def update_step(self, step_dict: StepDict) -> None:
        """What was said stays as it was."""

    async def delete_step(self, step_id: str) -> None:
        """What was said stays."""

    @override
    async def delete_feedback(self, feedback_id: str) -> bool:
        """There is no feedback."""
        return False

    @override
    async def upsert_feedback(self, feedback: Feedback) -> str:
        """There is no feedback."""
        return ""

    async def build_debug_url(self) -> str:
        """There is none."""
        return ""

    @override
    async def get_favorite_steps(self, user_id: str) -> list[StepDict]:
        """There are none."""
        return []

    async def close(self) -> None:
        """The application closes its own database."""


def persisted(person: Person) -> PersistedUser:
    """A person as Chainlit knows users; the roles are for the page, rights are asked of the directory each time."""
    return PersistedUser(
        id=person.id,
        identifier=person.id,
        display_name=person.name,
        createdAt=_SINCE,
        metadata={"roles": sorted(person.roles)},
    )


def thread_dict(thread: Thread) -> ThreadDict:
    """A thread without its content."""
    return ThreadDict(
        id=thread.id,
        createdAt=thread.touched_at.isoformat(),
        name=thread.name or "Conversation",
        userId=thread.person,
        userIdentifier=thread.person,
        tags=[],
        metadata={},
        steps=[],
        elements=[],
    )
