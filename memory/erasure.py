"""Erasing a person's data: all that a run's rows say is blanked, and what proves the journal stays."""

from __future__ import annotations

from governance.errors import Refused
from memory.checkpoints import forget_checkpoints
from memory.database import Database
from memory.ids import no_run, run_uuid
from memory.statements import statements


async def erase(database: Database, run_id: str) -> int:
    """Blank what an ended run holds about people, in one transaction. Returns how many journal entries were blanked.

    Gone are bodies and salts of the journal, title and requester, review cards, reasons and arguments of verdicts,
    inbox bodies, timers, checkpoints and the chat threads that showed the run. Left are ids, kinds, times, statuses,
    who decided, and the hash chain. Erasing twice changes nothing.

    Raises:
        Refused: the run has not ended.
        NotFound: there is no such run.

    """
    sql = statements("erasure")
    values = {"run": run_uuid(run_id)}
    async with database.connection() as connection, connection.transaction():
        run = await (await connection.execute(sql["lock"], values)).fetchone()
        if run is None:
            raise no_run(run_id)
        if not run["ended"]:
            raise Refused(f"Run {run_id} has not ended, so it cannot be erased.", hint="Cancel it first.")
        blanked = await (await connection.execute(sql["rows"], values)).fetchone()
        for rows in ("timers", "chats"):
            await connection.execute(sql[rows], values)
        await forget_checkpoints(connection, str(values["run"]))
    return int(blanked["blanked"]) if blanked else 0
