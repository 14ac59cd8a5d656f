"""Plans that are kept, as rows, and a copy in the process that hints and polling keep honest.

A run that finds its plan in the copy pays no round trip. What is said about templates, that one was made, used, missed or
failed by, is written together, within a second; a process that is killed loses what it had not written, and only figures
or a plan that will be made again are lost with it.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
from collections import Counter, OrderedDict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from psycopg.errors import UniqueViolation
from psycopg.rows import DictRow
from pydantic import TypeAdapter

from governance.errors import NotFound, Refused, Unavailable
from governance.templates import FAILURES, Missed, Template, TemplateFailure, TemplateRow
from memory.batching import Together
from memory.database import Database
from memory.hints import Hints
from memory.ids import demand_length
from memory.statements import statements

_WATCHED = "templates"  # the payload of the hints in sql/templates.sql
_MOST = 512
_TEMPLATE = TypeAdapter(Template)
_log = structlog.get_logger("steward.templates")


@dataclasses.dataclass
class _News:
    """What is to be written."""

    kept: dict[str, Template] = dataclasses.field(default_factory=dict)
    used: Counter[str] = dataclasses.field(default_factory=Counter)
    missed: Counter[tuple[str, str]] = dataclasses.field(default_factory=Counter)
    failed: dict[tuple[str, str], TemplateFailure] = dataclasses.field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.kept or self.used or self.missed or self.failed)


class Templates:
    """The port ``graphs.ports.Templates``, and what people ask. Made by ``open_templates``."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = statements("templates")
        self._copy: OrderedDict[str, Template] = OrderedDict()
        self._refused: set[str] = set()
        self._loads = Together(self._load, name="templates")
        self._news = _News()

    async def find(self, key: str) -> Template | None:
        """The plan that is kept under a key; from the copy, if it is there. Raises DatabaseUnavailable."""
        if key in self._copy:
            self._copy.move_to_end(key)
            return self._copy[key]
        found = await self._loads.ask(key)
        if found is not None:
            self._remember(found)
        return found

    def keep(self, template: Template) -> None:
        """Keep a plan, unless there is one under its key or a person dropped the very same.

        In this process it counts at once. Where another worker was first, its plan takes the place of ours soon after.
        """
        if template.id not in self._refused and template.key not in self._copy:
            self._remember(template)
            self._news.kept[template.key] = template

    def used(self, template: str) -> None:
        """A run took its plan from a template."""
        self._news.used[template] += 1

    def missed(self, playbook: str, why: str) -> None:
        """A plan did not come from a template, or did not become one."""
        self._news.missed[playbook, why] += 1

    def failed(self, failure: TemplateFailure) -> None:
        """A run failed by its template; each run counts once."""
        self._news.failed.setdefault((failure.run_id, failure.template), failure)

    async def write(self) -> None:
        """Write what was said since, and drop what failed too often. Raises DatabaseUnavailable; what is not written stays."""
        if not self._news:
            return
        news, self._news = self._news, _News()
        dropped: list[DictRow] = []
        try:
            async with self._database.connection() as connection, connection.transaction():
                for name, values in _statements(news):
                    await connection.execute(self._sql[name], values)
                if news.failed:
                    values = {"ids": sorted({template for _, template in news.failed}), "failures": FAILURES}
                    dropped = await (await connection.execute(self._sql["drop_failing"], values)).fetchall()
        except UniqueViolation:  # another worker was first, at this very moment: the next time we see it
            self._put_back(news)
            return
        except (Unavailable, asyncio.CancelledError):
            self._put_back(news)
            raise
        for row in dropped:
            _log.warning("template dropped", template=row["id"], reason=row["dropped_why"])

    async def refresh(self) -> None:
        """Forget copies of what was dropped, or was kept by another worker first. Raises DatabaseUnavailable."""
        written = {key: one.id for key, one in self._copy.items() if key not in self._news.kept}
        if written:
            rows = await self._database.fetch(self._sql["still_kept"], {"ids": list(written.values())})
            kept = {row["id"] for row in rows}
            for key, template_id in written.items():
                if template_id not in kept and key in self._copy and self._copy[key].id == template_id:
                    del self._copy[key]

    async def tend(self, hints: Hints) -> None:
        """Write and refresh, at each hint and at least once a second, until cancelled."""
        async with contextlib.aclosing(hints.watch(_WATCHED)) as hinted:
            async for _ in hinted:
                with contextlib.suppress(Unavailable):
                    await self.write()
                    await self.refresh()

    async def rows(self, *, limit: int = 100) -> list[TemplateRow]:
        """Templates, the most used first, those that were dropped last."""
        return [_row(row) for row in await self._database.fetch(self._sql["list"], {"limit": limit})]

    async def misses(self) -> list[Missed]:
        """Why plans did not come from templates, or did not become any."""
        return [Missed(**row) for row in await self._database.fetch(self._sql["misses"])]

    async def find_prefix(self, text: str) -> TemplateRow:
        """The one template whose id begins with ``text``, with or without its ``pt-``.

        Raises:
            NotFound: there is none, there are several, or ``text`` has less than 4 digits.

        """
        digits = text.strip().lower().removeprefix("pt-")
        demand_length(digits, text)
        rows = await self._database.fetch(self._sql["beginning_with"], {"text": f"pt-{digits}"})
        if len(rows) > 1:
            raise NotFound(f"More than one template begins with {text!r}.", hint="Give more of the id.")
        if not rows:
            raise NotFound(f"There is no template {text!r}.", hint="`steward templates` lists them.")
        return _row(rows[0])

    async def drop(self, template: str, *, by: str, why: str, at: datetime) -> None:
        """Use a template no more, in any process. Raises Refused when it was dropped before."""
        values = {"id": template, "by": by, "why": why, "at": at}
        if not await self._database.fetch(self._sql["drop"], values):
            raise Refused(f"The template {template} was dropped before.", hint="`steward templates` says by whom.")
        await self.refresh()

    async def _load(self, keys: Sequence[str]) -> list[Template | None]:
        rows = await self._database.fetch(self._sql["of_keys"], {"keys": list(keys)})
        self._refused.update(row["id"] for row in rows if row["refused"])
        found = {row["key"]: _TEMPLATE.validate_json(row["body"]) for row in rows if row["kept"]}
        return [found.get(key) for key in keys]

    def _remember(self, template: Template) -> None:
        self._copy[template.key] = template
        self._copy.move_to_end(template.key)
        while len(self._copy) > _MOST:
            self._copy.popitem(last=False)

    def _put_back(self, news: _News) -> None:
        self._news.used += news.used
        self._news.missed += news.missed
        self._news.kept = {**self._news.kept, **news.kept}
        self._news.failed = {**self._news.failed, **news.failed}


def _statements(news: _News) -> list[tuple[str, dict[str, Any]]]:
    kept, failed = list(news.kept.values()), list(news.failed.values())
    again = {"ids": [one.id for one in kept], "moments": [one.kept_at for one in kept]}
    each: list[tuple[str, bool, dict[str, Any]]] = [
        ("keep_again", bool(kept), again),
        (
            "keep",
            bool(kept),
            {
                "ids": [one.id for one in kept],
                "keys": [one.key for one in kept],
                "playbooks": [one.playbook for one in kept],
                "bodies": [json.dumps(_TEMPLATE.dump_python(one, mode="json")) for one in kept],
                "moments": [one.kept_at for one in kept],
            },
        ),
        # In order of their ids: two processes that write the same rows do not wait for each other.
        ("used", bool(news.used), {"ids": sorted(news.used), "hits": [news.used[one] for one in sorted(news.used)]}),
        (
            "missed",
            bool(news.missed),
            {
                "playbooks": [playbook for playbook, _ in sorted(news.missed)],
                "whys": [why for _, why in sorted(news.missed)],
                "counts": [news.missed[one] for one in sorted(news.missed)],
            },
        ),
        (
            "failed",
            bool(failed),
            {
                "runs": [UUID(one.run_id) for one in failed],
                "ids": [one.template for one in failed],
                "steps": [one.step for one in failed],
                "tools": [one.tool for one in failed],
                "moments": [one.at for one in failed],
            },
        ),
    ]
    return [(name, values) for name, wanted, values in each if wanted]


def _row(row: DictRow) -> TemplateRow:
    return TemplateRow(
        template=_TEMPLATE.validate_json(row["body"]),
        hits=row["hits"],
        failures=row["failures"],
        dropped_at=row["dropped_at"],
        dropped_by=row["dropped_by"],
        dropped_why=row["dropped_why"],
    )


@asynccontextmanager
async def open_templates(database: Database, hints: Hints) -> AsyncIterator[Templates]:
    """Templates that are tended for as long as the block lasts; what was said last is written at its end."""
    templates = Templates(database)
    tender = asyncio.create_task(templates.tend(hints), name="templates")
    try:
        yield templates
    finally:
        tender.cancel()
        await asyncio.gather(tender, return_exceptions=True)
        try:
            await templates.write()
        except Unavailable as error:
            _log.warning("figures about templates are lost", reason=str(error))
