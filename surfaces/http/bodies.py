"""Bodies of requests that come from outside, and what is said when one cannot be taken."""

from __future__ import annotations

import json
from typing import Any

from fastapi import Request
from fastapi.responses import JSONResponse

from governance.errors import InvalidInput, NotFound, Refused, StewardError, Unavailable

MOST_BYTES = 64 * 1024


async def body_of(request: Request) -> bytes | None:
    """The body, or None when it is too long; no more of it is read than may be kept."""
    raw = bytearray()
    async for part in request.stream():
        raw += part
        if len(raw) > MOST_BYTES:
            return None
    return bytes(raw)


def read_json(raw: bytes) -> Any:
    """The JSON value of a body. Raises InvalidInput."""
    try:
        return json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise InvalidInput("The body is not JSON.") from error


def refusal(status: int, sentence: str, hint: str = "") -> JSONResponse:
    """An answer that says why not, and the way out where there is one."""
    return JSONResponse({"error": sentence, **({"hint": hint} if hint else {})}, status)


def refused(error: StewardError) -> JSONResponse:
    """The same, of an error: 404, 422, 410 for what comes too late, 503 for what may work later."""
    for kind, status in ((NotFound, 404), (InvalidInput, 422), (Refused, 410), (Unavailable, 503)):
        if isinstance(error, kind):
            findings = "; ".join(str(finding) for finding in getattr(error, "findings", ()))
            return refusal(status, f"{error} {findings}".strip(), error.hint)
    return refusal(500, str(error), error.hint)


def too_long(what: str) -> JSONResponse:
    """413."""
    return refusal(413, f"{what} has at most {MOST_BYTES:,} bytes.")
