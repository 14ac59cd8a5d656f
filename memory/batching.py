"""Calls that share a round trip: those that wait while one is on its way to the database go with the next, together."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

Ask = TypeVar("Ask")
Answer = TypeVar("Answer")
MOST = 256


@dataclass(frozen=True, eq=False)
class _Waiting(Generic[Ask, Answer]):
    ask: Ask
    answer: asyncio.Future[Answer]


class Together(Generic[Ask, Answer]):
    """Gathers calls of one kind on one event loop. A call that comes alone goes at once: nobody waits for company.

    ``call`` gets at most ``MOST`` asks and returns as many answers, in their order. What it raises, each of its callers
    gets.
    """

    def __init__(self, call: Callable[[Sequence[Ask]], Awaitable[Sequence[Answer]]], *, name: str) -> None:
        self._call = call
        self._name = name
        self._waiting: list[_Waiting[Ask, Answer]] = []
        self._sender: asyncio.Task[None] | None = None

    async def ask(self, ask: Ask) -> Answer:
        """The answer to ``ask``. A caller that is cancelled disturbs nobody."""
        waiting = _Waiting[Ask, Answer](ask, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        if self._sender is None or self._sender.done():
            self._sender = asyncio.create_task(self._send(), name=self._name)
        return await waiting.answer

    async def _send(self) -> None:
        while self._waiting:
            await asyncio.sleep(0)  # whoever is ready at this moment comes along
            batch = [waiting for waiting in self._waiting[:MOST] if not waiting.answer.done()]
            del self._waiting[:MOST]
            if not batch:
                continue
            call = asyncio.ensure_future(self._call([waiting.ask for waiting in batch]))
            await asyncio.wait({call})
            self._settle(batch, call)

    @staticmethod
    def _settle(batch: Sequence[_Waiting[Ask, Answer]], call: asyncio.Future[Sequence[Answer]]) -> None:
        error = call.exception()
        answers = () if error else call.result()
        for number, waiting in enumerate(batch):
            if waiting.answer.done():
                continue
            if error is not None:
                waiting.answer.set_exception(error)
            else:
                waiting.answer.set_result(answers[number])
