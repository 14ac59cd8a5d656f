"""A worker's identity: a database session that holds its lock for as long as the process lives, and renews its leases.

The session belongs to a thread, so that a busy event loop does not look like a dead worker. When the process is killed
the kernel closes the connection, the lock goes, and others reap the worker's runs at once; the lease covers hangs.
"""

from __future__ import annotations

import asyncio
import select
import socket
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import DictRow, dict_row

from memory.database import explained
from memory.statements import statements

_KEEPALIVES = "keepalives_idle=5 keepalives_interval=2 keepalives_count=3 tcp_user_timeout=10000 connect_timeout=10"
_Session = psycopg.Connection[DictRow]


@dataclass(frozen=True)
class Liveness:
    """One worker. ``lost`` is set when its session is gone: stop at once and write nothing, the runs are others' now."""

    worker_id: int
    lost: asyncio.Event = field(default_factory=asyncio.Event)


@asynccontextmanager
async def open_liveness(app_url: str, lease: timedelta) -> AsyncIterator[Liveness]:
    """Be a worker for as long as the block lasts; its leases are renewed to ``lease`` every third of it.

    Raises:
        DatabaseUnavailable: the session cannot be had.

    """
    with explained(app_url):
        session, worker_id = await asyncio.to_thread(_begin, app_url, lease)
    liveness = Liveness(worker_id)
    loop = asyncio.get_running_loop()
    stop, stopped = socket.socketpair()

    def keep() -> None:
        if not _kept(session, worker_id, lease, stopped):
            loop.call_soon_threadsafe(liveness.lost.set)

    keeper = threading.Thread(target=keep, name=f"liveness-{worker_id}", daemon=True)
    keeper.start()
    try:
        yield liveness
    finally:
        stop.close()
        await asyncio.to_thread(keeper.join)
        stopped.close()


def _begin(app_url: str, lease: timedelta) -> tuple[_Session, int]:
    sql = statements("liveness")
    address = make_conninfo(app_url, **conninfo_to_dict(_KEEPALIVES))
    session = psycopg.Connection[DictRow].connect(address, autocommit=True, row_factory=dict_row)
    try:
        session.execute(statements("database")["session"])
        session.execute(sql["begin"], {"patience": str(int(lease / timedelta(milliseconds=1)))})
        row = session.execute(sql["identity"]).fetchone()
        worker_id = int(row["worker_id"]) if row else 0
        session.execute(sql["hold"], {"worker_id": worker_id})
    except BaseException:
        session.close()
        raise
    return session, worker_id


def _kept(session: _Session, worker_id: int, lease: timedelta, stopped: socket.socket) -> bool:
    """Renew until the other end of ``stopped`` closes: True. False when the session is lost before."""
    renew = statements("runs")["renew"]
    pause = lease.total_seconds() / 3
    with session:
        while True:
            try:
                session.execute(renew, {"owner": worker_id, "lease": lease})
            except psycopg.Error:
                return False
            until = time.monotonic() + pause
            # The server says nothing to an idle session: when there is something to read, the session has ended.
            while (left := until - time.monotonic()) > 0:
                readable, _, _ = select.select([session.fileno(), stopped.fileno()], [], [], left)
                if stopped.fileno() in readable:
                    return _released(session, worker_id)
                if readable:
                    break


def _released(session: _Session, worker_id: int) -> bool:
    try:
        session.execute(statements("liveness")["release"], {"worker_id": worker_id})
    except psycopg.Error:
        return False
    return True
