"""The people of the bench: they start runs, approve what is asked as soon as it is asked, and see the runs end.

What is watched is watched inside one transaction, so that looking costs no commits; starting and deciding are
``Application.start`` and ``Application.decide``, as any door calls them.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import dict_row

from governance.reviews import approve
from runtime.application import Application
from tests.bench.server import Server
from tests.bench.work import FINANCE, HR, ONBOARDING, request

LOOK_S = 0.02
DEADLINE_S = 600.0


@dataclass
class Driver:
    """Drives one application."""

    steward: Application
    watch: psycopg.AsyncConnection[dict[str, Any]]
    number: int = 0

    async def start(self, count: int, *, playbook: str = ONBOARDING) -> list[str]:
        """Admit so many runs at once; their ids."""
        first, self.number = self.number, self.number + count

        async def one(number: int) -> str:
            return (await self.steward.start(playbook, request(number), by=HR, source="bench")).id

        return list(await asyncio.gather(*(one(number) for number in range(first, first + count))))

    async def decide(self, reviews: Collection[str]) -> None:
        """Approve them all, at once."""
        await asyncio.gather(*(self.steward.decide(review, approve(), by=FINANCE) for review in reviews))

    async def questions(self, runs: Collection[str]) -> dict[str, str]:
        """The open reviews of these runs, with the run that asks."""
        # All that are open: to name hundreds of runs at each look would cost more than what is measured.
        wanted = set(runs)
        rows = await self.look(b"SELECT id, run_id::text AS run FROM review WHERE status = 'open'")
        return {row["id"]: row["run"] for row in rows if row["run"] in wanted}

    async def look(self, statement: bytes, values: Any = None) -> list[dict[str, Any]]:
        """What the database holds at this moment."""
        return await (await self.watch.execute(statement, values)).fetchall()

    async def until_asked(self, runs: Collection[str]) -> dict[str, str]:
        """The reviews of these runs, once each has asked."""
        until = time.monotonic() + DEADLINE_S
        while len(found := await self.questions(runs)) < len(runs):
            await _look_again(until, f"{len(runs) - len(found)} of {len(runs)} runs have not asked")
        return found

    async def until_waiting(self, runs: Collection[str]) -> None:
        """Return once each of these runs is at rest, waiting for its answer."""
        until = time.monotonic() + DEADLINE_S
        statement = (
            b"SELECT count(*) AS n FROM run WHERE id = ANY (%s::uuid[]) AND status = 'waiting' AND owner IS NULL"
        )
        while (waiting := (await self.look(statement, (list(runs),)))[0]["n"]) < len(runs):
            await _look_again(until, f"only {waiting} of {len(runs)} runs wait")

    async def until_ended(self, runs: Collection[str]) -> None:
        """Return once all these runs are done; anything but "done" is an error."""
        until, left = time.monotonic() + DEADLINE_S, set(runs)
        statement = b"SELECT id::text AS run, status FROM run WHERE id = ANY (%s::uuid[]) AND ended_at IS NOT NULL"
        while left:
            ended = await self.look(statement, (list(left),))
            if wrong := [row for row in ended if row["status"] != "done"]:
                raise RuntimeError(f"not done: {wrong[:3]}")
            left -= {row["run"] for row in ended}
            if left:
                await _look_again(until, f"{len(left)} of {len(runs)} runs have not ended")

    async def whole(self, count: int) -> list[str]:
        """So many runs at once, from their admission to their end, each approved as soon as it asks."""
        runs = await self.start(count)
        await self._approve_as_asked(runs)
        await self.until_ended(runs)
        return runs

    async def _approve_as_asked(self, runs: Collection[str]) -> None:
        until, waiting = time.monotonic() + DEADLINE_S, set(runs)
        while waiting:
            found = await self.questions(waiting)
            await self.decide(found)
            waiting -= set(found.values())
            if waiting:
                await _look_again(until, f"{len(waiting)} of {len(runs)} runs have not asked")

    async def last_commit(self, runs: Collection[str]) -> float:
        """When the last of these rows was committed, in seconds since 1970, by the server's clock (this machine's)."""
        statement = b"""SELECT extract(epoch FROM max(pg_xact_commit_timestamp(xmin)))::float8 AS at
                        FROM run WHERE id = ANY (%s::uuid[])"""
        return float((await self.look(statement, (list(runs),)))[0]["at"])


async def _look_again(until: float, complaint: str) -> None:
    if time.monotonic() > until:
        raise TimeoutError(complaint)
    await asyncio.sleep(LOOK_S)  # sleep: the pause between two looks


@asynccontextmanager
async def driving(steward: Application, server: Server, database: str) -> AsyncIterator[Driver]:
    """A driver over ``steward``."""
    to = await psycopg.AsyncConnection[dict[str, Any]].connect(server.owner(database), row_factory=dict_row)
    async with to:
        yield Driver(steward, to)
