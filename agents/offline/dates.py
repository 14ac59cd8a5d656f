"""Dates in sentences. What can be read in two ways is given with both, and never decided."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from dateutil.relativedelta import relativedelta

_MONTH_NAMES = "january february march april may june july august september october november december"
_DAY_NAMES = "monday tuesday wednesday thursday friday saturday sunday"
_ORDINAL_WORDS = (
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth"
    " sixteenth seventeenth eighteenth nineteenth twentieth twenty-first twenty-second twenty-third twenty-fourth"
    " twenty-fifth twenty-sixth twenty-seventh twenty-eighth twenty-ninth thirtieth thirty-first"
)
_NUMBER_WORDS = "a one two three four five six seven eight nine ten eleven twelve"
_MONTHS, _DAYS = _MONTH_NAMES.split(), _DAY_NAMES.split()
_ORDINALS, _NUMBERS = _ORDINAL_WORDS.split(), _NUMBER_WORDS.split()

_MONTH = (
    "(?P<month>" + "|".join(f"{name[:3]}(?:{name[3:]})?" if name != "may" else "may" for name in _MONTHS) + "|sept)\\.?"
)
_DAY = r"(?P<day>\d{1,2}(?:st|nd|rd|th)?|" + "|".join(sorted(_ORDINALS, key=len, reverse=True)) + r")(?![\w-])"
_YEAR = r"(?:,?\s+(?:in\s+)?(?P<year>\d{4}|'\d{2}))?(?!\d)"
_WEEKDAY = "(?P<weekday>" + "|".join(_DAYS) + ")"
_LEAD = r"(?:\b(?P<lead>mon|tue|wed|thu|fri|sat|sun)[a-z]{0,6}\.?,?\s+(?:the\s+|on\s+)?)?"
_MONTH_NAMED = rf"(?:(?P<after_next>the month after next)|(?P<next>next month)|{_MONTH}{_YEAR})"


@dataclass(frozen=True)
class DateReading:
    """Words that say a day. ``candidates``: none when there is no such day, two when it can be read in two ways."""

    start: int
    end: int
    quote: str
    candidates: tuple[date, ...]
    says_year: bool = True


Reader = Callable[[re.Match[str], date], tuple[date, ...]]


def read_dates(text: str, today: date) -> list[DateReading]:
    """All days that a text speaks of, in order; of overlapping readings the longest. A day without a year is the next."""
    found = [
        DateReading(match.start(), match.end(), match[0], _tried(reader, match, today), _says_year(match))
        for pattern, reader in _READERS
        for match in pattern.finditer(text)
    ]
    taken: list[DateReading] = []
    for reading in sorted(found, key=lambda reading: (reading.start - reading.end, reading.start)):
        if all(reading.end <= other.start or reading.start >= other.end for other in taken):
            taken.append(reading)
    return sorted(taken, key=lambda reading: reading.start)


def spoken(day: date) -> str:
    """The day as people write it: ``1 January 2027``."""
    return f"{day.day} {_MONTHS[day.month - 1].capitalize()} {day.year}"


def _tried(reader: Reader, match: re.Match[str], today: date) -> tuple[date, ...]:
    """What the reader says; nothing when there is no such day, or it is another day of the week than is said."""
    try:
        days = tuple(dict.fromkeys(reader(match, today)))
    except (ValueError, OverflowError):
        return ()
    lead = match.groupdict().get("lead")
    return tuple(day for day in days if not lead or _DAYS[day.weekday()].startswith(lead.lower()))


def _says_year(match: re.Match[str]) -> bool:
    return not ({"day", "month"} <= match.groupdict().keys() and not match.groupdict().get("year"))


def _iso(match: re.Match[str], _: date) -> tuple[date, ...]:
    return (date(int(match["year"]), int(match["two"]), int(match["one"])),)


def _either(match: re.Match[str], today: date) -> tuple[date, ...]:
    """Two days of one month, as in ``15 or 31 December``."""
    return tuple(_on(_month(match), day, match["year"], today) for day in (int(match["other"]), _day(match["day"])))


def _named(match: re.Match[str], today: date) -> tuple[date, ...]:
    return (_on(_month(match), _day(match["day"]), match["year"], today),)


def _numeric(match: re.Match[str], _: date) -> tuple[date, ...]:
    """``1.12.2026`` is day first where people use dots; ``03/04/2027`` is read in both ways where both are days."""
    first, second, year = int(match["one"]), int(match["two"]), _year(match["year"])
    orders = [(second, first)] if match["mark"] == "." else [(second, first), (first, second)]
    return tuple(date(year, month, day) for month, day in orders if 1 <= month <= 12 and 1 <= day <= 31)


def _relative(match: re.Match[str], today: date) -> tuple[date, ...]:
    words = match[0].lower()
    return (today + timedelta(days=2 if "after" in words else int(words.startswith("tomorrow"))),)


def _distance(match: re.Match[str], today: date) -> tuple[date, ...]:
    count = int(match["count"]) if match["count"].isdecimal() else max(1, _NUMBERS.index(match["count"].lower()))
    unit = match["unit"].lower()
    span = {"day": relativedelta(days=count), "week": relativedelta(weeks=count), "month": relativedelta(months=count)}
    return (today + span[unit],)


def _weekday(match: re.Match[str], today: date) -> tuple[date, ...]:
    """The next such day; "next Friday" said on a Monday may also be the one of next week."""
    number = _DAYS.index(match["weekday"].lower())
    ahead = today + timedelta(days=(number - today.weekday() - 1) % 7 + 1)
    of_next_week = today + timedelta(days=7 - today.weekday() + number)
    return (ahead, of_next_week) if (match["which"] or "").lower() == "next" else (ahead,)


def _edge(match: re.Match[str], today: date) -> tuple[date, ...]:
    """The first or last day of a month."""
    if match["month"] is None:
        start = today.replace(day=1) + relativedelta(months=2 if match["after_next"] else 1)
    else:
        start = _on(_month(match), 1, match["year"], today)
        if not match["year"] and "last" in match["edge"].lower() and start.month == today.month and start > today:
            start = today.replace(day=1)
    last = any(word in match["edge"].lower() for word in ("last", "end"))
    return (start + relativedelta(day=31) if last else start,)


def _on(month: int, day: int, year: str | None, today: date) -> date:
    if year:
        return date(_year(year), month, day)
    for ahead in range(9):  # 29 February may be eight years away
        try:
            found = date(today.year + ahead, month, day)
        except ValueError:
            continue
        if found >= today:
            return found
    raise ValueError


def _month(match: re.Match[str]) -> int:
    return [name[:3] for name in _MONTHS].index(match["month"][:3].lower()) + 1


def _day(word: str) -> int:
    digits = re.match(r"\d+", word)
    return int(digits[0]) if digits else _ORDINALS.index(word.lower()) + 1


def _year(digits: str) -> int:
    number = int(digits.strip("'"))
    return number + 2000 if number < 100 else number


def _patterns() -> Iterator[tuple[str, Reader]]:
    yield rf"{_LEAD}\b(?P<year>\d{{4}})(?P<mark>[-/.])(?P<two>\d{{1,2}})(?P=mark)(?P<one>\d{{1,2}})\b", _iso
    yield (
        rf"\b(?P<other>\d{{1,2}})(?:st|nd|rd|th)?\s+or\s+(?:the\s+)?{_DAY}\s+(?:of\s+)?{_MONTH}(?![a-z]){_YEAR}",
        _either,
    )
    yield rf"{_LEAD}\b(?:the\s+)?{_DAY}\s+(?:day\s+)?(?:of\s+)?{_MONTH}(?![a-z]){_YEAR}", _named
    yield rf"{_LEAD}\b{_MONTH}\s+(?:the\s+)?{_DAY}{_YEAR}", _named
    yield _LEAD + r"\b(?P<one>\d{1,2})(?P<mark>[/.\-])(?P<two>\d{1,2})(?P=mark)(?P<year>\d{4}|\d{2})\b", _numeric
    yield r"\b(?:today|tomorrow|(?:the\s+)?day after tomorrow)\b", _relative
    yield rf"\bin\s+(?P<count>\d{{1,3}}|{'|'.join(_NUMBERS)})\s+(?P<unit>day|week|month)s?\b(?!')", _distance
    yield rf"\b(?:(?P<which>next|this|coming)\s+)?{_WEEKDAY}\b(?!\s+(?:to|through|until)\b)", _weekday
    yield rf"\b(?:the\s+)?(?P<edge>first|1st|beginning|start|last|end)\s+(?:day\s+)?of\s+{_MONTH_NAMED}\b", _edge


_READERS: tuple[tuple[re.Pattern[str], Reader], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), reader) for pattern, reader in _patterns()
)
