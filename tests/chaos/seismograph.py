"""What PostgreSQL itself saw: who claimed which run when, and who wrote an entry that was not theirs to write.

Triggers of the battery, in its scratch databases only. They know a worker by its sessions' name, not by what the engine
says of itself: an entry is **stale** when it is written to a run that another worker owns at that moment, or nobody.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg

from tests.conftest import DatabaseUrls

_INSTALL = """
CREATE TABLE chaos_claim (run_id uuid, epoch bigint, owner int, app text, at timestamptz DEFAULT clock_timestamp(),
    PRIMARY KEY (run_id, epoch));
CREATE TABLE chaos_stale (run_id uuid, seq bigint, kind text, app text, owner int, at timestamptz DEFAULT clock_timestamp());
CREATE TABLE chaos_timer (late interval);

CREATE FUNCTION chaos_claimed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    INSERT INTO chaos_claim (run_id, epoch, owner, app)
    VALUES (NEW.id, NEW.epoch, NEW.owner, current_setting('application_name')) ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER chaos_claimed AFTER UPDATE OF epoch ON run FOR EACH ROW WHEN (NEW.epoch > OLD.epoch)
    EXECUTE FUNCTION chaos_claimed();

CREATE FUNCTION chaos_written() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    holder record;
BEGIN
    SELECT r.owner, c.app INTO holder FROM run r LEFT JOIN chaos_claim c ON c.run_id = r.id AND c.epoch = r.epoch
    WHERE r.id = NEW.run_id;
    IF NEW.seq > 1 AND (holder.owner IS NULL OR holder.app IS DISTINCT FROM current_setting('application_name')) THEN
        INSERT INTO chaos_stale (run_id, seq, kind, app, owner)
        VALUES (NEW.run_id, NEW.seq, NEW.kind, current_setting('application_name'), holder.owner);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER chaos_written AFTER INSERT ON journal FOR EACH ROW EXECUTE FUNCTION chaos_written();

CREATE FUNCTION chaos_fired() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    INSERT INTO chaos_timer VALUES (clock_timestamp() - OLD.due_at);
    RETURN NULL;
END $$;
CREATE TRIGGER chaos_fired AFTER DELETE ON timer FOR EACH ROW WHEN (OLD.timer_id LIKE 'chaos%')
    EXECUTE FUNCTION chaos_fired();
"""
_HOLDERS = """
SELECT substr(a.application_name, 7)::int AS pid, l.objid::int AS worker,
       (SELECT count(*) FROM run r WHERE r.owner = l.objid::int) AS held
FROM pg_locks l JOIN pg_stat_activity a USING (pid)
WHERE l.locktype = 'advisory' AND l.classid = 7001 AND l.granted AND a.application_name LIKE 'chaos-%'
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


@dataclass(frozen=True)
class Holder:
    """A worker that holds its lock: its process, its number, and how many runs it has."""

    pid: int
    worker: int
    held: int


@dataclass(frozen=True)
class Seismograph:
    """Reads what the triggers wrote. One connection for each question, so that a restart of the server is survived."""

    urls: DatabaseUrls

    async def install(self) -> None:
        """Put the triggers there; the tables must be."""
        async with await psycopg.AsyncConnection.connect(self.urls.owner_url, autocommit=True) as connection:
            await connection.execute(_INSTALL)

    async def ask(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """The rows. Raises psycopg.OperationalError while the server is away."""
        async with await psycopg.AsyncConnection.connect(self.urls.owner_url, autocommit=True) as connection:
            cursor = await connection.execute(query, values or None)
            return await cursor.fetchall() if cursor.description else []

    async def stale_writes(self) -> int:
        """Entries written by whoever did not own the run."""
        return int((await self.ask("SELECT count(*) FROM chaos_stale"))[0][0])

    async def holders(self) -> list[Holder]:
        """The workers that are alive for PostgreSQL, and how many runs each has."""
        return [Holder(*row) for row in await self.ask(_HOLDERS)]

    async def statuses(self) -> dict[str, int]:
        """How many runs stand where."""
        return {str(s): int(n) for s, n in await self.ask("SELECT status, count(*) FROM run GROUP BY status")}

    async def unfinished(self) -> int:
        """Runs that have not ended and are not parked."""
        query = "SELECT count(*) FROM run WHERE ended_at IS NULL AND status <> 'parked'"
        return int((await self.ask(query))[0][0])

    async def parked(self) -> list[str]:
        """Why runs are parked."""
        query = "SELECT DISTINCT body::jsonb ->> 'reason' FROM journal WHERE kind = 'run.parked' LIMIT 20"
        return [str(row[0]) for row in await self.ask(query)]

    async def kinds(self) -> dict[str, int]:
        """How many events of each kind."""
        return {str(k): int(n) for k, n in await self.ask("SELECT kind, count(*) FROM journal GROUP BY kind")}

    async def retaken(self) -> int:
        """Claims after a run's first."""
        return int((await self.ask("SELECT count(*) FROM chaos_claim WHERE epoch > 1"))[0][0])
