"""Dates, choices, amounts and titles, read from a sentence for the fields that want them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from dateutil.relativedelta import relativedelta

from agents.offline.dates import DateReading, read_dates, spoken
from agents.offline.passages import TAKEN, cue_pattern
from agents.offline.readings import Ground

_MONEY = re.compile(
    r"(?P<before>EUR|euros?|€|USD|GBP|\$|£)?\s*(?P<number>\d{1,3}(?:[ ,.]\d{3})+|\d+(?:\.\d+)?)\s?(?P<kilo>k\b)?"
    r"\s*(?P<after>EUR|euros?|€|USD|GBP|dollars?|pounds?|\$|£)?"
    r"(?P<monthly>\s*(?:a|per|/)\s*month|\s+monthly)?",
    re.IGNORECASE,
)
_CURRENCIES = {
    "EUR": frozenset({"eur", "euro", "euros", "€"}),
    "USD": frozenset({"usd", "$", "dollar", "dollars"}),
}
_ENDS = (
    "in",
    "at",
    "for",
    "with",
    "on",
    "who",
    "whose",
    "under",
    "within",
    "starting",
    "starts",
    "and",
    "based",
    "to",
    "from",
    "by",
)
_NO_TITLE = frozenset(
    {"of", "soon", "well", "per", "discussed", "from", "usual", "planned", "agreed", "always", "such", "it"}
)
_NO_APPOSITION = frozenset(
    {
        "we",
        "i",
        "you",
        "she",
        "he",
        "they",
        "it",
        "is",
        "are",
        "was",
        "not",
        "working",
        "works",
        "will",
        "please",
        "also",
    }
)
_LONGEST_TITLE = 8  # words up to the next comma; a title is shorter than a clause
_FAR = relativedelta(years=3)


def read_date_fields(ground: Ground) -> None:
    """Fill the fields that are dates: the day beside a field's cue, or the only day there is for the only such field."""
    fields = [slot.name for slot in ground.slots if slot.format == "date"]
    if not fields:
        return
    readings = read_dates(ground.passage.free, ground.today)
    cued: dict[str, list[DateReading]] = {}
    for reading in readings:
        for name in fields:
            cue = ground.passage.cue_before(reading.start, ground.cues(name))
            if cue is not None:
                cued.setdefault(name, []).append(reading)
                ground.passage.take(cue, reading.start)
                break
    for reading in readings:
        ground.passage.take(reading.start, reading.end)
    for name in fields:
        asked = name in ground.open or len(fields) == 1
        meant = cued.get(name) or (
            [r for r in readings if not any(r in other for other in cued.values())] if asked else []
        )
        if meant:
            _keep_date(ground, name, meant)


def _keep_date(ground: Ground, name: str, readings: list[DateReading]) -> None:
    quote = readings[0].quote
    days = tuple(dict.fromkeys(day for reading in readings for day in _narrowed(ground, name, reading)))
    if not days:
        ground.set(name, None, quote, f"There is no such day as {quote}. {ground.ask(name)}")
    elif len(days) > 1:
        choices = " or ".join(spoken(day) for day in days)
        ground.set(name, None, quote, f"Does {quote} mean {choices}?")
    else:
        ground.set(name, days[0].isoformat(), quote, _odd(days[0], ground.today))


def _narrowed(ground: Ground, name: str, reading: DateReading) -> tuple[date, ...]:
    """A day without a year, said in answer to a choice between two days, means one of these."""
    earlier = read_dates(ground.earlier.get(name, ""), ground.today)
    choices = [day for asked in earlier for day in asked.candidates]
    if reading.says_year or len(reading.candidates) != 1:
        return reading.candidates
    said = reading.candidates[0]
    meant = tuple(day for day in choices if (day.month, day.day) == (said.month, said.day))
    return meant[:1] or reading.candidates


def _odd(day: date, today: date) -> str:
    if day < today:
        return f"{spoken(day)} is in the past. Is that right?"
    return f"{spoken(day)} is far ahead. Is that right?" if day > today + _FAR else ""


def read_choices(ground: Ground) -> None:
    """Fill the fields that are one of several words."""
    for name, schema in ground.schema.items():
        choices = schema.get("enum")
        if isinstance(choices, list) and name not in ground.found:
            _read_choice(ground, name, [choice for choice in choices if isinstance(choice, str)])


def _read_choice(ground: Ground, name: str, choices: list[str]) -> None:
    hits: dict[str, tuple[int, int]] = {}
    for choice in choices:
        for start, end in _mentions(ground, name, choice):
            hits.setdefault(choice, (start, end))
    if not hits:
        return
    quotes = {choice: ground.passage.text[start:end] for choice, (start, end) in hits.items()}
    if len(hits) > 1:
        ground.set(name, None, " / ".join(quotes.values()), f"Which one is it: {' or '.join(hits)}?")
        return
    ((choice, (start, end)),) = hits.items()
    denied = re.search(
        r"\b(?:not|no|never|isn't|non)[\s-]+(?:in|based in|working|work|at|the|\s)*$",
        ground.passage.free[:start],
        re.IGNORECASE,
    )
    ground.passage.take(start, end)
    if denied:
        ground.set(name, None, quotes[choice], f"Not {choice}, then what? {ground.ask(name)}")
    else:
        ground.set(name, choice, quotes[choice])


def _mentions(ground: Ground, name: str, choice: str) -> list[tuple[int, int]]:
    """Where a choice is named. In other letters than its own only beside a cue, in a draft that asks, or in a phrase."""
    # What is bought may say what kind of thing it is: such a choice is read from words that another field has taken too.
    text = ground.passage.text if ground.schema[name].get("x-anywhere") else ground.passage.free
    found = []
    for words in _spellings(ground.schema[name], choice):
        pattern = rf"(?<![\w@.&-]){re.escape(words)}(?![\w@&])"
        for match in re.finditer(pattern, text, re.IGNORECASE):
            alone = match[0] == words or (len(words.split()) > 1 or "-" in words)
            asked = name in ground.open and text.strip(" .!") == match[0]
            if alone or asked or (len(words) > 2 and _beside_cue(ground, name, match)):
                found.append(match.span())
    return found


def _spellings(schema: Mapping[str, Any], choice: str) -> list[str]:
    words = schema.get("x-words")
    given = words.get(choice) if isinstance(words, Mapping) else None
    return sorted(map(str, given), key=len, reverse=True) if isinstance(given, list) else [choice]


def _beside_cue(ground: Ground, name: str, match: re.Match[str]) -> bool:
    before, after = ground.passage.free[: match.start()], ground.passage.free[match.end() :]
    cues = cue_pattern([*ground.cues(name), "department", "team", "office", "site", "works", "working"])
    near = re.search(rf"(?:\b(?:in|in the|for|at)|{cues})[\s:=]*(?:is\s+|the\s+)?$", before, re.IGNORECASE)
    return bool(near or re.match(rf"\s+{cues}", after, re.IGNORECASE))


def read_amounts(ground: Ground) -> None:
    """Fill the fields that are whole amounts of money, in EUR, from a number beside the field's cue."""
    for slot in ground.slots:
        cues = cue_pattern(ground.cues(slot.name))
        if slot.kind != "integer" or slot.name in ground.found or cues is None:
            continue
        for cue in re.finditer(
            rf"{cues}(?:\s|:|=|\bis\b|\bof\b|\bat\b|\bwill be\b)*", ground.passage.free, re.IGNORECASE
        ):
            match = _MONEY.match(ground.passage.free, cue.end())
            if match and _keep_amount(ground, slot.name, match):
                ground.passage.take(cue.start(), match.end())
                break
        if slot.name not in ground.found and "x-currency" in ground.schema[slot.name]:
            _read_only_price(ground, slot.name)


def _read_only_price(ground: Ground, name: str) -> None:
    """A field that says its currency takes the only sum of money there is, wherever it stands."""
    sums = [match for match in _MONEY.finditer(ground.passage.free) if match["before"] or match["after"]]
    said = tuple(dict.fromkeys(match[0].strip() for match in sums))
    if len(said) > 1:
        ground.set(name, None, " / ".join(said), f"Which amount is it: {' or '.join(said)}?")
    elif sums and _keep_amount(ground, name, sums[0]):
        ground.passage.take(*sums[0].span())


def read_amount(ground: Ground, name: str, text: str) -> bool:
    """Fill one field from an answer that is a number; False when it is none."""
    match = _MONEY.search(text)
    return bool(match) and match is not None and _keep_amount(ground, name, match)


def _keep_amount(ground: Ground, name: str, match: re.Match[str]) -> bool:
    quote = match[0].strip()
    currency = (match["before"] or match["after"] or "").casefold()
    digits = re.sub(r"[ ,.](?=\d{3}(?:\D|$))", "", match["number"])
    number = float(digits) * (1000 if match["kilo"] else 1)
    if number > 10**12 or not quote:
        return False
    ours = str(ground.schema[name].get("x-currency", "EUR"))
    if match["monthly"]:
        span = "" if "x-currency" in ground.schema[name] else " (EUR a year)"
        ground.set(name, None, quote, f"{quote} is for a month. {ground.ask(name)}{span}")
    elif currency and currency not in _CURRENCIES.get(ours, frozenset()):
        ground.set(name, None, quote, f"{quote} is not in {ours}. {ground.ask(name)} ({ours})")
    elif number != int(number):
        ground.set(name, None, quote, f"{quote} is not a whole amount. {ground.ask(name)}")
    else:
        ground.set(name, int(number), quote)
    return True


def read_words(ground: Ground) -> None:
    """Fill the fields that are free text, from the words after their cue up to the next part of the sentence."""
    for slot in ground.slots:
        given = ground.schema[slot.name].get("x-cues")
        free = slot.kind == "string" and not slot.format and not slot.semantic and not slot.choices
        if free and given and slot.name not in ground.found:
            cues = cue_pattern(ground.cues(slot.name))
            for match in re.finditer(rf"{cues}[\s:=]+(?:is\s+)?", ground.passage.free, re.IGNORECASE):
                if _keep_words(ground, slot.name, match.start(), match.end()):
                    break


def read_apposition(ground: Ground, name: str, start: int) -> None:
    """The words between commas right after a person's name: "Ada Lovelace, R&D, software engineer"."""
    begin = start
    for _ in range(3):
        match = re.match(r"\s*,\s*(?:an?\s+|our\s+)?(?:new\s+)?", ground.passage.free[begin:], re.IGNORECASE)
        if match is None or name in ground.found:
            return
        begin += match.end()
        part = re.match(r"[^,;.\n]*", ground.passage.free[begin:])
        words = re.sub(r"\s+(?:office|site|team|department)$", "", part[0].strip().casefold()) if part else ""
        if part is None or words not in _all_choices(ground):
            if words.partition(" ")[0] not in _NO_APPOSITION and len(words.split()) <= _LONGEST_TITLE:
                _keep_words(ground, name, begin, begin)
            return
        begin += part.end()


def _all_choices(ground: Ground) -> set[str]:
    """Every way to write a choice of any field that takes its words alone, in lower case."""
    return {
        words.casefold()
        for schema in ground.schema.values()
        if isinstance(schema.get("enum"), list) and not schema.get("x-anywhere")
        for choice in schema["enum"]
        for words in (str(choice), *_spellings(schema, str(choice)))
    }


def _keep_words(ground: Ground, name: str, start: int, begin: int) -> bool:
    """Take the words from ``begin`` to the next boundary."""
    others = [cue for other in ground.schema if other != name for cue in ground.cues(other)]
    stop = cue_pattern([*others, *_ENDS])
    rest = ground.passage.free[begin:]
    boundary = re.search(rf"[,;:!?()\n{TAKEN}]|\.(?:\s|$)|\s-\s|{stop}", rest, re.IGNORECASE)
    words = (rest[: boundary.start()] if boundary else rest).rstrip(" .")
    if len(words) < 2 or words.split()[0].casefold() in _NO_TITLE or not re.search(r"[^\W\d_]", words):
        return False
    if re.sub(r"^(?:the|our|an?)\s+", "", words.casefold()) in _all_choices(ground):
        return False
    quote = ground.passage.take(begin, begin + len(words))
    ground.passage.take(start, begin)
    ground.set(name, quote, quote)
    return True
