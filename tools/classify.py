"""The one mapping from what happens on the wire to TRANSIENT, PERMANENT or AMBIGUOUS. Total: every case has a class.

=====================================  ==================  ==================  ==========================================
what happened                          a read              an effect           because
=====================================  ==================  ==================  ==========================================
no connection, DNS, TLS, pool full     transient           transient           no byte of the request had left
request cannot be written as HTTP      permanent           permanent           refused by our own client, nothing left
time-out, drop or write error after    transient           ambiguous           RFC 9110 9.2.2: a client cannot know
2xx with a body that is not JSON       transient           ambiguous           done, and the answer is lost
2xx with a body that is too large      permanent           ambiguous           done, and the answer is lost
1xx, 3xx                               permanent           permanent           RFC 9110 15.4: the target did not act; we
                                                                               follow no redirect (credentials are bound
                                                                               to one host)
408, 421, 423, 425                     transient           transient           RFC 9110 15.5.9 and 15.5.20, RFC 4918 11.3,
                                                                               RFC 8470 5.2: refused before acting
429                                    transient           transient           RFC 6585 4, with its Retry-After
other 4xx (400, 401, 403, 404, 409 …)  permanent           permanent           RFC 9110 15.5: the request is at fault
501, 505                               permanent           permanent           RFC 9110 15.6.2, 15.6.6: cannot be served
503 with Retry-After                   transient           transient           RFC 9110 15.6.4: who names the time to come
                                                                               back declined; gateways that lost a call
                                                                               they had passed on do not name one
503 without it, 500, 502, 504, other   transient           ambiguous           the fault may have struck after the act
=====================================  ==================  ==================  ==========================================

"An effect" here means: an unsafe request of this call may have left, or an earlier one of the same call was accepted.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from governance.effects import EffectClass, Failure, FailureClass
from governance.errors import Ambiguous, CallFailed, Permanent, Transient
from governance.text import legible
from tools.errorbody import Complaint, complaint

RATE_LIMITED = "rate_limited"
_BEFORE_THE_FIRST_BYTE = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_OURS = (httpx.LocalProtocolError, httpx.UnsupportedProtocol)
_REFUSED_FOR_NOW = frozenset({408, 421, 423, 425})
_CANNOT_SERVE = frozenset({501, 505})
_LONGEST = timedelta(days=30)
_FIXES = {
    401: "check the credentials of {system} in systems.yaml",
    403: "ask the owners of {system} to allow this act to Steward's account",
}


def transport_failure(system: str, error: httpx.HTTPError, *, effect: bool) -> CallFailed:
    """Classify an error below HTTP's status codes. ``effect``: an unsafe request may have left."""
    if isinstance(error, _BEFORE_THE_FIRST_BYTE):
        return Transient(f"{system} cannot be reached", code="unreachable", hint="is the system up, its url right?")
    if isinstance(error, _OURS):
        return Permanent(f"the request to {system} is not valid HTTP", code="bad_request")
    if isinstance(error, httpx.TimeoutException):
        return lost(f"{system} did not answer in time", code="timeout", effect=effect)
    return lost(f"{system} closed the connection before it answered", code="dropped", effect=effect)


def status_failure(
    system: str, status: int, headers: Mapping[str, str], body: Any, *, effect: bool, now: datetime
) -> CallFailed | None:
    """Classify an answer by its status; None for 2xx. ``headers`` are looked up by lower-case name."""
    if 200 <= status < 300:
        return None
    said = complaint(body)
    code = said.code or f"http_{status}"
    retry_after = parse_retry_after(headers.get("retry-after", ""), now)
    if status == 429:
        return Transient(f"{system} asks to slow down (429)", code=RATE_LIMITED, retry_after=retry_after)
    if status in _REFUSED_FOR_NOW or (status == 503 and retry_after is not None):
        return Transient(_sentence(system, "cannot act now", status, said), code=code, retry_after=retry_after)
    if status < 500 or status in _CANNOT_SERVE:
        fix = "; ".join(said.problems) or _FIXES.get(status, "").format(system=system)
        return Permanent(_sentence(system, _refusal(status), status, said), code=code, fix=fix)
    return lost(_sentence(system, "failed", status, said), code=code, effect=effect, retry_after=retry_after)


def lost(sentence: str, *, code: str, effect: bool, retry_after: timedelta | None = None) -> CallFailed:
    """The answer is lost: nobody knows for an effect, and a read is asked again."""
    kind = Ambiguous if effect else Transient
    return kind(sentence, code=code, retry_after=retry_after)


def as_failure(error: CallFailed, effect: EffectClass) -> Failure:
    """The journal's word for an error. A read has nothing to be ambiguous about: it is transient."""
    match error:
        case Permanent():
            kind = FailureClass.PERMANENT
        case Ambiguous() if effect is not EffectClass.READ:
            kind = FailureClass.AMBIGUOUS
        case _:
            kind = FailureClass.TRANSIENT
    fix = legible(error.fix or error.hint)
    return Failure(failure=kind, code=legible(error.code), message=legible(str(error)), fix=fix)


def parse_retry_after(value: str, now: datetime) -> timedelta | None:
    """Retry-After (RFC 9110 10.2.3): seconds or an HTTP date; None if absent or unreadable.

    A moment that has passed is zero; more than 30 days counts as 30 days.
    """
    value = value.strip()
    if value.isascii() and value.isdigit():
        return min(timedelta(seconds=int(value[:9])), _LONGEST) if len(value) <= 9 else _LONGEST
    try:
        at = parsedate_to_datetime(value)
    except (ValueError, OverflowError, IndexError, TypeError):
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return min(max(at - now, timedelta(0)), _LONGEST)


def _refusal(status: int) -> str:
    if status < 200 or 300 <= status < 400:
        return "answered with a redirect, which is not followed"
    return "refused the call"


def _sentence(system: str, what: str, status: int, said: Complaint) -> str:
    because = said.sentence or said.code
    if said.problems and not any(problem in because for problem in said.problems):
        because = "; ".join(filter(None, (because, *said.problems)))
    return f"{system} {what} ({status})" + (f": {because}" if because else "")
