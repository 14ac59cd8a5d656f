"""Who may call: OAuth2 client credentials, an API key, or HTTP basic, always with the practice credentials."""

import base64
import binascii
import secrets
import sqlite3
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import JSONResponse

from sandbox import credentials
from sandbox.engine.refusal import Refusal
from sandbox.engine.system import Auth

TOKEN_SECONDS = 300
TOKEN_OPERATION = "issue_token"


def authenticate(request: Request, auth: Auth, system: str, db: sqlite3.Connection, now: float) -> Refusal | None:
    """Give the 401 refusal, or None when the caller showed the right credentials."""
    if auth == "api_key":
        good = _same(request.headers.get("X-Api-Key", ""), credentials.API_KEY)
        return None if good else _unauthorised("Send the API key in the header X-Api-Key.", "ApiKey")
    if auth == "basic":
        good = _basic(request) == (credentials.BASIC_USER, credentials.BASIC_PASSWORD)
        return None if good else _unauthorised("Log in with HTTP basic.", f'Basic realm="{system}"')
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    row = db.execute("SELECT ends FROM tokens WHERE token = ? AND system = ?", (token, system)).fetchone()
    if scheme.lower() == "bearer" and row is not None and row["ends"] > now:
        return None
    challenge = 'Bearer error="invalid_token"' if token else "Bearer"
    return _unauthorised("The access token is missing, unknown or out of date; get one at /oauth/token.", challenge)


def add_token_route(router: APIRouter) -> None:
    """Give an OAuth2 system its token endpoint."""

    @router.post("/oauth/token", name=TOKEN_OPERATION, response_model=None)
    async def issue_token(
        request: Request,
        grant_type: Annotated[str, Form()] = "",
        client_id: Annotated[str, Form()] = "",
        client_secret: Annotated[str, Form()] = "",
    ) -> JSONResponse:
        """Exchange the client's credentials for an access token."""
        if grant_type != "client_credentials":
            return JSONResponse({"error": "unsupported_grant_type"}, 400)
        given = _basic(request) or (client_id, client_secret)
        if given != (credentials.CLIENT_ID, credentials.CLIENT_SECRET):
            return JSONResponse({"error": "invalid_client"}, 401, {"WWW-Authenticate": "Basic"})
        token = secrets.token_urlsafe(24)
        request.state.work.allow_token(token, TOKEN_SECONDS)
        answer = {"access_token": token, "token_type": "Bearer", "expires_in": TOKEN_SECONDS}
        return JSONResponse(answer, headers={"Cache-Control": "no-store"})


def _unauthorised(message: str, challenge: str) -> Refusal:
    return Refusal(401, "unauthorised", message, headers={"WWW-Authenticate": challenge})


def _basic(request: Request) -> tuple[str, str] | None:
    scheme, _, packed = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, _, password = base64.b64decode(packed, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return user, password


def _same(given: str, right: str) -> bool:
    return secrets.compare_digest(given.encode(), right.encode())
