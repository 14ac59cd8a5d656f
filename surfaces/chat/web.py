"""Chainlit's web application with what we do not want taken out: routes, links to other hosts, foreign origins."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any

import chainlit.server as served
from chainlit.session import WebsocketSession
from fastapi import APIRouter, FastAPI
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

_KEPT = frozenset(
    {
        ("GET", "/public/{filename:path}"),
        ("GET", "/assets/{filename:path}"),
        ("GET", "/auth/config"),
        ("POST", "/login"),
        ("POST", "/logout"),
        ("GET", "/user"),
        ("POST", "/set-session-cookie"),
        ("GET", "/project/translations"),
        ("GET", "/project/settings"),
        ("POST", "/project/threads"),
        ("GET", "/project/thread/{thread_id}"),
        ("PUT", "/project/thread"),
        ("DELETE", "/project/thread"),
        ("POST", "/project/action"),
        ("GET", "/favicon"),
        ("GET", "/logo"),
        ("GET", "/avatars/{avatar_id:str}"),
        ("HEAD", "/"),
        ("GET", "/health"),
        ("GET", "/{full_path:path}"),
    }
)
_ELSEWHERE = re.compile(r"<link\b[^>]*href=\"https?://[^>]*>|<meta property=\"og:url\"[^>]*>", re.DOTALL)
_FEWER_EVENTS = frozenset({"connect", "connection_successful", "clear_session", "disconnect", "client_message"})
# JSX cards run by `new Function`, so scripts cannot be stricter than this.
_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; connect-src 'self' data: ws: wss:; worker-src 'self' blob:; frame-ancestors 'none'; "
    "object-src 'none'; base-uri 'self'; form-action 'self'"
)
_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
    (b"content-security-policy", _POLICY.encode()),
)

Connected = Callable[[WebsocketSession], Awaitable[None]]


def harden(origins: list[str], connected: Connected, pages: APIRouter) -> ASGIApp:
    """Chainlit's application, with our own ``pages``, ready to be served.

    ``connected`` is told whenever a page has (re)connected.
    """
    app: FastAPI = served.app
    sockets = [route for route in app.router.routes if getattr(route, "path", "").endswith("/ws/socket.io")]
    app.router.routes[:] = [*sockets, *pages.routes, *(route for route in served.router.routes if _keeps(route))]
    _strip_links()
    _after_connecting(connected)
    return _Guard(app, frozenset(origins))


def _keeps(route: BaseRoute) -> bool:
    return any((method, getattr(route, "path", "")) in _KEPT for method in getattr(route, "methods", ()))


def _strip_links() -> None:
    """Chainlit's page names hosts elsewhere; unreachable, they would keep it blank."""
    template: Callable[[str], str] = served.get_html_template

    def local(root_path: str) -> str:
        return _ELSEWHERE.sub("", template(root_path))

    served.get_html_template = local


def _after_connecting(connected: Connected) -> None:
    """Socket events that we do not use are dropped; after each (re)connection the page is brought up to date."""
    handlers: dict[str, Any] = served.sio.handlers["/"]
    for event in set(handlers) - _FEWER_EVENTS:
        del handlers[event]
    original = handlers["connection_successful"]

    async def then(sid: str) -> None:
        await original(sid)
        session = WebsocketSession.get(sid)
        if session is not None:
            await connected(session)

    handlers["connection_successful"] = then


class _Guard:
    """Refuses what comes from another origin (Chainlit's socket takes any), and adds headers to answers."""

    def __init__(self, app: ASGIApp, origins: frozenset[str]) -> None:
        self._app = app
        self._origins = origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        origin = headers.get(b"origin", b"").decode("latin-1")
        host = headers.get(b"host", b"").decode("latin-1")
        if origin and origin not in self._origins and origin.partition("://")[2] != host:
            await _refuse(scope, send)
            return

        async def with_headers(message: Any) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], *_HEADERS]}
            await send(message)

        await self._app(scope, receive, with_headers)


async def _refuse(scope: Scope, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 4403})
        return
    await send({"type": "http.response.start", "status": 403, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": b"This page may be used from its own address only."})
