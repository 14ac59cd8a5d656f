"""Text and values that people and systems give: what can be kept, sealed and shown, and what cannot."""

from __future__ import annotations

from typing import Any

from governance.canonical import canonical_json

MOST_CHARACTERS = 4_000
MOST_VALUE = 100_000
MOST_DEPTH = 40


def text_problem(text: str, *, most: int = MOST_CHARACTERS) -> str:
    """Why a text cannot be kept, as the end of a sentence; empty when it can."""
    if len(text) > most:
        return f"is longer than {most:,} characters"
    if "\x00" in text or any("\ud800" <= character <= "\udfff" for character in text):
        return "has a character that cannot be kept (a NUL, or half of one)"
    return ""


def value_problem(value: Any, *, most: int = MOST_VALUE) -> str:
    """Why a JSON value cannot be kept, as the end of a sentence; empty when it can. Total: any value may be given."""
    if not _within(value, MOST_DEPTH):
        return f"is nested more than {MOST_DEPTH} deep"
    try:
        text = canonical_json(value)
    except (ValueError, TypeError, UnicodeError):
        return "has a value that cannot be kept (NaN, a number beyond 2**53, half a character, or no JSON)"
    return text_problem(text, most=most) or ("has a character that cannot be kept (a NUL)" if "\\u0000" in text else "")


def legible(text: str) -> str:
    """A text from outside, with what cannot be kept replaced."""
    return text.encode("utf-8", "replace").decode().replace("\x00", "�")


def _within(value: Any, depth: int) -> bool:
    """Whether a value is at most so deep. Without recursion into what is deeper."""
    if depth < 0:
        return False
    if isinstance(value, dict):
        return all(_within(part, depth - 1) for part in value.values())
    if isinstance(value, list | tuple):
        return all(_within(part, depth - 1) for part in value)
    return True
