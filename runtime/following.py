"""Following a run's journal as it grows: by cursor, with notifications as hints and polling as the truth."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass

from governance.chain import Entry
from runtime.ports import Hints, JournalReader

LAST = "run.ended"


@dataclass(frozen=True)
class Following:
    """The port ``runtime.ports.Follower`` over a journal and its hints."""

    journal: JournalReader
    hints: Hints

    async def __call__(self, run_id: str, *, after: int, follow: bool) -> AsyncIterator[Entry]:
        """Entries after ``after``; with ``follow`` until the run has ended, otherwise up to the present tail."""
        async with aclosing(self.hints.watch_growth(run_id)) as hinted:
            async for _ in hinted:
                for entry in await self.journal.read(run_id, after):
                    after = entry.seq
                    yield entry
                    if entry.kind == LAST:
                        return
                if not follow:
                    return
