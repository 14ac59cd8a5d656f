"""Fields that are read by their form: what somebody else wrote, word for word, and numbers that follow a pattern."""

from __future__ import annotations

import re

from agents.offline.readings import Ground

_QUOTED = re.compile(r"[\"“”«](.{3,})[\"“”»]", re.DOTALL)
_AFTER_COLON = re.compile(r":\s+(\S+\s+\S+.*)\Z", re.DOTALL)


def verbatim_span(text: str) -> tuple[int, int] | None:
    """Where somebody else's words stand: between the outermost quotation marks, or after the first colon to the end."""
    match = _QUOTED.search(text) or _AFTER_COLON.search(text)
    return match.span(1) if match else None


def without_verbatim(text: str) -> str:
    """The text without somebody else's words: what is asked for does not stand in these."""
    span = verbatim_span(text)
    return text if span is None else f"{text[: span[0]]} {text[span[1] :]}"


def read_verbatim(ground: Ground) -> None:
    """Fill the field for somebody else's words, and take them, so that nothing else is read from them."""
    for name, schema in ground.schema.items():
        span = verbatim_span(ground.passage.text) if schema.get("x-verbatim") else None
        if span is not None:
            words = ground.passage.take(*span)
            ground.set(name, words.strip(), words.strip())


def read_patterns(ground: Ground) -> None:
    """Fill the text fields that have a pattern: the only thing in the text that fits it, or a question."""
    for name, schema in ground.schema.items():
        pattern = schema.get("pattern")
        if schema.get("type") != "string" or not isinstance(pattern, str) or name in ground.found:
            continue
        inner = pattern.removeprefix("^").removesuffix("$")
        found = list(re.finditer(rf"(?<![\w-]){inner}(?![\w-])", ground.passage.free, re.IGNORECASE))
        values = tuple(dict.fromkeys(match[0].upper() for match in found))
        if len(values) == 1:
            quote = ground.passage.take(*found[0].span())
            value = quote if re.fullmatch(inner, quote) else quote.upper()
            ground.set(name, value, quote)
        elif values:
            ground.set(name, None, " / ".join(values), f"Which one is it: {' or '.join(values)}?")
