"""A process that leads a crew until it is killed: ``python -m tests.integration.crew.master COUNT PROGRAM…``."""

from __future__ import annotations

import asyncio
import sys

from surfaces.crew import crew


async def main(count: int, command: list[str]) -> None:
    """Lead."""
    async with crew(count, lambda text: print(text, flush=True), command):
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2:]))
