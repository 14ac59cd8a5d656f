"""A text that answers the first open question of a draft, when it says nothing that could be read otherwise."""

from __future__ import annotations

import difflib
import re

from agents.offline.contacts import person_named
from agents.offline.names import name_at
from agents.offline.readings import Ground
from agents.offline.values import read_amount
from agents.ports import Understood

_YES = re.compile(r"\s*(?:yes|yep|yeah|y|ok|okay|right|correct|sure|exactly|it is|that'?s right|that is right)\b[\s.!,]*(?:please|it is|that'?s right|he is|she is)?[\s.!]*", re.IGNORECASE)  # fmt: skip
_NO = re.compile(r"\s*(?:no|nope|n|wrong|not)\b", re.IGNORECASE)
_NO_ANSWER = re.compile(
    r"\s*(?:\?|(?:i )?don'?t know|dunno|no idea|what|why|how|help)\b.*|.*\?\s*", re.IGNORECASE | re.DOTALL
)
_LONGEST = 120


def read_answer(ground: Ground, draft: Understood) -> None:
    """Read ``ground``'s text as the answer to the draft's first open question, unless an open field was read from it."""
    if any(name in ground.open for name in ground.found):
        return
    asked = [name for name in ground.schema if name in ground.open]
    if not asked:
        return
    text = ground.passage.text
    if draft.doubtful and _YES.fullmatch(text):
        _confirm(ground, draft, [name for name in asked if name in draft.doubtful])
    elif draft.doubtful and _NO.match(text):
        name = next(name for name in asked if name in draft.doubtful)
        for alike in _same_question(draft, name):
            ground.set(alike, None, "", ground.ask(alike))
    elif text.strip() and not _NO_ANSWER.fullmatch(text) and not _YES.fullmatch(text):
        missing = [name for name in asked if name in draft.missing]
        _read_as(ground, (missing or asked)[0], text.strip(), draft)


def _confirm(ground: Ground, draft: Understood, asked: list[str]) -> None:
    """A yes settles the first doubtful question that has a value to say yes to."""
    for name in asked:
        if name in draft.request:
            for alike in _same_question(draft, name):
                ground.set(alike, draft.request.get(alike), draft.quotes.get(alike, ""))
            return


def _same_question(draft: Understood, name: str) -> list[str]:
    return [other for other, question in draft.doubtful.items() if question == draft.doubtful[name]]


def _read_as(ground: Ground, name: str, text: str, draft: Understood) -> None:
    slot = next(slot for slot in ground.slots if slot.name == name)
    if slot.format == "email":
        found = name_at(text.rstrip(".!"), 0, lenient=True)
        if found is not None:
            person_named(ground, name, found.quote, found.quote)
    elif slot.choices:
        _nearest(ground, name, text)
    elif slot.kind == "integer":
        read_amount(ground, name, text)
    elif name in {"first_name", "last_name"}:
        _name(ground, name, text, draft)
    elif slot.kind == "string" and not slot.format and len(text) <= _LONGEST:
        words = re.sub(r"^(?:as\s+)?(?:an?|the|our)\s+", "", text, flags=re.IGNORECASE).rstrip(" .!")
        if words:
            ground.set(name, words, words)


def _name(ground: Ground, name: str, text: str, draft: Understood) -> None:
    """A whole name when both parts are missing, else the part that is asked for."""
    words = re.sub(
        r"^(?:(?:it|the name|her name|his name|their name|name)\s*(?:is|:)\s*)", "", text, flags=re.IGNORECASE
    )
    start = text.index(words)
    found = name_at(text.rstrip(".!"), start, lenient=True)
    if found is None:
        return
    both = {"first_name", "last_name"} <= draft.missing.keys()
    if both and found.last:
        ground.set("first_name", found.first, found.quote)
        ground.set("last_name", found.last, found.quote)
    elif not both or not found.last:
        ground.set(name, " ".join(part for part in (found.first, found.last) if part), found.quote)


def _nearest(ground: Ground, name: str, text: str) -> None:
    """A choice written nearly right is doubtful, not taken."""
    choices = [str(choice) for choice in ground.schema[name]["enum"]]
    by_lower = {choice.casefold(): choice for choice in choices}
    said = text.casefold().strip(" .!")
    if said in by_lower:
        ground.set(name, by_lower[said], text.strip(" .!"))
        return
    near = difflib.get_close_matches(said, by_lower, 1, 0.75)
    if near:
        ground.set(name, by_lower[near[0]], text, f"Do you mean {by_lower[near[0]]}?")
    else:
        ground.set(
            name, None, text[:_LONGEST], f"{text[:_LONGEST]} is none of {', '.join(choices)}. {ground.ask(name)}"
        )
