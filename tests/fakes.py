"""Stand-ins that tests share. Only time is pretended: databases, processes and HTTP are real."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

FIRST_MOMENT = datetime(2027, 1, 4, 9, 0, tzinfo=UTC)


class FakeClock:
    """A clock that stands still until a test moves it."""

    def __init__(self, start: datetime = FIRST_MOMENT) -> None:
        self._now = start
        self._moved = asyncio.Condition()
        self.sleepers = 0

    def now(self) -> datetime:
        """The moment that the test has reached."""
        return self._now

    async def sleep(self, seconds: float) -> None:
        """Return once the test has moved the clock ``seconds`` on."""
        until = self._now + timedelta(seconds=seconds)
        async with self._moved:
            self.sleepers += 1
            self._moved.notify_all()
            try:
                await self._moved.wait_for(lambda: self._now >= until)
            finally:
                self.sleepers -= 1

    async def advance(self, seconds: float) -> None:
        """Move on, and let everybody whose sleep is over go."""
        async with self._moved:
            self._now += timedelta(seconds=seconds)
            self._moved.notify_all()
        await asyncio.sleep(0)

    async def somebody_sleeps(self, count: int = 1) -> None:
        """Return once at least ``count`` callers sleep."""
        async with self._moved:
            await self._moved.wait_for(lambda: self.sleepers >= count)
