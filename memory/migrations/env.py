"""Alembic's entry: runs the versions on the connection that ``memory.migrate`` hands over."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection

from memory.tables import METADATA

_connection: Connection = context.config.attributes["connection"]
context.configure(connection=_connection, target_metadata=METADATA, transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
