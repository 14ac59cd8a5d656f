"""How requests to a system carry its credentials. Secrets stay inside: not in a repr, an error or a log."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

import httpx

from governance.clock import Clock
from governance.errors import CallFailed, Permanent, Transient
from tools.classify import status_failure, transport_failure
from tools.contract import ApiKey, Auth, Basic, OAuth2

_USUAL_LIFE = 300.0
_LEEWAY = 30.0


@dataclass(frozen=True)
class Connection:
    """A system's address and credentials, resolved. ``secret`` is the real one and is left out of the repr."""

    url: str
    user: str = ""
    secret: str = field(default="", repr=False)


class Credentials(Protocol):
    """What a request to a system must carry."""

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must never be shown, for striking it out of a system's own words."""
        ...

    async def headers(self) -> dict[str, str]:
        """The headers to send.

        Raises:
            Transient, Permanent: a token could not be had. Never Ambiguous: nothing was asked of the system yet.

        """
        ...

    def refused(self, sent: dict[str, str]) -> bool:
        """The system answered 401 to ``sent``. True if fresh credentials are worth one more try."""
        ...


def credentials_for(
    auth: Auth, system: str, connection: Connection, client: httpx.AsyncClient, clock: Clock
) -> Credentials:
    """The credentials that the system's declared way of authentication needs."""
    match auth:
        case ApiKey(header=header):
            return _Fixed({header: connection.secret}, (connection.secret,))
        case Basic():
            pair = b64encode(f"{connection.user}:{connection.secret}".encode()).decode()
            return _Fixed({"Authorization": f"Basic {pair}"}, (connection.secret, pair))
        case OAuth2(token_path=path):
            return _Tokens(system, path, connection, client, clock)


class _Fixed:
    """The same headers on every request: a key, or user name and password."""

    def __init__(self, headers: dict[str, str], secrets: tuple[str, ...]) -> None:
        self._headers = headers
        self.secrets = secrets

    async def headers(self) -> dict[str, str]:
        return dict(self._headers)

    def refused(self, sent: dict[str, str]) -> bool:  # noqa: ARG002 - one signature for all credentials
        return False


class _Tokens:
    """OAuth2 client credentials (RFC 6749 4.4): one token, shared, fetched anew shortly before it ends or when refused."""

    def __init__(self, system: str, path: str, connection: Connection, client: httpx.AsyncClient, clock: Clock) -> None:
        self._system = system
        self._url = connection.url.rstrip("/") + path
        self._connection = connection
        self._client = client
        self._clock = clock
        self._token = ""
        self._until: datetime | None = None
        self._one_at_a_time = asyncio.Lock()

    @property
    def secrets(self) -> tuple[str, ...]:
        return (self._connection.secret, self._token)

    async def headers(self) -> dict[str, str]:
        async with self._one_at_a_time:
            if self._until is None or self._clock.now() >= self._until:
                self._token, life = _read_token(self._system, await self._fetch())
                # Never later than three quarters of its life, so that a short-lived token is of use at all.
                self._until = self._clock.now() + timedelta(seconds=max(life - _LEEWAY, life * 0.75))
            return {"Authorization": f"Bearer {self._token}"}

    def refused(self, sent: dict[str, str]) -> bool:
        if sent.get("Authorization") == f"Bearer {self._token}":  # else another call has fetched a new one by now
            self._until = None
        return True

    async def _fetch(self) -> Any:
        form = {
            "grant_type": "client_credentials",
            "client_id": self._connection.user,
            "client_secret": self._connection.secret,
        }
        try:
            answer = await self._client.post(self._url, data=form)
        except httpx.HTTPError as error:
            raise self._no_token(transport_failure(self._system, error, effect=False)) from None
        headers = {name.lower(): value for name, value in answer.headers.items()}
        failure = status_failure(self._system, answer.status_code, headers, None, effect=False, now=self._clock.now())
        if failure is not None:
            raise self._no_token(failure)
        try:
            return answer.json()
        except ValueError:
            return None

    def _no_token(self, failure: CallFailed) -> CallFailed:
        """The same class with a sentence about the token; the system's own words may quote the secret and stay out."""
        kind = Permanent if isinstance(failure, Permanent) else Transient
        return kind(
            f"{self._system} gave no access token: {failure}",
            code="no_token",
            retry_after=failure.retry_after,
            fix=f"check the client id and secret of {self._system} in systems.yaml" if kind is Permanent else "",
        )


def _read_token(system: str, body: Any) -> tuple[str, float]:
    """The token and its life in seconds (RFC 6749 5.1; without ``expires_in`` five minutes are assumed)."""
    token = body.get("access_token") if isinstance(body, dict) else None
    if not isinstance(token, str) or not token.isascii() or not token.isprintable() or not token:
        raise Transient(f"{system} answered the request for an access token with something else", code="no_token")
    life = body.get("expires_in", _USUAL_LIFE)
    usable = isinstance(life, int | float) and not isinstance(life, bool) and 0 < life < 1e8
    return token, float(life) if usable else _USUAL_LIFE
