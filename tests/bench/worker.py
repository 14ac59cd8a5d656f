"""A worker of Steward in a process of its own, over the bench's knowledge: ``python -m tests.bench.worker <JSON>``.

Says ``ready`` on its standard output once it is put together, works until SIGTERM, and with ``profile`` leaves
cProfile's statistics in that file.
"""

from __future__ import annotations

import runtime.import_guard  # noqa: F401 - first: it makes checkpoints strict

import asyncio
import cProfile
import json
import sys
from typing import Any

from runtime.settings import Settings
from runtime.wiring import build
from tests.bench.work import knowledge


async def _work(settings: Settings) -> None:
    async with build(settings, knowledge=knowledge()) as steward:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await steward.work_forever()


def main() -> None:
    """Work until told to stop."""
    given: dict[str, Any] = json.loads(sys.argv[1])
    settings = Settings.model_validate(given["settings"])
    if not given["profile"]:
        asyncio.run(_work(settings))
        return
    profile = cProfile.Profile()
    profile.enable()
    asyncio.run(_work(settings))
    profile.disable()
    profile.dump_stats(given["profile"])


if __name__ == "__main__":
    main()
