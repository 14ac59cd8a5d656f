"""What holds of a document whatever a request says: found out once, and used for every run that has the document.

Most runs share their plan with others: it was kept, and where their requests differ there stand references.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from governance.canonical import digest
from plans.arguments import argument_findings
from plans.checked import Premises
from plans.expressions import Expression, references
from plans.outline import Outline, Unreadable, draw
from plans.references import Scope, Typed, resolve_type
from plans.schemas import Same
from plans.subject import Argument, Subject, lay_out, unasked

_JUDGED_AT_ADMISSION = frozenset({None, "date", "email"})
"""Formats that a request's values have for certain; those of other formats are looked at themselves."""


@dataclass(frozen=True)
class Prepared:
    """An outline, and the arguments that fit whatever the request holds, as long as it is one of its schema."""

    outline: Outline
    sure: frozenset[Argument]

    def under(self, premises: Premises) -> Subject:
        """What is to be checked for one request."""
        return lay_out(self.outline, premises, self.sure)


@dataclass(frozen=True)
class _Of:
    """What a document is prepared for. Documents of one digest are one."""

    digest: str
    tools: Same
    schema: Same
    max_steps: int
    document: Any = field(compare=False)
    premises: Premises = field(compare=False)


def prepare(document: Any, premises: Premises, *, known_as: str = "") -> Prepared | Unreadable:
    """The document, ready to be checked; any value may be given. ``known_as``: its digest, where that is known."""
    blank = replace(premises, request={}, vouched=None)  # nothing of a run is kept
    tools, schema = Same(premises.tools), Same(premises.request_schema)
    try:
        name = known_as or digest(document)
    except (ValueError, RecursionError):
        return _prepare(_Of("", tools, schema, premises.max_steps, document, blank))
    return _prepared(_Of(name, tools, schema, premises.max_steps, document, blank))


def _prepare(of: _Of) -> Prepared | Unreadable:
    outline = draw(of.document, of.max_steps, of.premises.tools, of.premises.request_schema)
    if isinstance(outline, Unreadable):
        return outline
    subject = unasked(outline, of.premises)
    wrong = {finding.place for finding in argument_findings(subject)}
    sure = frozenset(
        (step_id, name)
        for step_id in subject.tools
        for name, value in subject.expressions[step_id].items()
        if step_id not in subject.loops
        and not any(_is_in(place, f"steps.{step_id}.args.{name}") for place in wrong)
        and _is_judged(value, subject.scope)
    )
    return Prepared(outline, sure)


_prepared = lru_cache(maxsize=256)(_prepare)


def _is_in(place: str, argument: str) -> bool:
    return place == argument or place.startswith(argument + ".")


def _is_judged(value: Expression, scope: Scope) -> bool:
    """Whether nothing of the request that stands in a value could be other than its schema says."""
    asked = [resolve_type(ref.path, scope) for ref in references(value) if ref.root == "request"]
    return all(
        isinstance(typed, Typed) and all(shape.node.get("format") in _JUDGED_AT_ADMISSION for shape in typed.shapes)
        for typed in asked
    )
