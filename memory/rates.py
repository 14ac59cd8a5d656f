"""Rates: a token bucket for each system that has one, shared by all workers, on the database's clock."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta

from governance.errors import Unavailable
from governance.systems import Turn
from memory.database import Database
from memory.statements import statements


@dataclass(frozen=True)
class _Bucket:
    system: str
    rate: float
    burst: int
    linger: float


class Rates:
    """Gives turns. Calls that ask while a question is under way are asked for together, by the next one."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = statements("systems")
        self._asking: defaultdict[_Bucket, list[asyncio.Future[Turn]]] = defaultdict(list)
        self._under_way: dict[_Bucket, asyncio.Task[None]] = {}

    async def turn(self, system: str, *, rate: float, burst: int, linger: float) -> Turn:
        """When the next call may go: its place is reserved if that is within ``linger`` seconds."""
        bucket = _Bucket(system, rate, burst, linger)
        turn: asyncio.Future[Turn] = asyncio.get_running_loop().create_future()
        self._asking[bucket].append(turn)
        if bucket not in self._under_way:
            self._under_way[bucket] = asyncio.create_task(self._serve(bucket), name=f"turns at {system}")
        return await turn

    async def _serve(self, bucket: _Bucket) -> None:
        try:
            while asking := self._asking.pop(bucket, None):
                for turn, given in zip(asking, await self._turns(bucket, len(asking)), strict=True):
                    if not turn.done():
                        turn.set_result(given)
        finally:
            del self._under_way[bucket]

    async def _turns(self, bucket: _Bucket, count: int) -> list[Turn]:
        values = {"name": bucket.system, "count": count} | {
            name: getattr(bucket, name) for name in ("rate", "burst", "linger")
        }
        try:
            rows = await self._database.fetch(self._sql["turns"], values)
            if not rows:
                await self._database.fetch(self._sql["fill"], values)
                rows = await self._database.fetch(self._sql["turns"], values)
        except Unavailable:
            return [Turn()] * count  # nothing with an effect leaves now anyway: its intent could not be written
        filled, taken, later = float(rows[0]["filled"]), int(rows[0]["taken"]), float(rows[0]["later"])
        now = [Turn(_seconds(max(0.0, (place - filled) / bucket.rate))) for place in range(1, taken + 1)]
        return now + [Turn(_seconds(later + n / bucket.rate), taken=False) for n in range(count - taken)]


def _seconds(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)
