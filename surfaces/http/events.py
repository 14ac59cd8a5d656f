"""The door for what other systems publish: ``POST /events``, CloudEvents as JSON, signed as Standard Webhooks say."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from governance.errors import StewardError
from governance.outside import read_event
from runtime.application import Application
from surfaces.http.bodies import body_of, read_json, refusal, refused, too_long


def events(steward: Application) -> APIRouter:
    """The route. 202 for an event that was not known, 200 for a repeat of one.

    401 for one that is not signed, signed by somebody else or too long ago; 413 for a body over 64 KiB, 422 for what is no
    event, 503 when the database is away: then send it again. The signature is looked at before anything is read of it.
    """
    router = APIRouter()

    @router.post("/events")
    async def publish(request: Request) -> Response:
        raw = await body_of(request)
        if raw is None:
            return too_long("An event")
        sent = request.headers
        problem = steward.signatures.problem(
            sent.get("webhook-id", ""),
            sent.get("webhook-timestamp", ""),
            sent.get("webhook-signature", ""),
            raw,
            now=steward.clock.now(),
        )
        if problem:
            return refusal(401, problem)
        try:
            published = await steward.publish(read_event(read_json(raw)))
        except StewardError as error:
            return refused(error)
        if published.first:
            return JSONResponse({"status": "accepted"}, 202)
        return JSONResponse({"status": "published before"}, 200)

    return router
