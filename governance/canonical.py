"""One text and one digest for each JSON value (RFC 8785, the JSON Canonicalization Scheme)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

import orjson
import rfc8785

_LARGEST = 2**53 - 1


def canonical_json(value: Any) -> str:
    """The canonical JSON text of ``value`` (JSON types only).

    Raises:
        ValueError: the value holds NaN, an integer beyond 2**53, or something that is not JSON.

    """
    return _encoded(value).decode()


def _encoded(value: Any) -> bytes:
    # Journals are sealed with this, so it is among the most called functions. For values in which orjson, which is compiled,
    # writes what the scheme prescribes, it is asked; tests/unit/governance/test_canonical.py compares the two.
    if not _alike([value]):
        value = _with_whole_numbers(value)
        if not _alike([value]):
            return _by_reference(value)
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def _by_reference(value: Any) -> bytes:
    try:
        return rfc8785.dumps(value)
    except rfc8785.CanonicalizationError as error:
        raise ValueError(str(error)) from error


def _alike(parts: Iterable[Any]) -> bool:
    """Whether orjson writes these values as RFC 8785 does. One call for each container, none for what is in it."""
    for part in parts:
        kind = type(part)
        if kind is str:
            alike = part.isascii() or _encodes(part)
        elif kind is dict:
            alike = _are_plain(part) and _alike(part.values())
        elif kind is list or kind is tuple:
            alike = _alike(part)
        elif kind is int:
            alike = -_LARGEST <= part <= _LARGEST
        else:
            alike = part is None or kind is bool or (kind is float and _is_plain(part))
        if not alike:
            return False
    return True


def _are_plain(keys: Iterable[Any]) -> bool:
    """Whether keys are text and ASCII: others may be ordered otherwise, or are not JSON."""
    try:
        return "".join(keys).isascii()
    except TypeError:
        return False


def _is_plain(value: float) -> bool:
    """Whether a number is neither whole, nor written with an exponent, nor none."""
    return value - value == 0 and not value.is_integer() and "e" not in repr(value)


def _with_whole_numbers(value: Any) -> Any:
    """``value`` with whole floats as the integers that the scheme writes for them."""
    kind = type(value)
    if kind is dict:
        return {key: _with_whole_numbers(part) for key, part in value.items()}
    if kind is list or kind is tuple:
        return [_with_whole_numbers(part) for part in value]
    return int(value) if kind is float and value.is_integer() and abs(value) <= _LARGEST else value


def _encodes(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)


def digest(value: Any) -> str:
    """SHA-256 of the canonical JSON text, as 64 hexadecimal digits."""
    return hashlib.sha256(_encoded(value)).hexdigest()


def effect_key(run_id: str, step: str, item: str = "", *, act: str = "do") -> str:
    """The idempotency key of an effect (DESIGN 5): never the attempt, never the epoch. ``act`` is ``do`` or ``undo``."""
    return digest({"run": run_id, "step": step, "item": item, "act": act})
