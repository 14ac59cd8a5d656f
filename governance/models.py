"""Models as everybody sees them: what a call took, what limits there are, and how the day went."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

MICRO = 1_000_000
"""Millionths of a dollar in a dollar: money is counted in whole millionths."""


@dataclass(frozen=True)
class ModelLimits:
    """What models may take: calls a minute of each, and millionths of a dollar for a run and for a day (UTC); 0: no limit."""

    calls_per_minute: int = 60
    run_microusd: int = MICRO
    day_microusd: int = 20 * MICRO


@dataclass(frozen=True)
class CallBegun:
    """A call that is about to be made.

    ``run_id``: an empty text outside runs. ``at`` is business time. ``most_microusd``: what it may cost at most, held
    back from the limits until it has ended.
    """

    run_id: str
    kind: str
    model: str
    prompt: str
    at: datetime
    most_microusd: int = 0


@dataclass(frozen=True)
class CallEnded:
    """What a call took. ``why``: what was wrong with it, by its kind alone, never in the model's words."""

    ok: bool
    why: str = ""
    tokens_in: int = 0
    tokens_out: int = 0
    cost_microusd: int = 0
    latency_ms: int = 0


@dataclass(frozen=True)
class Leave:
    """May a call be made? ``call``: its id, or an empty text, and then ``why`` says what stands against it.

    ``wait``: from now; others are before it.
    """

    call: str = ""
    why: str = ""
    wait: timedelta = timedelta(0)


@dataclass(frozen=True)
class ModelDay:
    """What one model was asked in a day. ``latency_ms``: the mean; ``last_failure``: its kind, or an empty text."""

    model: str
    calls: int = 0
    failed: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    cost_microusd: int = 0
    latency_ms: int = 0
    last_failure: str = ""


@dataclass(frozen=True)
class ModelStatus:
    """A model as it is set. ``role``: model or fallback. ``price``: dollars for a million tokens in and out, if known."""

    role: str
    price: tuple[float, float] | None
    day: ModelDay


@dataclass(frozen=True)
class ModelsStatus:
    """All of it: who decides, in one sentence; what about; the limits; each model's day; what the day has cost.

    ``day_microusd`` has what is held back for calls under way, too.
    """

    sentence: str
    kinds: tuple[str, ...]
    limits: ModelLimits
    models: tuple[ModelStatus, ...] = ()
    day_microusd: int = 0
