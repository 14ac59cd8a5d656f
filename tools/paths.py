"""Paths on a system's host, safely made from values that people and plans give."""

from __future__ import annotations

from urllib.parse import quote

from governance.errors import Permanent


def path(*segments: str) -> str:
    """Join segments to an absolute path, each quoted so that it stays one segment: ``path("users", "acc-1")``.

    Raises:
        Permanent: a segment is empty or would climb (``.``, ``..``).

    """
    for segment in segments:
        if segment in {"", ".", ".."}:
            raise Permanent(
                f"{segment!r} cannot be an id.", code="invalid_id", hint="Give the id that the system shows."
            )
    return "/" + "/".join(quote(segment, safe="") for segment in segments)
