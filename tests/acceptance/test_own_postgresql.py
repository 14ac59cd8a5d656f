"""docs/how-to/use-your-own-postgresql.md: its SQL gives a database on which Steward runs with two roles."""

from __future__ import annotations

import re
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from pydantic import SecretStr

from memory.embedded import embedded_postgres
from runtime.settings import Settings
from runtime.wiring import build
from tests.house.tree import ROOT

PAGE = ROOT / "docs" / "how-to" / "use-your-own-postgresql.md"


async def say(url: str, *statements: str) -> None:
    """Run statements, one at a time."""
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        for statement in statements:
            await connection.execute(statement.encode())


async def test_two_roles_made_as_the_page_says_are_enough(tmp_path: Path) -> None:
    """The first start makes the tables and the application's login a mere member of its role."""
    (block,) = re.findall(r"```sql\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    make = block.strip().split(";\n")
    async with embedded_postgres(tmp_path / "postgres") as server:
        # A server that knows nothing of Steward: the embedded one comes with a database and the application's role.
        await say(server.owner_url, "DROP OWNED BY steward_app", "DROP ROLE steward_app")
        bare = make_conninfo(server.owner_url, dbname="template1")
        await say(bare, "DROP DATABASE steward WITH (FORCE)", *make)
        owner = make_conninfo(bare, dbname="steward", user="steward_owner")
        app = make_conninfo(bare, dbname="steward", user="steward")
        settings = Settings(state=tmp_path, database_url=SecretStr(app), database_owner_url=SecretStr(owner))
        async with build(settings) as steward:
            assert await steward.runs() == []
            assert (await steward.verify()).ok
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            await say(app, "DROP TABLE journal")
