"""Calls of models, counted for all processes: their rate, and what they cost in a run and in a day."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import structlog

from governance.errors import Unavailable
from governance.models import CallBegun, CallEnded, Leave, ModelDay, ModelLimits
from memory.database import AppConnection, Database
from memory.ids import new_id
from memory.rates import Rates
from memory.statements import statements

_LINGER = 10.0  # seconds that a call waits for its turn; later ones are not made
_log = structlog.get_logger("steward.models")


class ModelCalls:
    """The ledger of model calls. What a call may cost is held back when it begins, so that limits hold for all at once."""

    def __init__(self, database: Database, limits: ModelLimits) -> None:
        self._database = database
        self._limits = limits
        self._rates = Rates(database)
        self._sql = statements("models")

    async def begin(self, call: CallBegun) -> Leave:
        """Leave to make a call, or what stands against it. Raises DatabaseUnavailable."""
        most = self._limits.calls_per_minute
        turn = (
            await self._rates.turn(f"model {call.model}", rate=most / 60, burst=most, linger=_LINGER) if most else None
        )
        if turn is not None and not turn.taken:
            return Leave(why=f"there were {most} calls in a minute already")
        values: dict[str, Any] = {
            "run": call.run_id,
            "id": new_id(),
            "kind": call.kind,
            "model": call.model,
            "prompt": call.prompt,
            "at": call.at,
            "most": call.most_microusd,
            "day": _day(call.at),
        }
        async with self._database.connection() as connection, connection.transaction():
            why = await self._against(connection, values)
            if not why:
                await connection.execute(self._sql["begin"], values)
        return (
            Leave(why=why) if why else Leave(f"{call.run_id}/{values['id']}", wait=turn.wait if turn else Leave().wait)
        )

    async def end(self, call: str, ended: CallEnded) -> None:
        """Keep what a call took. Where that cannot be kept, it stays counted with all that it might have cost."""
        run, _, call_id = call.rpartition("/")
        values = {
            "run": run,
            "id": call_id,
            "ok": ended.ok,
            "why": ended.why,
            "tokens_in": ended.tokens_in,
            "tokens_out": ended.tokens_out,
            "cost": ended.cost_microusd,
            "latency": ended.latency_ms,
        }
        try:
            await self._database.fetch(self._sql["end"], values)
        except Unavailable as error:
            _log.warning("what a model call took was not kept", reason=str(error))

    async def day(self, now: datetime) -> tuple[ModelDay, ...]:
        """What each model was asked on this day, by name. Raises DatabaseUnavailable."""
        rows = await self._database.fetch(self._sql["day"], {"day": _day(now)})
        return tuple(
            ModelDay(
                model=row["model"],
                calls=row["calls"],
                failed=row["failed"],
                tokens_in=row["tokens_in"],
                tokens_out=row["tokens_out"],
                cost_microusd=row["cost"],
                latency_ms=row["latency"],
                last_failure=row["last_failure"],
            )
            for row in rows
        )

    async def _against(self, connection: AppConnection, values: dict[str, Any]) -> str:
        limits = self._limits
        if not (limits.run_microusd or limits.day_microusd):
            return ""
        await connection.execute(self._sql["lock"])  # until the row is there: two calls must not share the last cent
        spent = await (await connection.execute(self._sql["spent"], values)).fetchone()
        most = int(values["most"])
        if spent is None:
            return ""
        if limits.day_microusd and int(spent["day"]) + most > limits.day_microusd:
            return f"the day's {limits.day_microusd / 1e6:g} dollars are spent"
        if limits.run_microusd and values["run"] and int(spent["run"]) + most > limits.run_microusd:
            return f"the run's {limits.run_microusd / 1e6:g} dollars are spent"
        return ""


def _day(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)
