"""A question taken apart: the values that it names, and the words that say what about them is wanted."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from agents.offline.passages import Passage, plain
from agents.offline.people import people_in
from agents.offline.toolwords import NEUTRAL, words_of
from agents.ports import Question
from tools.semantic import KEYWORD

EMAIL = "Email"
_ASKING = frozenset(
    [
        "when",
        "where",
        "why",
        "how",
        "many",
        "much",
        "long",
        "often",
        "whose",
        "whom",
        "tell",
        "show",
        "list",
        "give",
        "look",
        "find",
        "check",
        "know",
        "about",
        "number",
        "currently",
        "at",
        "moment",
        "today",
        "still",
        "right",
        "actually",
        "exactly",
        "call",
        "called",
        "name",
        "named",
        "sit",
        "sits",
        "since",
        "is's",
        "what's",
        "who's",
        "each",
        "all",
        "every",
        "per",
        "month",
        "year",
        "yearly",
        "monthly",
        "week",
        "take",
        "takes",
        "our",
    ]
)
_COUNTS = re.compile(r"\bhow many\b|\bnumber of\b", re.IGNORECASE)
_SPAN = re.compile(r"\bhow long\b|\bduration\b", re.IGNORECASE)
_MOMENT = re.compile(r"\b(?:when|since when|what day|which day|what date)\b", re.IGNORECASE)
_PLACE = re.compile(r"\bwhere\b", re.IGNORECASE)
_WHO = re.compile(r"\b(?:who|whom|whose)\b", re.IGNORECASE)
_HAS = re.compile(r"^\s*(?:does|do|has|have)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Enquiry:
    """A question's parts. ``values`` maps semantic types to values, ``said`` these to how they were written."""

    text: str
    values: Mapping[str, str]
    said: Mapping[str, str]
    words: frozenset[str]
    counts: bool = False
    moment: bool = False
    place: bool = False
    who: bool = False
    has: bool = False
    strangers: tuple[str, ...] = ()
    several: tuple[str, ...] = field(default=())


def take_apart(question: Question) -> Enquiry:
    """Read a question. What is left of it when the values are taken out are the words that a tool must explain."""
    passage = Passage(plain(question.text))
    values: dict[str, str] = {}
    said: dict[str, str] = {}
    named = list(people_in(passage.text, question.directory))
    for each in named:
        passage.take(each.start, each.end)
        values.setdefault(EMAIL, each.email)
        said.setdefault(EMAIL, each.quote)
    for semantic, known in question.words.items():
        for word in sorted(known, key=len, reverse=True):
            match = re.search(rf"(?<![\w@.&-]){re.escape(word)}(?:'s)?(?![\w@&-])", passage.free, re.IGNORECASE)
            if match is not None and semantic not in values and _is_meant(match, word, semantic, passage.text):
                values[semantic], said[semantic] = known[word], match[0]
                passage.take(*match.span())
    strangers = tuple(_strangers(passage.free))
    rest = passage.free
    for name in strangers:
        rest = rest.replace(name, " ")
    words = frozenset(word for word in words_of(rest) if word not in _ASKING and word not in NEUTRAL)
    words |= {"minute"} if _SPAN.search(passage.text) else set()
    return Enquiry(
        text=passage.text,
        values=values,
        said=said,
        words=words,
        counts=bool(_COUNTS.search(passage.text)),
        moment=bool(_MOMENT.search(passage.text)),
        place=bool(_PLACE.search(passage.text)),
        who=bool(_WHO.search(passage.text)),
        has=bool(_HAS.match(passage.text)),
        strangers=strangers,
        several=tuple(dict.fromkeys(each.email for each in named)),
    )


def schema_of(values: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
    """The values as a request and its schema, so that a planner can find its way from them."""
    names = {_name(semantic): semantic for semantic in values}
    properties = {name: _field(semantic) for name, semantic in names.items()}
    request = {name: values[semantic] for name, semantic in names.items()}
    return {"type": "object", "properties": properties, "required": sorted(properties)}, request


def _name(semantic: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", semantic).lower()


def _field(semantic: str) -> dict[str, Any]:
    return {"type": "string", KEYWORD: semantic}


def _is_meant(found: re.Match[str], word: str, semantic: str, text: str) -> bool:
    """A single common word in small letters is not a name ("people", "it"), unless its kind stands beside: "pension plan"."""
    if len(word.split()) > 1 or "-" in word or "&" in word:
        return True
    beside = {*words_of(text[found.end() :])[:1], *words_of(text[: found.start()])[-1:]}
    kind = words_of(re.sub(r"(?<!^)(?=[A-Z])", " ", semantic))
    return bool(beside & set(kind)) or (found[0][:1].isupper() and found.start() > 0)


def _strangers(free: str) -> list[str]:
    """Names of people whom the directory does not know: capitals that do not begin the question."""
    found = re.finditer(r"(?<![\w@.-])[A-Z][a-z\u00c0-\u024f]+(?:[ -][A-Z][a-z\u00c0-\u024f]+)*(?:'s)?", free)
    return [match[0] for match in found if match.start() > 0]
