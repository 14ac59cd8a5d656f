"""Record and effect are one transaction: both are there or neither."""

import time
from pathlib import Path

import pytest

from sandbox.engine.store import Store
from sandbox.engine.work import Call, Work


async def test_a_transaction_that_fails_leaves_neither_record_nor_effect(tmp_path: Path) -> None:
    """What was written before the failure is taken back, on the file too."""
    store = Store(tmp_path, time.time)
    call = Call(system="payroll", operation="create_employee", method="POST", path="/employees", key=None, body=b"")

    async def keep_and_fail() -> None:
        async with store.transaction() as db:
            Work(db, call, store.now(), 0).keep("employee", "E-1", {"name": "Ada"}, subject="ada", reference=None)
            raise RuntimeError("struck")

    with pytest.raises(RuntimeError, match="struck"):
        await keep_and_fail()
    store.close()
    store = Store(tmp_path, time.time)
    async with store.transaction() as db:
        for table in ("records", "fields", "effects"):
            assert db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] == 0, table
    store.close()
