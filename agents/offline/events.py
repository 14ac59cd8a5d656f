"""Of several days in a text, those that a field can mean: not birthdays, not ends of spans, not what was corrected."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date

from agents.offline.dates import DateReading
from agents.offline.passages import cue_pattern

CORRECTION = re.compile(
    r"\b(?:correction|sorry|no,? wait|wait,? no|i mean|i meant|rather|make (?:that|it)|not quite|actually)\b[^\n]{0,30}$",
    re.IGNORECASE,
)
_OTHER = re.compile(
    r"\b(?:born|birthday|signed|interview(?:ed)?|accepted|offer|gave notice|handed in|notice on|discussed|yesterday|phone|joined)\b"
    r"[^.!?\n]{0,40}$",
    re.IGNORECASE,
)
_END = re.compile(r"\b(?:until|till|through|to|ending|ends)\s+(?:the\s+)?$", re.IGNORECASE)
_INSTEAD = re.compile(r"\b(?:instead of|rather than|not(?: on)?)\s+(?:the\s+)?$", re.IGNORECASE)


def likely(text: str, cues: Sequence[str], readings: Sequence[DateReading], today: date) -> list[DateReading]:
    """The readings that are left; never none of them, and two where nothing tells which is meant."""
    left = list(readings)
    corrected = [reading for reading in left[1:] if CORRECTION.search(text[left[0].end : reading.start])]
    if corrected:
        return corrected[-1:]
    pattern = cue_pattern(cues)
    ends = pattern is not None and re.fullmatch(pattern, "until") is not None
    for drop in (
        lambda reading: bool(_INSTEAD.search(text[: reading.start])),
        lambda reading: bool(_OTHER.search(_sentence(text, reading.start))),
        lambda reading: not ends and bool(_END.search(text[: reading.start])),
        lambda reading: bool(reading.candidates) and max(reading.candidates) < today,
    ):
        left = [reading for reading in left if not drop(reading)] or left
    return left


def _sentence(text: str, end: int) -> str:
    """What stands before ``end`` in its sentence, as far as the day before it."""
    return re.split(r"[.!?]\s|\n|\d{4}\b", text[:end])[-1]
