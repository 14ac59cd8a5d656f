"""Every event on the wire has one class, and the system's own words reach people."""

from __future__ import annotations

from datetime import timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.effects import EffectClass, FailureClass
from governance.errors import Ambiguous, CallFailed, Permanent, Transient
from tests.unit.tools.stage import START
from tools.classify import as_failure, parse_retry_after, status_failure, transport_failure
from tools.errorbody import complaint

BEFORE = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
AFTER = (
    httpx.ReadTimeout,
    httpx.WriteTimeout,
    httpx.ReadError,
    httpx.WriteError,
    httpx.CloseError,
    httpx.RemoteProtocolError,
    httpx.ProxyError,
    httpx.DecodingError,
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
NAMED = st.dictionaries(
    st.sampled_from(["error", "errors", "fault", "detail", "message", "fields", "code", "field", "reasons"]), JSON
)


def judged(status: int, *, effect: bool, headers: dict[str, str] | None = None, body: Any = None) -> CallFailed | None:
    """The class of an answer."""
    return status_failure("shop", status, headers or {}, body, effect=effect, now=START)


@pytest.mark.parametrize("error", BEFORE)
def test_nothing_left_so_nothing_is_in_doubt(error: type[httpx.TransportError]) -> None:
    """Nothing left so nothing is in doubt."""
    assert type(transport_failure("shop", error("x"), effect=True)) is Transient


@pytest.mark.parametrize("error", AFTER)
def test_a_lost_answer_is_ambiguous_for_an_effect_and_transient_for_a_read(error: type[httpx.TransportError]) -> None:
    """A lost answer is ambiguous for an effect and transient for a read."""
    assert type(transport_failure("shop", error("x"), effect=True)) is Ambiguous
    assert type(transport_failure("shop", error("x"), effect=False)) is Transient


def test_a_request_that_our_own_client_refuses_is_permanent() -> None:
    """A request that our own client refuses is permanent."""
    assert type(transport_failure("shop", httpx.LocalProtocolError("x"), effect=True)) is Permanent


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 409, 410, 422, 501, 505, 301, 302, 304, 307, 308])
def test_the_request_is_at_fault(status: int) -> None:
    """The request is at fault."""
    assert type(judged(status, effect=True)) is Permanent


@pytest.mark.parametrize("status", [408, 421, 423, 425, 429])
def test_refused_before_acting_is_transient_for_effects_too(status: int) -> None:
    """Refused before acting is transient for effects too."""
    assert type(judged(status, effect=True)) is Transient


@pytest.mark.parametrize("status", [500, 502, 503, 504, 507, 599, 777])
def test_a_system_that_broke_may_have_acted(status: int) -> None:
    """A system that broke may have acted."""
    assert type(judged(status, effect=True)) is Ambiguous
    assert type(judged(status, effect=False)) is Transient


def test_a_503_that_names_the_time_to_come_back_was_not_done() -> None:
    """A 503 that names the time to come back was not done."""
    failure = judged(503, effect=True, headers={"retry-after": "7"})
    assert type(failure) is Transient
    assert failure.retry_after == timedelta(seconds=7)


@given(status=st.integers(0, 1200), effect=st.booleans(), after=st.text(max_size=12), body=JSON | NAMED)
def test_classification_of_answers_is_total(status: int, effect: bool, after: str, body: Any) -> None:
    """Classification of answers is total."""
    failure = judged(status, effect=effect, headers={"retry-after": after}, body=body)
    assert (failure is None) == (200 <= status < 300)
    if failure is not None:
        assert effect or not isinstance(failure, Ambiguous)
        assert as_failure(failure, EffectClass.KEYED).message


@given(
    error=st.sampled_from([*BEFORE, *AFTER, httpx.UnsupportedProtocol, httpx.TooManyRedirects]), effect=st.booleans()
)
def test_classification_of_transport_errors_is_total(error: type[httpx.HTTPError], effect: bool) -> None:
    """Classification of transport errors is total."""
    failure = transport_failure("shop", error("x"), effect=effect)
    assert effect or not isinstance(failure, Ambiguous)


def test_a_read_is_never_ambiguous_in_the_journal() -> None:
    """A read is never ambiguous in the journal."""
    assert as_failure(Ambiguous("x"), EffectClass.READ).failure is FailureClass.TRANSIENT


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120),
        (" 0 ", 0),
        (format_datetime(START + timedelta(seconds=90)), 90),
        (format_datetime(START - timedelta(days=1)), 0),
        ("9" * 40, 30 * 86400),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 30 * 86400),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("", None),
        ("٣", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str, seconds: float | None) -> None:
    """Retry after is seconds or a date."""
    parsed = parse_retry_after(value, START)
    assert (parsed.total_seconds() if parsed is not None else None) == seconds


@given(st.text())
def test_retry_after_is_total(value: str) -> None:
    """Retry after is total."""
    parsed = parse_retry_after(value, START)
    assert parsed is None or timedelta(0) <= parsed <= timedelta(days=30)


@pytest.mark.parametrize(
    ("body", "code", "sentence", "problems"),
    [
        (
            {"status": "400", "scimType": "invalid", "detail": "no", "errors": [{"path": "mail", "detail": "bad"}]},
            "invalid",
            "no",
            ("mail: bad",),
        ),
        (
            {"error": {"code": "invalid", "message": "no", "fields": [{"field": "startsOn", "issue": "bad"}]}},
            "invalid",
            "no",
            ("startsOn: bad",),
        ),
        (
            {
                "type": "about:blank",
                "title": "invalid",
                "detail": "no",
                "invalid_params": [{"name": "x", "reason": "bad"}],
            },
            "invalid",
            "no",
            ("x: bad",),
        ),
        ({"errorCode": "invalid", "errorMessage": "no", "fieldErrors": {"x": "bad"}}, "invalid", "no", ("x: bad",)),
        ({"errors": [{"code": "invalid", "field": "x", "message": "bad"}]}, "invalid", "bad", ("x: bad",)),
        (
            {"fault": {"reason": "invalid", "text": "no", "violations": [{"attribute": "x", "text": "bad"}]}},
            "invalid",
            "no",
            ("x: bad",),
        ),
        ({"ok": False, "error": "invalid", "message": "no", "fields": {"x": "bad"}}, "invalid", "no", ("x: bad",)),
        ({"status": "rejected", "code": "invalid", "reasons": ["x: bad"]}, "invalid", "", ("x: bad",)),
        ({"detail": [{"loc": ["body", "x"], "msg": "bad"}]}, "", "", ("body.x: bad",)),
        (["odd"], "", "", ()),
    ],
)
def test_the_systems_own_words_are_read_in_every_shape(
    body: Any, code: str, sentence: str, problems: tuple[str, ...]
) -> None:
    """The systems own words are read in every shape."""
    said = complaint(body)
    assert (said.code, said.sentence, said.problems) == (code, sentence, problems)


def test_a_refusal_carries_sentence_code_and_fix() -> None:
    """A refusal carries sentence code and fix."""
    body = {"error": {"code": "invalid", "message": "it does not hold", "fields": [{"field": "x", "issue": "bad"}]}}
    failure = judged(422, effect=True, body=body)
    assert failure is not None
    assert str(failure) == "shop refused the call (422): it does not hold; x: bad"
    assert (failure.code, failure.fix) == ("invalid", "x: bad")
