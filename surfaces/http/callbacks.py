"""The door for answers of deferred steps: ``POST /callbacks/{address}``. A GET never decides anything."""

from __future__ import annotations

import json
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from governance.errors import InvalidInput, NotFound, Refused, StewardError, Unavailable
from runtime.application import Application

MOST_BYTES = 64 * 1024


def callbacks(steward: Application) -> FastAPI:
    """The app. 202 for the first answer, 200 with the first one for a repeat.

    404 for an address that nothing is answered at, 410 when the step or its run has ended, 413 for a body over 64 KiB,
    422 for one that is not what the step's tool gives, 503 when the database is away: then send it again.
    """
    app = FastAPI(title="Steward's callbacks", docs_url=None, redoc_url=None, openapi_url=None)

    @app.post("/callbacks/{address:path}")
    async def answer(address: str, request: Request) -> Response:
        raw = await _body(request)
        if raw is None:
            return _refusal(413, f"An answer has at most {MOST_BYTES:,} bytes.")
        try:
            answered = await steward.call_back(address, _read(raw))
        except StewardError as error:
            return _refusal(_status(error), str(error), error.hint)
        if answered.first:
            return JSONResponse({"status": "accepted"}, 202)
        return JSONResponse({"status": "answered before", "answer": answered.answer}, 200)

    return app


async def _body(request: Request) -> bytes | None:
    """The body, or None when it is too long; no more of it is read than may be kept."""
    raw = bytearray()
    async for part in request.stream():
        raw += part
        if len(raw) > MOST_BYTES:
            return None
    return bytes(raw)


def _read(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise InvalidInput("The body is not JSON.") from error


def _status(error: StewardError) -> int:
    for kind, status in ((NotFound, 404), (InvalidInput, 422), (Refused, 410), (Unavailable, 503)):
        if isinstance(error, kind):
            return status
    return 500


def _refusal(status: int, sentence: str, hint: str = "") -> JSONResponse:
    return JSONResponse({"error": sentence, **({"hint": hint} if hint else {})}, status)
