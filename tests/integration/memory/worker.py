"""A worker process for tests: says who it is, claims runs, says which, and stays until its standard input ends."""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import timedelta

from memory.database import open_database
from memory.liveness import open_liveness
from memory.runs import Runs


async def main(url: str, at_once: int) -> None:
    """Wait for a line, claim until nothing is due, print the claims."""
    lease = timedelta(seconds=60)
    async with open_database(url) as database, open_liveness(url, lease) as worker:
        print(json.dumps({"worker": worker.worker_id}), flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        runs = Runs(database)
        claimed: list[str] = []
        while claims := await runs.claim(worker.worker_id, at_once, lease):
            claimed += [claim.run_id for claim in claims]
        print(json.dumps({"claimed": claimed}), flush=True)
        await asyncio.to_thread(sys.stdin.read)


asyncio.run(main(sys.argv[1], int(sys.argv[2])))
