"""What a slice is told from outside while it works: look again, stop taking on new work, or stop at once."""

from __future__ import annotations

import asyncio


class Control:
    """One for each slice. ``drain``: finish what is in flight and hand the run back. ``lose``: the run is not ours.

    ``news`` is set when there is something to look at, also by calls that end. ``hinted``: something was left for the run.
    """

    def __init__(self) -> None:
        self.news = asyncio.Event()
        self.hinted = False
        self._draining = False
        self._lost = False

    def hint(self) -> None:
        """Something may have been left for the run."""
        self.hinted = True
        self.news.set()

    def drain(self) -> None:
        """Start nothing new."""
        self._draining = True
        self.news.set()

    def lose(self) -> None:
        """Cancel local work and write nothing more."""
        self._lost = self._draining = True
        self.news.set()

    @property
    def draining(self) -> bool:
        """Nothing new may start."""
        return self._draining

    @property
    def lost(self) -> bool:
        """The run is not ours any more."""
        return self._lost


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
