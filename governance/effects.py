"""What a call does to a system, and what came back: the words that tools, dispatcher and journal share."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from governance.reviews import Grant


class EffectClass(StrEnum):
    """What may be done after a crash or a time-out (the table of effect classes in docs/explanation/effects.md)."""

    READ = "read"
    NATURAL_KEY = "natural_key"
    KEYED = "keyed"
    RECONCILABLE = "reconcilable"
    UNSAFE = "unsafe"


class FailureClass(StrEnum):
    """What a call's failure means."""

    TRANSIENT = "transient"
    PERMANENT = "permanent"
    AMBIGUOUS = "ambiguous"


class LookupAnswer(StrEnum):
    """The three answers of a lookup."""

    OURS = "ours"
    NONE = "none"
    FOREIGN = "foreign"


class StepStatus(StrEnum):
    """How a step ended. STOPPED: surely not done, because the run was cancelled or failing first."""

    DONE = "done"
    SKIPPED = "skipped"
    FAILED = "failed"
    REFUSED = "refused"
    STOPPED = "stopped"


class UndoCall(BaseModel):
    """The act that takes an effect back: a tool call whose arguments may still refer to ``output.…``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tool: str
    args: dict[str, Any] = Field(default_factory=dict)


class Failure(BaseModel):
    """Why a call did not end well. ``fix`` is a proposal for the input, or empty."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    failure: FailureClass
    code: str = ""
    message: str
    fix: str = ""


class Intent(BaseModel):
    """The durable note before an effect. Retries, reconciliations and redeliveries run under the same one.

    ``args`` are resolved. ``deadline`` is when the first attempt's answer cannot come any more; ``key_expires`` when
    the target forgets the key (None: never, or it has none). ``callback`` and ``answer_by`` are a deferred tool's:
    the address itself stands nowhere.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    step: str
    tool: str
    args: dict[str, Any]
    effect: EffectClass
    key: str
    began: datetime
    deadline: datetime
    key_expires: datetime | None = None
    undo: UndoCall | None = None
    grant: Grant | None = None
    callback: str = Field(default="", description="sha256 of the address at which a deferred tool's answer is taken")
    answer_by: datetime | None = None


UNDO = "undo:"


def undo_id(step_id: str) -> str:
    """The id of the step that takes another one's effect back. No step of a plan can be called that."""
    return UNDO + step_id


class UndoItem(BaseModel):
    """One line of an undo list. ``call`` is None for what cannot be undone; ``why`` then says why."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    step: str
    tool: str
    what: str
    call: UndoCall | None = None
    why: str = ""
