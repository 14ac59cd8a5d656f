"""The plan language: a typed DAG of steps, as data.

Values in ``args`` are JSON literals, ``{"$ref": "request.email"}`` or ``{"$ref": "account.user_id"}`` (a step's
output), ``{"$text": "{request.first_name} {request.last_name}"}`` and ``{"$first": [value, …]}``, at any depth.
``when`` is a condition (governance/conditions.py) over the same scope. ``for_each`` makes a step once for each item of
a list, ``not_before`` holds it back until a moment, ``decide`` lets an agent choose in a step that chooses. The language is
wider than what the dispatcher runs yet; the checker refuses the rest by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from governance.canonical import digest
from governance.decisions import Confidence, Decide
from plans.expressions import Expression, parse

SCHEMA = 1
STEP_ID = r"^[a-z][a-z0-9_]*$"
RESERVED = frozenset({"request", "item", "run"})


MOST_ITEMS = 100


class ForEach(BaseModel):
    """A list, and what tells its items apart. ``item`` is a root in the step's ``args`` and ``when``.

    ``items`` is a list, a ``$ref`` to one, or a ``$first`` of these; ``key`` a text or whole number over ``item``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    items: Any
    key: Any
    max: int = Field(default=MOST_ITEMS, ge=1, le=1000, strict=True)


class Step(BaseModel):
    """One tool call with a reason and a confidence."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=STEP_ID, max_length=60)
    tool: str = Field(description="name and version: identity.create_account@1")
    args: dict[str, Any] = Field(default_factory=dict)
    reason: str = Field(min_length=1)
    confidence: Confidence
    when: dict[str, Any] | None = None
    after: tuple[str, ...] = ()
    for_each: ForEach | None = None
    decide: Decide | None = None
    not_before: Any = Field(default=None, description="a date (00:00 UTC) or a date-time, or a reference to one")

    @cached_property
    def expressions(self) -> Mapping[str, Expression]:
        """The arguments, parsed."""
        return {name: parse(value) for name, value in self.args.items()}


class Plan(BaseModel):
    """Steps that reach a playbook's goals. The order of the list means nothing; references and ``after`` do."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: int = Field(default=SCHEMA, alias="schema")
    playbook: str
    goal_steps: dict[str, str] = Field(
        default_factory=dict, description="goal id to the id of the step that reaches it"
    )
    steps: tuple[Step, ...]

    def document(self) -> dict[str, Any]:
        """The plan as the JSON object that is journaled."""
        return self.model_dump(mode="json", by_alias=True, exclude_defaults=True) | {"schema": self.schema_version}

    @property
    def digest(self) -> str:
        """SHA-256 of the document: what a plan review grants."""
        return digest(self.document())

    def step(self, step_id: str) -> Step:
        """The step of that id. Raises KeyError."""
        return next((s for s in self.steps if s.id == step_id), None) or _no_step(step_id)


def _no_step(step_id: str) -> Step:
    raise KeyError(step_id)


def instance_id(step_id: str, key: str) -> str:
    """The id of what a step with ``for_each`` is for one item: ``access[engineering]``."""
    return f"{step_id}[{key}]"


def written_id(step_id: str) -> str:
    """The id under which a step stands in the plan: without an item's key."""
    return step_id.partition("[")[0]


def step_and_item(step_id: str) -> tuple[str, str]:
    """A step's id as written, and the key of the item that it is there for, or an empty text."""
    written, _, key = step_id.partition("[")
    return written, key.removesuffix("]")
