"""Outside events: taken once, left for whoever waits, kept for a week (``sql/publishing.sql`` does it)."""

from __future__ import annotations

from datetime import datetime, timedelta

from psycopg.types.json import Jsonb

from governance.canonical import canonical_json
from governance.outside import KEPT, OutsideEvent, Published
from memory.database import Database
from memory.statements import statements

_MARGIN = timedelta(hours=1)  # the clocks of those who write and those who forget may differ


class OutsideEvents:
    """The events of all other systems."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = statements("outside")

    async def publish(self, event: OutsideEvent, at: datetime) -> Published:
        """Keep an event, leave it for every step that waits for it, and wake their runs, in one transaction.

        A repeat of its source and id changes nothing and answers as the first did.

        Raises:
            DatabaseUnavailable: whether it was taken is not known; publish it again.

        """
        values = {
            "key": event.key,
            "at": at,
            "fields": Jsonb(event.fields),
            "body": canonical_json(event.model_dump(mode="json")),
        }
        (row,) = await self._database.fetch(self._sql["publish"], values)
        return Published(first=bool(row["first"]), woken=int(row["woken"]))

    async def forget(self, now: datetime) -> None:
        """Delete the events that came more than a week before ``now``; what runs took of them stays with the runs."""
        await self._database.fetch(self._sql["forget"], {"before": now - KEPT - _MARGIN})
