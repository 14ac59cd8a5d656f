"""One of several words: how a choice may be written, where it is denied, and what is none of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from agents.offline.passages import TAKEN, cue_pattern
from agents.offline.readings import Ground

_DENIED = re.compile(
    r"\b(?:not|no|never|isn't|doesn't|don't|won't|non)[\s-]+(?:in|based in|working|work|works|at|the|\s)*$",
    re.IGNORECASE,
)
_DENIED_AFTER = re.compile(r"\s*[:=]\s*(?:no|none|false)\b", re.IGNORECASE)
# Lower-case words that are said without being meant as a choice.
_ORDINARY = frozenset({"it", "people", "office", "remote"})
Span = tuple[int, int]


def read_choices(ground: Ground) -> None:
    """Fill the fields that are one of several words."""
    for name, schema in ground.schema.items():
        choices = schema.get("enum")
        if isinstance(choices, list) and name not in ground.found:
            _read_choice(ground, name, [choice for choice in choices if isinstance(choice, str)])


def all_choices(ground: Ground) -> set[str]:
    """Every way to write a choice of any field that takes its words alone, in lower case."""
    return {
        words.casefold()
        for schema in ground.schema.values()
        if isinstance(schema.get("enum"), list) and not schema.get("x-anywhere")
        for choice in schema["enum"]
        for words in (str(choice), *_spellings(schema, str(choice)))
    }


def _read_choice(ground: Ground, name: str, choices: list[str]) -> None:
    hits = {choice: spans for choice in choices if (spans := _mentions(ground, name, choice))}
    if not hits:
        _read_stranger(ground, name)
        return
    meant = _meant(ground, name, hits)
    first = {choice: spans[0] for choice, spans in (meant or hits).items()}
    quotes = {choice: ground.passage.text[start:end] for choice, (start, end) in first.items()}
    if len(first) > 1:
        ground.set(name, None, " / ".join(quotes.values()), f"Which one is it: {' or '.join(first)}?")
        return
    ((choice, (start, end)),) = first.items()
    ground.passage.take(start, end)
    if not meant:
        ground.set(name, None, quotes[choice], f"Not {choice}, then what? {ground.ask(name)}")
    else:
        ground.set(name, choice, quotes[choice])


def _meant(ground: Ground, name: str, hits: Mapping[str, list[Span]]) -> dict[str, list[Span]]:
    """Without what is denied; where several are left and one stands right after the field's own cue, that one."""
    text = ground.passage.free
    left = {
        choice: kept
        for choice, spans in hits.items()
        if (kept := [span for span in spans if not _is_denied(text, span)]) and len(kept) == len(spans)
    }
    cues = cue_pattern([*ground.cues(name), name.replace("_", " ")])
    labelled = {
        choice: spans
        for choice, spans in left.items()
        if any(re.search(rf"{cues}\s*[:=]\s*$", text[: span[0]], re.IGNORECASE) for span in spans)
    }
    return labelled if len(left) > 1 and len(labelled) == 1 else left


def _is_denied(text: str, span: Span) -> bool:
    return bool(_DENIED.search(text[: span[0]]) or _DENIED_AFTER.match(text, span[1]))


def _mentions(ground: Ground, name: str, choice: str) -> list[Span]:
    """Where a choice is named. An ordinary word in other letters only beside a cue, or in a draft that asks."""
    # What is bought may say what kind of thing it is: such a choice is read from words that another field has taken too.
    text = ground.passage.text if ground.schema[name].get("x-anywhere") else ground.passage.free
    found: list[Span] = []
    cues = cue_pattern([*ground.cues(name), name.replace("_", " ")])
    for words in _spellings(ground.schema[name], choice):
        pattern = rf"(?<![\w@.&-]){re.escape(words)}(?![\w@&])(?!-(?!based|office|team|side))"
        for match in re.finditer(pattern, text, re.IGNORECASE):
            alone = match[0] == words or " " in words or "-" in words
            plain = len(words) > 2 and words.casefold() not in _ORDINARY
            asked = name in ground.open and text.strip(" .!") == match[0]
            if alone or plain or asked or (len(words) > 2 and _beside_cue(ground, name, match)):
                found.append(match.span())
    labelled = rf"{cues}\s*[:=]\s*(?P<value>{re.escape(choice)})(?![\w@&-])"
    found += [match.span("value") for match in re.finditer(labelled, text, re.IGNORECASE)]
    return found


def _spellings(schema: Mapping[str, Any], choice: str) -> list[str]:
    words = schema.get("x-words")
    given = words.get(choice) if isinstance(words, Mapping) else None
    return sorted(map(str, given), key=len, reverse=True) if isinstance(given, list) else [choice]


def _beside_cue(ground: Ground, name: str, match: re.Match[str]) -> bool:
    before, after = ground.passage.free[: match.start()], ground.passage.free[match.end() :]
    cues = cue_pattern([*ground.cues(name), "department", "team", "office", "site", "works", "working"])
    near = re.search(rf"(?:\b(?:in|in the|for|from|at)|{cues}|[,/|(])[\s:=]*(?:is\s+|the\s+)?$", before, re.IGNORECASE)
    ends = re.match(rf"\s*(?:[,.;/|()!?{TAKEN}]|-\s|$)|\s+(?:{cues}|who|and|with)", after, re.IGNORECASE)
    return bool((near and ends) or re.match(rf"\s+{cues}", after, re.IGNORECASE))


def _read_stranger(ground: Ground, name: str) -> None:
    """A name right after the field's own cue that is none of the choices is asked about, not passed over."""
    if "default" not in ground.schema[name]:
        return  # it is asked for as missing
    cues = cue_pattern(ground.cues(name))
    match = re.search(rf"(?i:{cues})[\s:=]+(?i:is\s+|in\s+|the\s+)*(?P<word>[A-Z][^\W\d_]+)", ground.passage.free)
    if match is not None:
        choices = " or ".join(map(str, ground.schema[name]["enum"]))
        ground.set(name, None, match["word"], f"{match['word']} is none that I know. Is it {choices}?")
