"""Threads of the chat as rows: words, and the ids of the runs that a thread shows. Each belongs to one person."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from uuid import UUID

import psycopg
from psycopg.rows import DictRow

from governance.chats import Remark, Thread
from governance.errors import InvalidInput, NotPermitted
from memory.database import Database
from memory.ids import run_uuid
from memory.statements import statements

_LONGEST_NAME = 120


class Chats:
    """All threads. Whoever is not a thread's person can neither write in it nor change it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = statements("chats")

    async def say(
        self, thread_id: str, person: str, remark: Remark, *, runs: Iterable[str] = (), name: str = ""
    ) -> None:
        """Keep a remark in the person's thread, which begins with it when there is none. The same remark counts once.

        ``runs`` are the runs that it is about: erasing one of them removes the thread. ``name`` is for a new thread.

        Raises:
            NotPermitted: the thread is somebody else's.
            InvalidInput: the words, or an id, cannot be kept.

        """
        body = {"text": remark.text, "run": remark.run, "reviews": remark.reviews, "card": remark.card}
        values = {
            "thread": _uuid(thread_id),
            "person": person,
            "name": name[:_LONGEST_NAME],
            "id": _uuid(remark.id),
            "said_by": remark.said_by,
            "body": json.dumps(body),
            "runs": [run_uuid(run) for run in runs],
        }
        async with self._database.connection() as connection, connection.transaction():
            try:
                opened = await (await connection.execute(self._sql["open"], values)).fetchone()
                if opened is None:
                    raise NotPermitted("This conversation is somebody else's.")
                await connection.execute(self._sql["say"], values)
                await connection.execute(self._sql["link"], values)
            except (psycopg.DataError, UnicodeError) as error:
                raise InvalidInput("There is a character that cannot be kept.", hint="Write it again.") from error

    async def thread(self, thread_id: str) -> Thread | None:
        """The thread, or None. Whose it is must be asked by the caller."""
        try:
            rows = await self._database.fetch(self._sql["thread"], {"thread": _uuid(thread_id)})
        except InvalidInput:
            return None
        return _thread(rows[0]) if rows else None

    async def remarks(self, thread_id: str) -> list[Remark]:
        """All that was said in a thread, in order."""
        rows = await self._database.fetch(self._sql["remarks"], {"thread": _uuid(thread_id)})
        return [_remark(row) for row in rows]

    async def rename(self, thread_id: str, person: str, name: str) -> None:
        """Give the person's thread another name."""
        await self._fetch("rename", {"thread": _uuid(thread_id), "person": person, "name": name[:_LONGEST_NAME]})

    async def keep_draft(self, thread_id: str, person: str, draft: str | None) -> None:
        """Keep the request that is being completed in the person's thread; None: none any more."""
        await self._fetch("draft", {"thread": _uuid(thread_id), "person": person, "draft": draft})

    async def remove(self, thread_id: str, person: str) -> None:
        """Remove the person's thread. The runs that it shows stay."""
        await self._fetch("remove", {"thread": _uuid(thread_id), "person": person})

    async def threads_of(self, run_id: str) -> list[str]:
        """The ids of the threads that show a run."""
        return [str(row["thread_id"]) for row in await self._fetch("of_run", {"run": run_uuid(run_id)})]

    async def _fetch(self, statement: str, values: Mapping[str, object]) -> list[DictRow]:
        try:
            return await self._database.fetch(self._sql[statement], values)
        except (psycopg.DataError, UnicodeError) as error:
            raise InvalidInput("There is a character that cannot be kept.", hint="Write it again.") from error

    async def list(
        self, person: str, *, search: str | None = None, after: str | None = None, limit: int = 20
    ) -> list[Thread]:
        """A person's threads, the last touched first, from the one ``after`` on; without what was said in them."""
        values = {"person": person, "search": search, "after": _uuid(after) if after else None, "limit": limit}
        return [_thread(row) for row in await self._fetch("list", values)]


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise InvalidInput(f"{text!r} is not the id of a conversation.") from None


def _thread(row: DictRow) -> Thread:
    return Thread(str(row["id"]), row["person"], row["name"], row["draft"], row["begun_at"], row["touched_at"])


def _remark(row: DictRow) -> Remark:
    body = json.loads(row["body"])
    return Remark(
        id=str(row["id"]),
        said_by=row["said_by"],
        text=body["text"],
        at=row["at"],
        run=body["run"],
        reviews=tuple(body["reviews"]),
        card=body["card"],
    )
