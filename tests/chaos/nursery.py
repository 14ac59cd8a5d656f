"""A warm parent: imports everything once, then forks a worker for each line on its standard input and prints its pid.

    python -m tests.chaos.nursery <settings as JSON>

A fork takes milliseconds where a start takes seconds, so a storm kills workers at work and not at their imports.
"""

from __future__ import annotations

import runtime.import_guard  # noqa: F401 - first: it makes checkpoints strict

import asyncio
import json
import os
import signal
import sys

from runtime.settings import Settings
from runtime.wiring import build


async def _work(settings: Settings) -> None:
    async with build(settings) as steward:
        await steward.work_forever()


def main() -> None:
    """Fork until standard input ends; then end all children and oneself."""
    settings = Settings.model_validate(json.loads(sys.argv[1]))
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # children are reaped by the kernel
    for _ in sys.stdin:
        child = os.fork()
        if child == 0:
            os.close(0)
            asyncio.run(_work(settings))
            os._exit(0)
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()
    os.killpg(os.getpgid(0), signal.SIGKILL)


if __name__ == "__main__":
    main()
