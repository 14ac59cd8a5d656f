"""How a database comes to be, and that it is what ``memory.tables`` says."""

from __future__ import annotations

import asyncio
import uuid

import psycopg
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from sqlalchemy import UniqueConstraint, create_engine, pool
from sqlalchemy.schema import SchemaItem

from governance.errors import DatabaseUnavailable
from memory.database import open_database
from memory.migrate import alembic_config, migrate
from memory.tables import METADATA, RUN
from tests.conftest import DatabaseUrls


def ours(item: SchemaItem, name: str | None, kind: str, _reflected: bool, _compared: SchemaItem | None) -> bool:
    """Whether a table is ours and not LangGraph's."""
    return not (kind == "table" and (name or "").startswith("checkpoint"))


def differences(owner_url: str) -> list[object]:
    """What Alembic would change to bring a database to ``memory.tables``."""
    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(owner_url), poolclass=pool.NullPool)
    with engine.connect() as connection:
        options = {"include_object": ours, "compare_type": True, "compare_server_default": True}
        return list(compare_metadata(MigrationContext.configure(connection, opts=options), METADATA))


async def test_a_migrated_database_is_what_the_tables_say(
    database_urls: DatabaseUrls, owner: psycopg.AsyncConnection
) -> None:
    """No difference; and the comparison does notice one."""
    assert await asyncio.to_thread(differences, database_urls.owner_url) == []
    await owner.execute("ALTER TABLE timer ADD COLUMN stray text")
    assert len(await asyncio.to_thread(differences, database_urls.owner_url)) == 1


def test_the_key_of_every_table_of_a_run_begins_with_its_id() -> None:
    """So that run data can be sharded by it; unique constraints too, for no other can be held across shards."""
    people_s = {"chat_thread", "chat_remark"}  # conversations of a person, whatever runs they show
    systems_s = {"system_health", "system_rate"}  # shared by all runs
    templates = {"plan_template", "plan_template_miss"}  # of use to many runs
    company_s = {"autonomy_rule"}  # earned from many runs, for all to come
    events = {"outside_event"}  # published to nobody in particular
    others = {RUN.name, *people_s, *systems_s, *templates, *company_s, *events}
    tables = [table for table in METADATA.sorted_tables if table.name not in others]
    scored = {"decision_score", "decision_scored"}
    of_a_run = {"journal", "review", "inbox", "timer", "chat_run", "model_call", "plan_template_failure", *scored}
    of_a_run |= {"subscription", "event_taken"}
    assert {table.name for table in tables} == of_a_run
    for table in tables:
        assert next(iter(table.primary_key)).name == "run_id"
        uniques = [constraint for constraint in table.constraints if isinstance(constraint, UniqueConstraint)]
        assert all(next(iter(unique.columns)).name == "run_id" for unique in uniques)
        assert not [index for index in table.indexes if index.unique]


async def test_several_processes_may_migrate_at_once_and_again(empty_database_urls: DatabaseUrls) -> None:
    """Each waits for the other, and finds nothing left to do."""
    await asyncio.gather(*(migrate(empty_database_urls.owner_url) for _ in range(3)))
    await migrate(empty_database_urls.owner_url)
    async with open_database(empty_database_urls.app_url) as database:
        assert await database.fetch(b"SELECT count(*) AS runs FROM run") == [{"runs": 0}]


async def test_the_way_back_and_forth(database_urls: DatabaseUrls, owner: psycopg.AsyncConnection) -> None:
    """A downgrade leaves nothing of ours; an upgrade brings it all back."""

    def downgrade() -> None:
        engine = create_engine(
            "postgresql+psycopg://", creator=lambda: psycopg.connect(database_urls.owner_url), poolclass=pool.NullPool
        )
        with engine.begin() as connection:
            command.downgrade(alembic_config(connection), "base")

    await asyncio.to_thread(downgrade)
    left = await owner.execute("SELECT proname::text FROM pg_proc WHERE proname LIKE 'steward%'")
    assert await left.fetchall() == []
    await migrate(database_urls.owner_url)
    assert await asyncio.to_thread(differences, database_urls.owner_url) == []


@pytest.mark.parametrize("may_give_the_role", [True, False])
async def test_an_owner_need_not_be_a_superuser(
    may_give_the_role: bool, empty_database_urls: DatabaseUrls, server_url: str
) -> None:
    """One that made the application's role works with a single address; another one works for the role's own."""
    name = f"owner_{uuid.uuid4().hex[:8]}"
    database = conninfo_to_dict(empty_database_urls.owner_url)["dbname"]
    owner_url = make_conninfo(empty_database_urls.owner_url, user=name)
    async with await psycopg.AsyncConnection.connect(server_url, autocommit=True) as server:
        await server.execute(f"CREATE ROLE {name} LOGIN".encode())
        if may_give_the_role:
            how = "ADMIN TRUE, SET FALSE" if server.info.server_version >= 160000 else "ADMIN OPTION"
            await server.execute(f"GRANT steward_app TO {name} WITH {how}".encode())
        await server.execute(f"ALTER DATABASE {database} OWNER TO {name}".encode())
        try:
            await migrate(owner_url)
            async with open_database(owner_url if may_give_the_role else empty_database_urls.app_url) as opened:
                assert await opened.fetch(b"SELECT current_user") == [{"current_user": "steward_app"}]
        finally:
            await server.execute(f"ALTER DATABASE {database} OWNER TO CURRENT_USER".encode())
            async with await psycopg.AsyncConnection.connect(
                empty_database_urls.owner_url, autocommit=True
            ) as connection:
                await connection.execute(f"DROP OWNED BY {name} CASCADE".encode())
            await server.execute(f"DROP ROLE {name}".encode())


@pytest.mark.parametrize("may_give_the_role", [True, False])
async def test_the_applications_login_becomes_a_member_of_its_role(
    may_give_the_role: bool, database_urls: DatabaseUrls, server_url: str
) -> None:
    """Where the owner may not give the role away, migrating works all the same and the start says what is missing."""
    owner_name, app_name = f"owner_{uuid.uuid4().hex[:8]}", f"App {uuid.uuid4().hex[:8]}"
    database = conninfo_to_dict(database_urls.owner_url)["dbname"]
    owner_url = make_conninfo(database_urls.owner_url, user=owner_name, dbname=f"{database}_own")
    app_url = make_conninfo(owner_url, user=app_name)
    async with await psycopg.AsyncConnection.connect(server_url, autocommit=True) as server:
        await server.execute(f'CREATE ROLE {owner_name} LOGIN; CREATE ROLE "{app_name}" LOGIN'.encode())
        if may_give_the_role:
            await server.execute(f"GRANT steward_app TO {owner_name} WITH ADMIN OPTION".encode())
        await server.execute(f"CREATE DATABASE {database}_own OWNER {owner_name}".encode())
        try:
            await migrate(owner_url, make_conninfo(owner_url, user="nobody_of_this_name"))
            await migrate(owner_url, app_url)
            await migrate(owner_url, app_url)
            if may_give_the_role:
                async with open_database(app_url) as opened:
                    assert await opened.fetch(b"SELECT current_user") == [{"current_user": "steward_app"}]
            else:
                with pytest.raises(DatabaseUnavailable, match="permission denied to set role"):
                    async with open_database(app_url):
                        pass
        finally:
            await server.execute(f"DROP DATABASE {database}_own WITH (FORCE)".encode())
            await server.execute(f'DROP OWNED BY {owner_name} CASCADE; DROP ROLE "{app_name}", {owner_name}'.encode())


async def test_all_is_owned_by_the_owner(owner: psycopg.AsyncConnection) -> None:
    """The application owns nothing, so it can change no table, trigger or function."""
    found = await owner.execute(
        "SELECT relname::text FROM pg_class WHERE relowner = 'steward_app'::regrole"
        " UNION SELECT proname::text FROM pg_proc WHERE proowner = 'steward_app'::regrole"
    )
    assert await found.fetchall() == []


async def test_the_application_cannot_migrate(empty_database_urls: DatabaseUrls) -> None:
    """It is told that the owner must."""
    with pytest.raises(DatabaseUnavailable, match="permission denied") as caught:
        await migrate(empty_database_urls.app_url)
    assert "the owner" in caught.value.hint


async def test_migrating_nowhere_is_one_sentence(empty_database_urls: DatabaseUrls) -> None:
    """As for every connection."""
    with pytest.raises(DatabaseUnavailable, match="does not exist"):
        await migrate(make_conninfo(empty_database_urls.owner_url, dbname="nowhere"))
