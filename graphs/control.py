"""What a slice is told from outside while it works: stop taking on new work, or stop at once."""

from __future__ import annotations

import asyncio


class Control:
    """One for each slice. ``drain``: finish what is in flight and hand the run back. ``lose``: the run is not ours."""

    def __init__(self) -> None:
        self._draining = asyncio.Event()
        self._lost = asyncio.Event()

    def drain(self) -> None:
        """Start nothing new."""
        self._draining.set()

    def lose(self) -> None:
        """Cancel local work and write nothing more."""
        self._lost.set()
        self._draining.set()

    @property
    def draining(self) -> bool:
        """Nothing new may start."""
        return self._draining.is_set()

    @property
    def lost(self) -> bool:
        """The run is not ours any more."""
        return self._lost.is_set()

    async def until_draining(self) -> None:
        """Return when the slice shall come to its end."""
        await self._draining.wait()


class PedalBrake:
    """The brake that invocation looks at between attempts (the port is ``tools.contract.Brake``)."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def pull(self) -> None:
        """Nothing new may start, and sleeping retries wake up."""
        self._event.set()

    @property
    def pulled(self) -> bool:
        """True once nothing new may start."""
        return self._event.is_set()

    async def wait(self) -> None:
        """Return when the brake is pulled."""
        await self._event.wait()
