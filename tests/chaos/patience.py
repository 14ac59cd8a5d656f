"""Waiting for something outside of this process: asked again and again, for so long and no longer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable


async def until(holds: Callable[[], Awaitable[bool]], *, seconds: float = 60, every: float = 0.05) -> None:
    """Return once it holds.

    Raises:
        TimeoutError: it did not within ``seconds``.

    """
    async with asyncio.timeout(seconds):
        while True:
            if await holds():
                return
            await asyncio.sleep(every)  # sleep: nobody outside tells us
