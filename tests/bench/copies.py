"""Databases with very many runs: copies of real ones, made inside PostgreSQL, every table of a run included.

A copy has its own run id and review ids, so its chain (which covers the run id) does not verify: copies are ballast,
never what is measured.
"""

from __future__ import annotations

import psycopg
from psycopg import sql

from memory.tables import METADATA
from tests.bench.server import Server

CHECKPOINTS = ("checkpoints", "checkpoint_blobs", "checkpoint_writes")
_BATCH = 5000


def run_tables() -> dict[str, str]:
    """Every table of a run, with the column that holds the run's id."""
    ours = {name: "run_id" for name, table in METADATA.tables.items() if "run_id" in table.columns}
    return {"run": "id", **ours, **dict.fromkeys(CHECKPOINTS, "thread_id")}


async def multiply(server: Server, database: str, runs: list[str], count: int) -> None:
    """Add ``count`` copies of ``runs``."""
    to = await psycopg.AsyncConnection.connect(server.owner(database), autocommit=True)
    async with to:
        await to.execute("SET session_replication_role = replica")  # the copies' foreign keys are right by construction
        await to.execute("CREATE TEMP TABLE twin (old uuid, new uuid)")
        for begun in range(0, count, _BATCH):
            await to.execute("TRUNCATE twin")
            await to.execute(
                "INSERT INTO twin SELECT (%s::uuid[])[1 + n %% %s], uuidv7() FROM generate_series(1, %s) AS n",
                (runs, len(runs), min(_BATCH, count - begun)),
            )
            async with to.transaction():
                for name, key in run_tables().items():
                    await to.execute(await _copy(to, name, key))
        for name in run_tables():
            await to.execute(sql.SQL("VACUUM (ANALYZE) {}").format(sql.Identifier(name)))


async def _copy(to: psycopg.AsyncConnection[tuple[object, ...]], name: str, key: str) -> sql.Composed:
    found = await to.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped", (name,)
    )
    names = [str(row[0]) for row in await found.fetchall()]
    told = name in (*CHECKPOINTS, "model_call")  # a model may be asked for what is no run yet, so its key is a text
    new = sql.SQL("twin.new::text") if told else sql.SQL("twin.new")
    special = {key: new, "dedupe": sql.SQL("NULL")}
    if name == "review":
        special["id"] = sql.SQL("'rv-' || left(md5(twin.new::text || t.id), 12)")
    values = [special.get(each, sql.SQL("t.{}").format(sql.Identifier(each))) for each in names]
    old = sql.SQL("twin.old::text") if told else sql.SQL("twin.old")
    return sql.SQL("INSERT INTO {} ({}) SELECT {} FROM {} t JOIN twin ON t.{} = {} ON CONFLICT DO NOTHING").format(
        sql.Identifier(name),
        sql.SQL(", ").join(map(sql.Identifier, names)),
        sql.SQL(", ").join(values),
        sql.Identifier(name),
        sql.Identifier(key),
        old,
    )


async def sizes(server: Server, database: str) -> dict[str, int]:
    """Bytes of every table of a run, indexes and toasted values included."""
    statement = "SELECT name, pg_total_relation_size(name::regclass) AS bytes FROM unnest(%s::text[]) AS name"
    return {row["name"]: row["bytes"] for row in await server.fetch(database, statement, (list(run_tables()),))}
