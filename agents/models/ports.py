"""A model as the desk asks it: one call, and an answer or what was wrong, as data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

from governance.models import CallBegun, CallEnded, Leave, ModelDay


class Speaker(StrEnum):
    """Who said something to, or as, the model."""

    SYSTEM = "system"
    USER = "user"
    MODEL = "model"


@dataclass(frozen=True)
class Message:
    """Something said."""

    by: Speaker
    text: str


@dataclass(frozen=True)
class Form:
    """The answer that is wanted: an object that fits ``schema``. ``name`` is what it is about."""

    name: str
    schema: Mapping[str, Any]


@dataclass(frozen=True)
class Said:
    """A whole answer, not looked into yet. Tokens None: the endpoint did not count."""

    text: str
    tokens_in: int | None = None
    tokens_out: int | None = None


@dataclass(frozen=True)
class Trouble:
    """No answer that could be looked into. ``why`` is the end of a sentence, in our words: foreign ones may hold keys.

    ``transient``: the same call may work later, not before ``retry_after``. ``unusable``: it did answer, and asking in
    other words may help.
    """

    why: str
    transient: bool = False
    unusable: bool = False
    retry_after: timedelta | None = None
    tokens_in: int | None = None
    tokens_out: int | None = None


class Model(Protocol):
    """One model behind one endpoint."""

    @property
    def name(self) -> str: ...

    @property
    def most_tokens(self) -> int:
        """The longest answer."""
        ...

    async def say(self, messages: Sequence[Message], form: Form) -> Said | Trouble:
        """One call, without a second try. Total: whatever goes wrong is in the answer."""
        ...


class Ledger(Protocol):
    """Counts calls for all processes, and keeps the limits (``memory.modelcalls``)."""

    async def begin(self, call: CallBegun) -> Leave: ...
    async def end(self, call: str, ended: CallEnded) -> None: ...
    async def day(self, now: datetime) -> tuple[ModelDay, ...]: ...
