"""The door for answers of deferred steps: ``POST /callbacks/{address}``. A GET never decides anything."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from governance.errors import StewardError
from runtime.application import Application
from surfaces.http.bodies import body_of, read_json, refused, too_long


def callbacks(steward: Application) -> APIRouter:
    """The route. 202 for the first answer, 200 with the first one for a repeat.

    404 for an address that nothing is answered at, 410 when the step or its run has ended, 413 for a body over 64 KiB,
    422 for one that is not what the step's tool gives, 503 when the database is away: then send it again.
    """
    router = APIRouter()

    @router.post("/callbacks/{address:path}")
    async def answer(address: str, request: Request) -> Response:
        raw = await body_of(request)
        if raw is None:
            return too_long("An answer")
        try:
            answered = await steward.call_back(address, read_json(raw))
        except StewardError as error:
            return refused(error)
        if answered.first:
            return JSONResponse({"status": "accepted"}, 202)
        return JSONResponse({"status": "answered before", "answer": answered.answer}, 200)

    return router
