"""One text and one digest for each JSON value (RFC 8785, the JSON Canonicalization Scheme)."""

from __future__ import annotations

import hashlib
from typing import Any

import rfc8785


def canonical_json(value: Any) -> str:
    """The canonical JSON text of ``value`` (JSON types only).

    Raises:
        ValueError: the value holds NaN, an integer beyond 2**53, or something that is not JSON.

    """
    try:
        return rfc8785.dumps(value).decode()
    except rfc8785.CanonicalizationError as error:
        raise ValueError(str(error)) from error


def digest(value: Any) -> str:
    """SHA-256 of the canonical JSON text, as 64 hexadecimal digits."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


def effect_key(run_id: str, step: str, item: str = "", *, act: str = "do") -> str:
    """The idempotency key of an effect (DESIGN 5): never the attempt, never the epoch. ``act`` is ``do`` or ``undo``."""
    return digest({"run": run_id, "step": step, "item": item, "act": act})
