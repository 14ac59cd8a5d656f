"""What was done, as the control app reports it: effects, requests and records, read from the store."""

import json
import sqlite3

from sandbox.engine.store import JsonObject

_REFERENCE_FIELDS = ("reference", "externalRef", "external_ref", "externalId")


def counted(
    db: sqlite3.Connection, *, system: str | None, operation: str | None, subject: str | None
) -> list[JsonObject]:
    """Count the effects by system, operation and subject, in the order of their first."""
    rows = db.execute(
        "SELECT system, operation, subject, count(*) AS count, min(at) AS first_at, max(at) AS last_at,"
        " json_group_array(key) FILTER (WHERE key IS NOT NULL) AS keys,"
        " json_group_array(reference) FILTER (WHERE reference IS NOT NULL) AS refs,"
        " json_group_array(id) AS ids"
        " FROM effects WHERE system = ifnull(?, system) AND operation = ifnull(?, operation)"
        " AND subject = ifnull(?, subject) GROUP BY system, operation, subject ORDER BY min(number)",
        (system, operation, subject),
    )
    return [
        {
            "system": row["system"],
            "operation": row["operation"],
            "subject": row["subject"],
            "count": row["count"],
            "keys": _distinct(row["keys"]),
            "references": _distinct(row["refs"]),
            "ids": _distinct(row["ids"]),
            "first_at": row["first_at"],
            "last_at": row["last_at"],
        }
        for row in rows
    ]


def requests_counted(db: sqlite3.Connection, *, system: str | None, operation: str | None) -> list[JsonObject]:
    """Count the requests by system, operation and outcome."""
    rows = db.execute(
        "SELECT system, operation, outcome, count(*) AS count FROM requests WHERE system = ifnull(?, system)"
        " AND operation = ifnull(?, operation) GROUP BY system, operation, outcome ORDER BY min(number)",
        (system, operation),
    )
    return [dict(row) for row in rows]


def newest_requests(db: sqlite3.Connection, *, system: str | None, limit: int) -> list[JsonObject]:
    """Give the newest requests first."""
    rows = db.execute(
        "SELECT * FROM requests WHERE system = ifnull(?, system) ORDER BY number DESC LIMIT ?", (system, limit)
    )
    return [dict(row) for row in rows]


def newest_effects(db: sqlite3.Connection, *, limit: int) -> list[JsonObject]:
    """Give the newest effects first, one by one."""
    return [dict(row) for row in db.execute("SELECT * FROM effects ORDER BY number DESC LIMIT ?", (limit,))]


def counts_by_system(db: sqlite3.Connection) -> dict[str, JsonObject]:
    """Count effects, requests and requests that a fault struck, by system."""
    rows = db.execute(
        "SELECT system, count(*) AS requests, count(*) FILTER (WHERE outcome LIKE 'fault %') AS faults,"
        " (SELECT count(*) FROM effects WHERE effects.system = requests.system) AS effects"
        " FROM requests GROUP BY system"
    )
    return {row["system"]: dict(row) for row in rows}


def records(db: sqlite3.Connection, *, system: str | None, reference: str | None) -> list[JsonObject]:
    """Give the present records, of one system or with one reference if these are given."""
    rows = db.execute("SELECT * FROM records WHERE system = ifnull(?, system) ORDER BY system, kind, id", (system,))
    listed = [
        {
            "system": row["system"],
            "kind": row["kind"],
            "id": row["id"],
            "seeded": bool(row["seeded"]),
            "body": json.loads(row["body"]),
        }
        for row in rows
    ]
    if reference is None:
        return listed
    return [record for record in listed if reference in (record["body"].get(name) for name in _REFERENCE_FIELDS)]


def _distinct(packed: str) -> list[str]:
    return list(dict.fromkeys(json.loads(packed)))
