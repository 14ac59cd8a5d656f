"""Kept plans as people see them: in use or not, what they saved, and why plans were not taken from one."""

from __future__ import annotations

from datetime import datetime

from governance.errors import InvalidInput, NotPermitted
from governance.people import Person
from governance.templates import TemplateRow
from governance.text import text_problem
from graphs.engine import Engine
from runtime.ports import TemplateStore
from runtime.views import TemplatesView, TemplateView


async def templates_view(engine: Engine, store: TemplateStore) -> TemplatesView:
    """Everything about kept plans. Raises DatabaseUnavailable."""
    await store.write()
    rows = await store.rows()
    views = [
        TemplateView(
            id=row.template.id,
            standing=_standing(engine, row),
            row=row,
            saved_calls=row.saved_calls,
            saved_microusd=row.saved_microusd,
            saved_ms=row.saved_ms,
        )
        for row in rows
    ]
    return TemplatesView(tuple(views), tuple(await store.misses()))


async def drop_template(store: TemplateStore, template: str, *, reason: str, by: Person, at: datetime) -> TemplateRow:
    """Drop a template, by its id or the beginning of it.

    Raises:
        NotFound: there is none, or there are several.
        NotPermitted: the person does not manage runs.
        InvalidInput: there is no reason, or one that cannot be kept.
        Refused: it was dropped before.

    """
    if not reason.strip():
        raise InvalidInput("Dropping a template needs a reason.", hint='Give --reason "…": it is what others will read')
    problem = text_problem(reason)
    if problem:
        raise InvalidInput(f"The reason {problem}.", hint="Write it again, shorter or without it.")
    if not by.may("runs:manage"):
        raise NotPermitted(
            f"{by.name} may not drop a template.", hint="It takes the permission runs:manage in people.yaml."
        )
    row = await store.find_prefix(template)
    await store.drop(row.template.id, by=by.id, why=reason, at=at)
    return await store.find_prefix(row.template.id)


def _standing(engine: Engine, row: TemplateRow) -> str:
    if row.dropped_at is not None:
        return "dropped"
    template = row.template
    playbook = engine.playbooks.get(template.playbook)
    there = playbook is not None and playbook.digest == template.playbook_digest
    same = (template.catalog_digest, template.planner) == (engine.compiler.catalog, engine.compiler.identity)
    return "in use" if there and same else "out of date"
