"""The journal cannot be changed, and when somebody stronger than the database's rights changes it, it shows where."""

from __future__ import annotations

import psycopg
import pytest

from governance.chain import Broken, verify
from governance.errors import DatabaseUnavailable
from governance.events import InputDropped, RunEnded, RunStatus
from governance.runs import Rest
from memory.database import Database
from memory.journal import Journal
from memory.runs import Runs
from tests.fixtures.journals import ClaimedRun, claimed


async def five_entries(journal: Journal, runs: Runs) -> ClaimedRun:
    """A run with five entries."""
    run = await claimed(runs)
    await journal.append(run.claim, [run.next() for _ in range(4)])
    return run


@pytest.mark.parametrize(
    "statement",
    [
        b"UPDATE journal SET body = 'x'",
        b"DELETE FROM journal",
        b"TRUNCATE journal",
        b"INSERT INTO journal SELECT * FROM journal",
        b"ALTER TABLE journal DISABLE TRIGGER ALL",
        b"DROP TABLE journal",
        b"SELECT steward_write_rows('{}', '[]')",
        b"INSERT INTO review SELECT * FROM review",
        b"INSERT INTO run SELECT * FROM run",
        b"DELETE FROM run",
        b"UPDATE run SET title = ''",
        b"UPDATE run SET requester = ''",
        b"UPDATE run SET playbook = ''",
        b"UPDATE run SET source = ''",
        b"UPDATE run SET admitted_at = now()",
        b"UPDATE run SET dedupe = NULL",
        b"UPDATE review SET card = NULL",
        b"UPDATE review SET approvers = '{}'",
        b"UPDATE inbox SET body = '{}'",
        b"INSERT INTO outside_event (key, at) VALUES ('', now())",
        b"UPDATE outside_event SET body = ''",
        b"DELETE FROM subscription",
        b"INSERT INTO subscription SELECT * FROM subscription",
        b"DELETE FROM event_taken",
        b"SELECT steward_hold_types('[]')",
    ],
)
async def test_the_application_may_not(statement: bytes, database: Database) -> None:
    """Whatever it tries, also with the word that the erasure sets."""
    with pytest.raises(DatabaseUnavailable, match=r"permission denied|must be owner"):
        await database.fetch(statement)
    async with database.connection() as connection:
        await connection.execute("SET steward.erasing = 'yes'")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            await connection.execute(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE journal SET body = 'x'",
        "UPDATE journal SET body = NULL, salt = NULL",
        "DELETE FROM journal",
        "TRUNCATE journal",
        "SET session_replication_role = replica; DELETE FROM journal",
        "SET steward.erasing = 'yes'; DELETE FROM journal",
        "SET steward.erasing = 'yes'; TRUNCATE journal",
        "SET steward.erasing = 'yes'; UPDATE journal SET body = 'x'",
        "SET steward.erasing = 'yes'; UPDATE journal SET body = NULL, salt = NULL, cause = 'x'",
        "SET steward.erasing = 'yes'; UPDATE journal SET body = NULL, salt = NULL, body_digest = hash",
    ],
)
async def test_not_even_the_owner_may(
    statement: str, journal: Journal, runs: Runs, owner: psycopg.AsyncConnection
) -> None:
    """The trigger holds for a superuser, and lets through what erasure does and nothing more."""
    run = await five_entries(journal, runs)
    before = await journal.read(run.row.id)
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only"):
        await owner.execute(statement.encode())
    assert await journal.read(run.row.id) == before


async def test_the_word_of_the_erasure_holds_no_longer_than_it(
    journal: Journal, runs: Runs, owner: psycopg.AsyncConnection
) -> None:
    """Not even for the rest of its transaction."""
    ended, other = await five_entries(journal, runs), await five_entries(journal, runs)
    await journal.append(ended.claim, [ended.next(RunEnded(status="done"))])
    await runs.finish(ended.claim, Rest(RunStatus.DONE))
    async with owner.transaction(force_rollback=True):
        await owner.execute("SELECT steward_erase(%s)", [ended.row.id])
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only"):
            await owner.execute("UPDATE journal SET body = NULL, salt = NULL WHERE run_id = %s", [other.row.id])
    assert verify([entry async for entry in journal.all_entries()]).erased == 0


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("at", "at + interval '1 microsecond'"),
        ("kind", "'run.parked'"),
        ("cause", "'another'"),
        ("body", "replace(body, 'entry', 'Entry')"),
        ("salt", "set_byte(salt, 0, get_byte(salt, 0) # 1)"),
        ("body_digest", "set_byte(body_digest, 0, get_byte(body_digest, 0) # 1)"),
        ("prev_hash", "set_byte(prev_hash, 31, get_byte(prev_hash, 31) # 1)"),
        ("hash", "set_byte(hash, 31, get_byte(hash, 31) # 1)"),
        ("seq", "30"),
    ],
)
async def test_a_change_of_any_column_is_found_where_it_is(
    column: str, value: str, journal: Journal, runs: Runs, owner: psycopg.AsyncConnection
) -> None:
    """Made by a superuser who takes the trigger away first."""
    run = await five_entries(journal, runs)
    await tamper(owner, f"UPDATE journal SET {column} = {value} WHERE seq = 3")
    found = verify([entry async for entry in journal.all_entries()])
    assert found.broken[0].run_id == run.row.id
    assert found.broken[0].seq == (4 if column == "seq" else 3)  # renumbered: first missing at its old place


@pytest.mark.parametrize(("deleted", "seen_at"), [(1, 2), (3, 4)])
async def test_a_missing_entry_is_found(
    deleted: int, seen_at: int, journal: Journal, runs: Runs, owner: psycopg.AsyncConnection
) -> None:
    """The first, or one in the middle: the one after it does not fit."""
    run = await five_entries(journal, runs)
    await tamper(owner, f"DELETE FROM journal WHERE seq = {deleted}")
    found = verify([entry async for entry in journal.all_entries()])
    why = f"expected number {deleted}, found {seen_at}: entries are missing or out of order"
    assert found.broken == (Broken(run.row.id, seen_at, why),)


async def test_a_missing_end_is_not_found_by_the_chain_alone(
    journal: Journal, runs: Runs, owner: psycopg.AsyncConnection
) -> None:
    """The limit of a chain: without a seal kept elsewhere, a journal that lost its last entries looks whole."""
    await five_entries(journal, runs)
    await tamper(owner, "DELETE FROM journal WHERE seq = 5")
    assert verify([entry async for entry in journal.all_entries()]).ok


async def test_a_run_that_was_taken_out_whole_is_not_found_by_the_chain_alone(
    journal: Journal, runs: Runs, owner: psycopg.AsyncConnection
) -> None:
    """The same limit: chains are per run."""
    await five_entries(journal, runs)
    await tamper(owner, "DELETE FROM journal")
    assert verify([entry async for entry in journal.all_entries()]).ok


@pytest.mark.parametrize(
    ("blanks", "where", "seen_at", "why"),
    [
        ("body = NULL, salt = NULL", "seq = 3", 3, "blanked, though its run was not erased"),
        ("body = NULL, salt = NULL", "seq > 1", 2, "blanked, though its run was not erased"),
        ("body = NULL, salt = NULL", "true", 1, "blanked, though its run was not erased"),
        ("body = NULL", "seq = 3", 3, "body and salt are there together, or both blanked"),
        ("salt = NULL", "seq = 3", 3, "body and salt are there together, or both blanked"),
    ],
)
async def test_what_is_blanked_is_a_whole_run_that_has_ended_or_a_break(
    blanks: str, where: str, seen_at: int, why: str, journal: Journal, runs: Runs, owner: psycopg.AsyncConnection
) -> None:
    """Erasure is all or nothing, and only of ended runs, so anything else was somebody's hand."""
    run = await five_entries(journal, runs)
    await tamper(owner, f"UPDATE journal SET {blanks} WHERE {where}")
    found = verify(await journal.read(run.row.id))
    assert found.broken[0] == Broken(run.row.id, seen_at, why)
    assert found.erased == 0


async def test_breaks_are_told_run_by_run_in_order(
    journal: Journal, runs: Runs, owner: psycopg.AsyncConnection
) -> None:
    """Also those that show only at a run's end."""
    first, second = await five_entries(journal, runs), await five_entries(journal, runs)
    await tamper(owner, "UPDATE journal SET body = NULL, salt = NULL WHERE seq = 2")
    await tamper(owner, "UPDATE journal SET cause = 'another' WHERE seq = 4")
    broken = verify([entry async for entry in journal.all_entries()]).broken
    assert [(b.run_id, b.seq) for b in broken] == [(r.row.id, seq) for r in (first, second) for seq in (2, 4)]


async def test_run_rows_show_what_the_chains_do_not(
    journal: Journal, runs: Runs, owner: psycopg.AsyncConnection
) -> None:
    """The end of an ended run, a journal that is gone, a run that is gone; of one run or of all."""
    ended = await five_entries(journal, runs)
    await journal.append(ended.claim, [ended.next(RunEnded(status="done"))])
    await journal.append(ended.claim, [ended.next(InputDropped(what="cancel", why="the run had ended"))])
    await runs.finish(ended.claim, Rest(RunStatus.DONE))
    emptied, lost = await five_entries(journal, runs), await five_entries(journal, runs)
    assert await journal.loose_ends() == []
    await tamper(owner, f"DELETE FROM journal WHERE seq > 5 OR run_id = '{emptied.row.id}'")
    await owner.execute("SET session_replication_role = replica")  # no foreign keys
    await owner.execute("DELETE FROM run WHERE id = %s", [lost.row.id])
    found = [
        Broken(ended.row.id, 5, "the run has ended, and its journal does not say so"),
        Broken(emptied.row.id, 0, "a run without its journal"),
        Broken(lost.row.id, 5, "a journal without its run"),
    ]
    assert await journal.loose_ends() == found
    assert await journal.loose_ends(emptied.row.id) == [found[1]]
    assert verify([entry async for entry in journal.all_entries()]).ok


async def test_swapped_bodies_are_found(journal: Journal, runs: Runs, owner: psycopg.AsyncConnection) -> None:
    """Each body is bound to its place, salt and all."""
    run = await five_entries(journal, runs)
    await tamper(
        owner,
        "UPDATE journal a SET body = b.body, salt = b.salt, body_digest = b.body_digest FROM journal b"
        " WHERE a.seq IN (2, 3) AND b.seq = 5 - a.seq",
    )
    assert [b.seq for b in verify(await journal.read(run.row.id)).broken] == [2, 3]


async def tamper(owner: psycopg.AsyncConnection, statement: str) -> None:
    """Do what only a superuser can, around the trigger."""
    async with owner.transaction():
        await owner.execute("ALTER TABLE journal DISABLE TRIGGER ALL")
        changed = await owner.execute(statement.encode())
        assert changed.rowcount
        await owner.execute("ALTER TABLE journal ENABLE TRIGGER ALL")
