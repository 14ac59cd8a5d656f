"""One text and one digest for each JSON value (RFC 8785, the JSON Canonicalization Scheme)."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import rfc8785

_LARGEST = 2**53 - 1
_plainly = json.JSONEncoder(ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")).encode


def canonical_json(value: Any) -> str:
    """The canonical JSON text of ``value`` (JSON types only).

    Raises:
        ValueError: the value holds NaN, an integer beyond 2**53, or something that is not JSON.

    """
    # Journals are sealed with this, so it is among the most called functions. For values in which Python's own encoder, which
    # is compiled, writes what the scheme prescribes, it is asked; tests/unit/governance/test_canonical.py compares the two.
    try:
        return _plainly(_plain(value))
    except _Other:
        pass
    try:
        return rfc8785.dumps(value).decode()
    except rfc8785.CanonicalizationError as error:
        raise ValueError(str(error)) from error


class _Other(Exception):
    """Python's encoder writes this otherwise than RFC 8785 does, or not at all."""


def _plain(value: Any) -> Any:
    """``value`` with whole floats as integers.

    Raises:
        _Other: a key or number that the two encoders may order or write differently.

    """
    kind = type(value)
    if kind is str:
        return value if value.isascii() or _encodes(value) else _other()
    if kind is dict:
        return {key if type(key) is str and key.isascii() else _other(): _plain(part) for key, part in value.items()}
    if kind is list or kind is tuple:
        return [_plain(part) for part in value]
    if value is None or kind is bool:
        return value
    if kind is int:
        return value if -_LARGEST <= value <= _LARGEST else _other()
    return _plain_float(value) if kind is float else _other()


def _plain_float(value: float) -> float | int:
    if value.is_integer() and abs(value) <= _LARGEST:
        return int(value)
    return _other() if value.is_integer() or "e" in repr(value) or value - value != 0 else value


def _encodes(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _other() -> Any:
    raise _Other


def digest(value: Any) -> str:
    """SHA-256 of the canonical JSON text, as 64 hexadecimal digits."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


def effect_key(run_id: str, step: str, item: str = "", *, act: str = "do") -> str:
    """The idempotency key of an effect (DESIGN 5): never the attempt, never the epoch. ``act`` is ``do`` or ``undo``."""
    return digest({"run": run_id, "step": step, "item": item, "act": act})
