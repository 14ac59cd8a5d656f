"""What may be done next about a call: the table of effect classes (DESIGN 5) as one pure function."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from governance.effects import EffectClass
from tools.contract import Tool


class Move(StrEnum):
    """Call it (again), look it up, or ask a person."""

    CALL = "call"
    LOOK_UP = "look_up"
    ASK = "ask"


@dataclass(frozen=True)
class Next:
    """A move, and the moment before which it must not be made."""

    move: Move
    at: datetime


def next_move(
    tool: Tool, *, now: datetime, in_doubt: bool, may_call: bool, deadline: datetime, key_expires: datetime | None
) -> Next:
    """The next move for a step.

    ``in_doubt``: an attempt of ours may have happened. ``may_call``: attempts are left and none has failed for good.
    ``deadline``: when the last attempt's answer cannot come any more. A lookup is made once ``settle`` has passed
    since then and ``lag`` on top, so that its NONE can be believed.
    """
    if not in_doubt or tool.effect is EffectClass.READ:
        return Next(Move.CALL, now)
    if may_call and _call_is_harmless(tool, now, key_expires):
        return Next(Move.CALL, now)
    settled = deadline + tool.settle
    if tool.lookup is not None:
        return Next(Move.LOOK_UP, max(now, settled + tool.lag))
    return Next(Move.ASK, max(now, settled))


def _call_is_harmless(tool: Tool, now: datetime, key_expires: datetime | None) -> bool:
    """Whether a second call cannot make a second effect.

    A key must outlive the whole attempt: the system may look at it as late as the attempt's last moment.
    """
    if tool.effect is EffectClass.KEYED:
        return key_expires is None or now + tool.timeout < key_expires
    return tool.effect is EffectClass.NATURAL_KEY
