"""A goal: what must exist when a run ends."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from governance.decisions import Decide


class Goal(BaseModel):
    """Something that must exist at the end, named by what a tool ``provides``; or to be looked up, named by a tool that reads.

    ``args`` binds arguments of the providing tool with expressions of the plan language (``{"$ref": "request.site"}``);
    what it leaves out, the planner finds by semantic type. ``when`` is a condition of the closed grammar. ``decide`` lets
    an agent choose, where the goal is a choice.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    provides: str
    args: dict[str, Any] = Field(default_factory=dict)
    when: dict[str, Any] | None = None
    after: tuple[str, ...] = ()
    decide: Decide | None = None
    reason: str
