"""A warm parent: imports everything once, then forks a worker for each line on its standard input and prints its pid.

    python -m tests.chaos.nursery <order as JSON>

The order: ``settings`` of the workers, ``log``, the file that takes what they print, and ``mutation``, which is what is
broken in them on purpose (``mutations.py``). A fork takes milliseconds where a start takes seconds, so a storm kills
workers at work and not at their imports. Each worker's sessions at PostgreSQL say its pid (``application_name``), so that
it can be seen from outside which of them wrote what.
"""

from __future__ import annotations

import runtime.import_guard  # noqa: F401 - first: it makes checkpoints strict

import asyncio
import gc
import json
import os
import signal
import sys
from typing import Any

from psycopg.conninfo import make_conninfo
from pydantic import SecretStr

from governance.errors import Unavailable
from runtime.knowledge import Knowledge, load_knowledge
from runtime.settings import Settings
from runtime.wiring import build
from tests.chaos.mutations import mutate

NAME = "chaos-{pid}"


async def _work(settings: Settings, knowledge: Knowledge) -> None:
    """As under a supervisor that starts it anew after a second while the database is away."""
    while True:
        try:
            async with build(settings, knowledge=knowledge) as steward:
                await steward.work_forever()
        except Unavailable as error:
            sys.stderr.write(f"worker {os.getpid()} starts anew: {error}\n")
            await asyncio.sleep(1)  # sleep: the supervisor's pause
        else:
            return


def _child(order: dict[str, Any], knowledge: Knowledge) -> None:
    log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(0)
    url = make_conninfo(order["settings"]["database_url"], application_name=NAME.format(pid=os.getpid()))
    settings = Settings.model_validate({**order["settings"], "database_url": SecretStr(url)})
    asyncio.run(_work(settings, knowledge))


def main() -> None:
    """Fork until standard input ends; then end all children and oneself."""
    order = json.loads(sys.argv[1])
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # children are reaped by the kernel
    mutate(order.get("mutation", ""))
    knowledge = load_knowledge(Settings.model_validate(order["settings"]).home)
    gc.freeze()
    for _ in sys.stdin:
        child = os.fork()
        if child == 0:
            try:
                _child(order, knowledge)
            finally:
                os._exit(0)
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()
    os.killpg(os.getpgid(0), signal.SIGKILL)


if __name__ == "__main__":
    main()
