"""Whether words carry a value: a model's reading of a text counts only as far as its quote says the same."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker

from agents.offline.dates import read_dates, spoken
from agents.offline.readings import Ground

_LONGEST_QUOTE = 300
_WORD = re.compile(r"[^\W_]+")


def quoted(text: str, quote: str) -> str:
    """The words of ``text`` that ``quote`` copies, as they stand there; empty when it copies none.

    Blanks and letter case may differ; a quote begins and ends with whole words.
    """
    words = quote.split()
    if not words or len(quote) > _LONGEST_QUOTE:
        return ""
    pattern = r"\s+".join(re.escape(word) for word in words)
    match = re.search(rf"(?<!\w){pattern}(?!\w)", text, re.IGNORECASE)
    return match[0] if match else ""


def doubt(ground: Ground, name: str, value: Any, quote: str) -> str | None:
    """What to ask about a value that was read from ``quote``.

    An empty text: nothing, the quote says it. None: the quote does not carry the value at all, so it is dropped.
    """
    schema = ground.schema[name]
    if not Draft202012Validator(dict(schema), format_checker=FormatChecker()).is_valid(value):
        return None
    if isinstance(value, bool) or value is None:
        return f"Is {name.replace('_', ' ')} {str(value).lower()}?"
    if isinstance(value, int | float):
        return "" if float(value) in _numbers(quote) else None
    if not isinstance(value, str):
        return None
    if "enum" in schema:
        return _of_choice(schema, name, value, quote)
    if schema.get("format") == "date":
        return _of_day(value, quote, ground.today)
    if schema.get("format") == "email":
        return _of_address(ground, value, quote)
    return "" if _has_words(quote, value) else None


def _of_choice(schema: Mapping[str, Any], name: str, value: str, quote: str) -> str:
    spellings = schema.get("x-words")
    known = spellings.get(value, ()) if isinstance(spellings, Mapping) else ()
    if any(_has_words(quote, str(words)) for words in (value, *known)):
        return ""
    return f"Do you mean {value} for the {name.replace('_', ' ')}?"


def _of_day(value: str, quote: str, today: date) -> str | None:
    """A day that our own reading of the quote gives too; one that is over is asked about."""
    try:
        day = date.fromisoformat(value)
    except ValueError:
        return None
    read = {candidate for reading in read_dates(quote, today) for candidate in reading.candidates}
    if read and day not in read:
        return None
    if not read or len(read) > 1:
        return f"Is it {spoken(day)}?"
    return f"{spoken(day)} is in the past. Which day is it?" if day < today else ""


def _of_address(ground: Ground, value: str, quote: str) -> str | None:
    """An address that stands in the quote, or that of somebody whose name does."""
    if value.casefold() in quote.casefold():
        return ""
    person = ground.directory.find(value)
    if person is None:
        return None
    named = {word.casefold() for word in _WORD.findall(quote)}
    last = _WORD.findall(person.name)[-1:]
    if not last or last[0].casefold() not in named:
        return None
    alike = [other for other in ground.directory.everyone() if last[0] in _WORD.findall(other.name)]
    return "" if _has_words(quote, person.name) or len(alike) == 1 else f"Do you mean {person.name}?"


def _has_words(text: str, words: str) -> bool:
    return bool(quoted(text, words)) if words.strip() else False


def _numbers(quote: str) -> set[float]:
    """The numbers in a quote, with ``62k`` and ``62,000`` read as people mean them."""
    found = set()
    for match in re.finditer(r"(\d[\d,.' ]*)\s*(k\b)?", quote, re.IGNORECASE):
        digits = re.sub(r"[,.' ](?=\d{3}(?:\D|$))", "", match[1].strip(" ,.'"))
        try:
            found.add(float(digits.replace(",", ".")) * (1000 if match[2] else 1))
        except ValueError:
            continue
    return found
