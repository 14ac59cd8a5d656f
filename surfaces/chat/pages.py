"""Pages beside the chat, behind its log-in: what a run decided. A GET shows, and never decides."""

from __future__ import annotations

from uuid import UUID

from chainlit.auth import authenticate_user, get_token_from_cookies
from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse

from governance.errors import NotFound, Unavailable
from governance.people import Directory, Person
from runtime.application import Application
from surfaces.decided import Namer
from surfaces.http.decision_page import decision_html, refusal_html

DECISIONS = "/runs/{run}/decisions"
_HEADERS = {
    "cache-control": "no-store",
    # Narrower than the chat's own, which is added too: both hold.
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'",
}


def pages(steward: Application) -> APIRouter:
    """The routes. 401 for who is not logged in; 404 for a run that is not there, or not for this person to see."""
    router = APIRouter()

    @router.get(DECISIONS, response_class=HTMLResponse)
    async def decisions(run: str, request: Request) -> HTMLResponse:
        person = await _logged_in(request, steward.directory)
        if person is None:
            return _page(401, refusal_html("Log in first", "This page is for people who may see the run.", log_in=True))
        try:
            decided = await steward.decisions(_whole(run), by=person)
        except NotFound:
            return _page(404, refusal_html("No such run", "There is no such run, or none that you may see."))
        except Unavailable as error:
            return _page(503, refusal_html("Not now", f"{error} {error.hint}"))
        return _page(200, decision_html(decided, _namer(steward.directory), steward.named))

    return router


async def _logged_in(request: Request, directory: Directory) -> Person | None:
    """Whom the session's cookie names, as the directory knows them now; None without a valid one."""
    token = get_token_from_cookies(request.cookies)
    if not token:
        return None
    try:
        user = await authenticate_user(token)
    except HTTPException:
        return None
    return directory.find(user.identifier)


def _whole(run: str) -> str:
    """A whole id. Raises NotFound: the beginning of one would tell which runs there are."""
    try:
        return str(UUID(run))
    except ValueError:
        raise NotFound("There is no such run.") from None


def _namer(directory: Directory) -> Namer:
    def name(person_id: str) -> str:
        person = directory.find(person_id)
        return person.name if person else person_id

    return name


def _page(status: int, html: str) -> HTMLResponse:
    return HTMLResponse(html, status, _HEADERS)
