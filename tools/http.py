"""The wire: one client for each system, and for each call an ``Http`` that keeps to its system, its time and its size.

No redirects, no retries, no proxy or credentials from the environment. What goes wrong is classified by
``tools.classify``; an ``Http`` knows whether an effect of its call may have left, and that decides between transient
and ambiguous.
"""

from __future__ import annotations

import asyncio
import json as jsonlib
from collections.abc import Iterable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Any, Self
from urllib.parse import unquote, urlsplit

import httpx

from governance.clock import Clock
from governance.errors import Ambiguous, CallFailed, InvalidSettings, Permanent, Transient
from governance.findings import Finding
from tools.classify import lost, status_failure, transport_failure
from tools.contract import HttpAnswer, System
from tools.credentials import Connection, Credentials, credentials_for

MOST_BYTES = 5_000_000
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})  # RFC 9110 9.2.1
# Shorter than the idle time after which common servers close (5 s): a request on a connection that closes at that
# very moment is lost, and a lost effect is ambiguous.
_IDLE = 2.0
_TOKEN_TIMEOUT = 5.0


@dataclass(frozen=True)
class _Line:
    """What the calls to one system share."""

    system: System
    base: str
    client: httpx.AsyncClient
    credentials: Credentials
    slots: asyncio.Semaphore


class SystemClients:
    """The clients of all systems; an async context manager that closes them.

    ``connections`` has one for each system, by name; a system without one uses its own ``url`` and ``user``.

    Raises:
        InvalidSettings: addresses that are not ``http(s)://host…`` without user, query or fragment; all at once.

    """

    def __init__(
        self,
        systems: Iterable[System],
        connections: Mapping[str, Connection],
        clock: Clock,
        *,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        self._clock = clock
        self._most_bytes = most_bytes
        self._stack = AsyncExitStack()
        self._systems = {s.name: (s, connections.get(s.name) or Connection(s.url, s.user)) for s in systems}
        self._lines: dict[str, _Line] = {}
        findings = [_bad_address(name) for name, (_, at) in self._systems.items() if not _is_address(at.url)]
        if findings:
            raise InvalidSettings("a system's address cannot be used", hint="see systems.yaml", findings=findings)

    async def __aenter__(self) -> Self:
        trusted = httpx.create_ssl_context(trust_env=False)  # once: reading all root certificates takes 30 ms
        for name, (system, connection) in self._systems.items():
            client = await self._stack.enter_async_context(
                httpx.AsyncClient(
                    follow_redirects=False,
                    trust_env=False,
                    verify=trusted,
                    timeout=_TOKEN_TIMEOUT,
                    limits=httpx.Limits(
                        max_connections=system.concurrency + 1,  # one more for the token
                        max_keepalive_connections=system.concurrency + 1,
                        keepalive_expiry=_IDLE,
                    ),
                    headers={"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "Steward"},
                )
            )
            credentials = credentials_for(system.auth, name, connection, client, self._clock)
            slots = asyncio.Semaphore(system.concurrency)
            self._lines[name] = _Line(system, connection.url.rstrip("/"), client, credentials, slots)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lines.clear()
        await self._stack.aclose()

    def slot(self, system: str) -> asyncio.Semaphore:
        """``async with`` it for the time of one attempt: at most ``System.concurrency`` hold one."""
        return self._line(system).slots

    def http(self, system: str, *, reading: bool, deadline: datetime) -> CallHttp:
        """The ``Http`` of one attempt. ``reading``: whatever method it uses, it changes nothing."""
        return CallHttp(
            self._line(system), self._clock, reading=reading, deadline=deadline, most_bytes=self._most_bytes
        )

    def _line(self, system: str) -> _Line:
        try:
            return self._lines[system]
        except KeyError:
            raise InvalidSettings(
                f"no system named {system} is connected", hint="name it in systems.yaml, or in its tool file"
            ) from None


class CallHttp:
    """One attempt's ``Http`` (see ``tools.contract.Http``).

    ``landed``: an effect has happened, or may have, through this object. ``answered``: the system gave at least one
    answer, of whatever kind. ``concluded``: the last answer was a 500 of the system itself, so that it is not working
    on the call any more (which a gateway's 502 or 504 does not say).
    """

    def __init__(self, line: _Line, clock: Clock, *, reading: bool, deadline: datetime, most_bytes: int) -> None:
        self._line = line
        self._clock = clock
        self._reading = reading
        self._deadline = deadline
        self._most_bytes = most_bytes
        self.landed = False
        self.answered = False
        self.concluded = False

    def leaving(self) -> None:
        """What follows goes out by another way: from here on nobody knows whether an effect has happened."""
        self.landed = self.landed or not self._reading

    async def request(
        self,
        method: str,
        path: str,
        *,
        json: Mapping[str, Any] | None = None,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        expect: tuple[int, ...] = (),
    ) -> HttpAnswer:
        """Send and return the answer, for 2xx and for the statuses in ``expect``. ``path`` is below the system's url.

        Raises:
            Transient, Permanent, Ambiguous: everything else, by the table in ``tools.classify``.

        """
        earlier = self.landed
        try:
            answer = await self._request(method.upper(), path, json, params, headers, expect)
        except (Transient, Permanent) as failure:
            self.landed = earlier
            if earlier:  # this request did nothing, but an earlier one of the same call did
                raise Ambiguous(f"{failure}, after a part of the call was done", code=failure.code) from None
            raise
        if 300 <= answer.status < 500:  # a refusal that the tool foresaw: nothing was done
            self.landed = earlier
        return answer

    async def _request(
        self,
        method: str,
        path: str,
        json: Mapping[str, Any] | None,
        params: Mapping[str, str] | None,
        headers: Mapping[str, str] | None,
        expect: tuple[int, ...],
    ) -> HttpAnswer:
        url = self._line.base + _own_path(self._line.system.name, path)
        earlier = self.landed
        effect = earlier or not (self._reading or method in _SAFE)
        for last in (False, True):
            carried = await self._line.credentials.headers()
            request = self._line.client.build_request(
                method,
                url,
                json=None if json is None else dict(json),
                params=dict(params) if params else None,
                headers={**(headers or {}), **carried},
                timeout=self._timeouts(),
            )
            status, said, body = await self._exchange(request, effect=effect)
            if status != 401 or last or status in expect or not self._line.credentials.refused(carried):
                break
            self.landed = earlier
        return self._judge(status, said, body, expect, effect=effect)

    def _timeouts(self) -> httpx.Timeout:
        """What is left until the deadline; connecting gets half, so that it ends first and is known to be that."""
        left = (self._deadline - self._clock.now()).total_seconds()
        if left <= 0:
            raise Transient(f"no time was left to call {self._line.system.name}", code="no_time")
        return httpx.Timeout(left, connect=left / 2, pool=left / 2)

    async def _exchange(self, request: httpx.Request, *, effect: bool) -> tuple[int, dict[str, str], bytes | None]:
        """Status, headers and body; a body of None is one that was too large or broke off under an error status."""
        self.landed = self.landed or effect
        self.concluded = False
        try:
            response = await self._line.client.send(request, stream=True)
            try:
                self.answered, self.concluded = True, response.status_code == 500
                said = {name.lower(): value for name, value in response.headers.items()}
                return response.status_code, said, await self._body(response)
            finally:
                await response.aclose()
        except httpx.HTTPError as error:
            raise transport_failure(self._line.system.name, error, effect=effect) from None

    async def _body(self, response: httpx.Response) -> bytes | None:
        body = bytearray()
        try:
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > self._most_bytes:
                    return None
        except httpx.HTTPError:
            if response.is_success:
                raise
            return None  # the status has said what matters
        return bytes(body)

    def _judge(
        self, status: int, said: Mapping[str, str], body: bytes | None, expect: tuple[int, ...], *, effect: bool
    ) -> HttpAnswer:
        name = self._line.system.name
        parsed, readable = _parse(body)
        expected = status in expect
        if not expected:
            failure = status_failure(name, status, said, parsed, effect=effect, now=self._clock.now())
            if failure is not None:
                raise self._struck_out(failure)
        if body is None:
            if effect:
                raise Ambiguous(f"{name}'s answer is too large to read", code="too_large")
            raise Permanent(f"{name}'s answer is larger than {self._most_bytes} bytes", code="too_large")
        if not readable:
            raise lost(f"{name} answered something that is not JSON ({status})", code="malformed", effect=effect)
        return HttpAnswer(status, parsed)

    def _struck_out(self, failure: CallFailed) -> CallFailed:
        """The failure without any secret that the system quoted back."""
        sentence, fix = str(failure), failure.fix
        for secret in filter(None, self._line.credentials.secrets):
            sentence, fix = sentence.replace(secret, "…"), fix.replace(secret, "…")
        kind = type(failure)
        return kind(sentence, hint=failure.hint, code=failure.code, retry_after=failure.retry_after, fix=fix)


def _own_path(system: str, path: str) -> str:
    """``path`` if it surely stays below the system's url: no other host, no climbing, no query of its own.

    Raises:
        Permanent: it does not.

    """
    plain = unquote(unquote(path))  # twice: some servers decode twice
    climbs = any(part in {".", ".."} for part in plain.replace("\\", "/").split("/"))
    foreign = not path.startswith("/") or path.startswith("//") or "\\" in plain
    if climbs or foreign or not plain.isprintable() or any(mark in path for mark in "?# "):
        raise Permanent(f"a path outside of {system} was asked for, and not sent", code="bad_path")
    return path


def _parse(body: bytes | None) -> tuple[Any, bool]:
    """The JSON value (an empty object for no body), and whether the body could be read."""
    if not body:
        return {}, body is not None
    try:
        return jsonlib.loads(body, parse_constant=_no_number), True
    except (ValueError, RecursionError):
        return {}, False


def _no_number(word: str) -> Any:
    """NaN and Infinity, which Python reads and JSON does not have."""
    raise ValueError(word)


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        port_is_fine = parts.port is None or parts.port > 0
    except ValueError:
        return False
    return (
        parts.scheme in {"http", "https"}
        and bool(parts.hostname)
        and port_is_fine
        and not (parts.username or parts.password or parts.query or parts.fragment)
    )


def _bad_address(system: str) -> Finding:
    return Finding(
        code="system_address",
        place=f"systems.{system}.url",
        sentence="is not an http or https address without user, query and fragment",
        fix="write it as https://host/path",
    )
