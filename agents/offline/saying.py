"""Sentences of an answer. Values from tools are shown as they are, shortened and on one line, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from agents.offline.enquiry import EMAIL, Enquiry
from agents.offline.facts import Fact, Facts
from agents.offline.toolwords import newest
from tools.contract import ToolSpec

_LONGEST, _MOST_ROWS, _MOST_FIELDS = 200, 12, 6
_HIDDEN = frozenset({"state", "status"})


def say(enquiry: Enquiry, facts: Facts, output: Mapping[str, Any], names: Mapping[str, str]) -> list[str]:
    """The sentences for what one tool answered with; none when it does not hold what is asked."""
    within = next((fact.within for fact in facts.asked if fact.within), "")
    lists = [name for name, value in output.items() if isinstance(value, list)]
    if not within and not facts.asked and len(lists) == 1:
        within = lists[0]
    if within:
        return _about_rows(enquiry, facts, output, within)
    others = _otherwise(enquiry, facts, output)
    if others:
        return others
    said = [_fact(enquiry, fact, output, names) for fact in facts.asked]
    told = [sentence for sentence in said if sentence]
    if told:
        return told
    plain = [fact for fact in facts.all if not fact.within and fact.name not in _HIDDEN]
    parts = [
        f"{_label(fact)} {_value(output[fact.name], fact, output)}"
        for fact in plain
        if output.get(fact.name) not in (None, [], "")
    ]
    return [f"{_yes(enquiry)}{_subject(enquiry)}: {', '.join(parts[:_MOST_FIELDS])}."] if parts else []


def say_nothing_found(enquiry: Enquiry, spec: ToolSpec, problem: str) -> str:
    """The sentence for a read that found nothing."""
    no = "No. " if enquiry.has else ""
    return f"{no}{_clean(problem) or f'{spec.system} found nothing.'}"


def examples(tools: Mapping[str, ToolSpec]) -> str:
    """What could be asked, from the catalog itself."""
    able = [spec.summary.split(";")[0].rstrip(".") for spec in newest(tools)]
    chosen = able[:: max(1, len(able) // 4)][:4]
    return f"What I can look up for you, for instance: {'; '.join(chosen)}." if chosen else "You may read nothing here."


def _fact(enquiry: Enquiry, fact: Fact, output: Mapping[str, Any], names: Mapping[str, str]) -> str:
    if fact.name not in output:
        return ""
    value = output[fact.name]
    if value is None or value in ([], ""):
        return f"{_subject(enquiry)} has no {_label(fact)}."
    shown = _value(value, fact, output)
    if isinstance(value, str) and value in names:
        shown = f"{_clean(names[value])} ({shown})"
    if isinstance(value, bool):
        return f"{_subject(enquiry)}: {_label(fact)} {shown}."
    verb = "are" if isinstance(value, list) else "is"
    return f"{_yes(enquiry)}{_whose(enquiry)} {_label(fact)} {verb} {shown}."


def _otherwise(enquiry: Enquiry, facts: Facts, output: Mapping[str, Any]) -> list[str]:
    """What is another than the question says: another site than the one named, for instance."""
    differ = [
        fact
        for fact in facts.all
        if not fact.within
        and fact.semantic in enquiry.values
        and fact.name in output
        and output[fact.name] != enquiry.values[fact.semantic]
        and not (fact.semantic == EMAIL or fact.is_somebody)
    ]
    no = "No. " if enquiry.has else ""
    return [f"{no}{_whose(enquiry)} {_label(fact)} is {_value(output[fact.name], fact, output)}." for fact in differ]


def _yes(enquiry: Enquiry) -> str:
    return "Yes. " if enquiry.has else ""


def _about_rows(enquiry: Enquiry, facts: Facts, output: Mapping[str, Any], within: str) -> list[str]:
    rows = [row for row in output.get(within, ()) if isinstance(row, Mapping)]
    filters = {fact.name: enquiry.values[fact.semantic] for fact in facts.all if fact.semantic in enquiry.values}
    rows = [row for row in rows if all(row.get(name) in (None, value) for name, value in filters.items())]
    asked = [fact for fact in facts.asked if fact.within == within]
    if enquiry.counts and not any(fact.slot.kind in {"integer", "number"} for fact in asked):
        return [f"{_subject(enquiry, 'All told')}: {len(rows)} {within.replace('_', ' ')}."]
    key = next((fact for fact in facts.all if fact.within == within and fact.semantic == "PersonName"), None)
    key = key or next((fact for fact in facts.all if fact.within == within), None)
    if key is None or not rows:
        return [f"{_subject(enquiry, 'There')}: none."] if not rows else []
    shown = [fact for fact in asked if fact != key]
    lines = []
    for row in rows[:_MOST_ROWS]:
        parts = [f"{_label(fact)} {_value(row.get(fact.name), fact, row)}" for fact in shown]
        lines.append(_clean(str(row.get(key.name))) + (f": {', '.join(parts)}" if parts else ""))
    if not shown:
        more = f" and {len(rows) - _MOST_ROWS} more" if len(rows) > _MOST_ROWS else ""
        return [f"{_subject(enquiry, within.replace('_', ' ').capitalize())}: {', '.join(lines)}{more}."]
    return [f"{line}." for line in lines]


def _subject(enquiry: Enquiry, otherwise: str = "What was found") -> str:
    said = [words.removesuffix("'s") for words in enquiry.said.values()]
    return ", ".join(said) or otherwise


def _whose(enquiry: Enquiry) -> str:
    who = enquiry.said.get(EMAIL) or next(iter(enquiry.said.values()), "")
    who = who.removesuffix("'s")
    return f"{who}'s" if who else "The"


def _label(fact: Fact) -> str:
    return fact.name.removesuffix("_id").removeprefix("display_").replace("_", " ")


def _value(value: Any, fact: Fact, beside: Mapping[str, Any]) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        currency = beside.get("currency")
        money = isinstance(currency, str) and not fact.name.startswith("desk")
        return f"{value:,}" + (f" {_clean(str(currency))}" if money else "")
    if isinstance(value, str) and fact.slot.format == "date":
        return _day(value)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return _clean(", ".join(str(part) for part in value))
    return _clean(str(value))


def _day(text: str) -> str:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return _clean(text)
    return f"{day.day} {day:%B %Y}"


def _clean(text: str) -> str:
    """A value from outside on one line, at most so long."""
    line = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"
