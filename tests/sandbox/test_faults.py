"""The fault switch: each kind does what it says, before or after the effect, and no more."""

import time

import httpx
import pytest

from tests.sandbox.creates import BY_SYSTEM
from tests.sandbox.running import Company

PAYROLL = BY_SYSTEM["payroll"]


def test_a_status_fault_answers_with_retry_after_and_applies_nothing(acme: Company) -> None:
    """It strikes as often as ordered; then the call works."""
    acme.order_fault(system="payroll", kind="status", operation="create_employee", status=429, retry_after=7, times=2)
    for _ in range(2):
        answer = PAYROLL.send(acme)
        assert (answer.status_code, answer.headers["Retry-After"]) == (429, "7")
        assert answer.json()["error"]["code"] == "rate_limited"
    assert acme.effect_count("payroll") == 0
    assert PAYROLL.send(acme).status_code == 201
    assert acme.outcomes("payroll") == {"fault status": 2, "201": 1}


@pytest.mark.parametrize(("kind", "effects"), [("error_before", 0), ("error_after", 1)])
def test_an_error_comes_without_or_with_the_effect(acme: Company, kind: str, effects: int) -> None:
    """Both look the same from outside: a 500."""
    acme.order_fault(system="payroll", kind=kind, method="post")
    answer = PAYROLL.send(acme)
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "internal_error")
    assert acme.effect_count("payroll") == effects


@pytest.mark.parametrize(("kind", "effects"), [("hang_before", 0), ("hang_after", 1)])
def test_a_hang_outlasts_the_caller_without_or_with_the_effect(acme: Company, kind: str, effects: int) -> None:
    """The caller runs into its time-out; the company goes on serving others."""
    acme.order_fault(system="payroll", kind=kind, path_prefix="/employees", seconds=30)
    with pytest.raises(httpx.ReadTimeout):
        acme["payroll"].post(PAYROLL.path, json=PAYROLL.body, timeout=0.2)
    assert acme.effect_count("payroll") == effects
    assert acme.outcomes("payroll") == {f"fault {kind}": 1}
    assert acme["payroll"].get("/job-titles").status_code == 200


def test_a_hang_ends_by_closing_the_socket(acme: Company) -> None:
    """A caller that waits long enough gets no answer even then."""
    acme.order_fault(system="payroll", kind="hang_after", seconds=0.2)
    began = time.monotonic()
    with pytest.raises(httpx.RemoteProtocolError):
        PAYROLL.send(acme)
    assert time.monotonic() - began >= 0.2


@pytest.mark.parametrize(("kind", "effects"), [("drop_before", 0), ("drop_after", 1)])
def test_a_drop_closes_the_socket_without_or_with_the_effect(acme: Company, kind: str, effects: int) -> None:
    """The caller sees the connection end before any byte of an answer."""
    acme.order_fault(system="payroll", kind=kind)
    with pytest.raises(httpx.RemoteProtocolError):
        PAYROLL.send(acme)
    assert acme.effect_count("payroll") == effects
    assert PAYROLL.send(acme).status_code == 201


def test_latency_delays_and_then_answers_as_usual(acme: Company) -> None:
    """The effect is applied after the wait."""
    acme.order_fault(system="payroll", kind="latency", seconds=0.2)
    began = time.monotonic()
    assert PAYROLL.send(acme).status_code == 201
    assert time.monotonic() - began >= 0.2


def test_a_malformed_body_comes_with_the_effect_applied(acme: Company) -> None:
    """The status is right, the JSON is not."""
    acme.order_fault(system="payroll", kind="malformed")
    answer = PAYROLL.send(acme)
    assert answer.status_code == 201
    with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
        answer.json()
    assert acme.effect_count("payroll") == 1


def test_after_a_lost_answer_the_same_key_does_not_act_twice(acme: Company) -> None:
    """The answer was stored with the effect, so a retry gets it."""
    acme.order_fault(system="payroll", kind="error_after")
    assert PAYROLL.send(acme, **{"Idempotency-Key": "k1"}).status_code == 500
    retried = PAYROLL.send(acme, **{"Idempotency-Key": "k1"})
    assert (retried.status_code, acme.effect_count("payroll")) == (201, 1)
    assert acme.outcomes("payroll") == {"fault error_after": 1, "replayed 201": 1}


def test_a_fault_strikes_only_what_it_is_meant_for(acme: Company) -> None:
    """Other systems, operations and paths go on; a refused call does not use up an after-fault."""
    acme.order_fault(system="payroll", kind="error_after", operation="create_employee")
    assert acme["payroll"].get("/employees").status_code == 200
    assert BY_SYSTEM["benefits"].send(acme).status_code == 201
    assert acme["payroll"].post(PAYROLL.path, json=PAYROLL.broken).status_code == 422
    assert PAYROLL.send(acme).status_code == 500


def test_a_fault_without_end_strikes_until_it_is_removed(acme: Company) -> None:
    """`times` null; the list tells how often it struck; the star means every system."""
    acme.order_fault(system="*", kind="status", times=None)
    statuses = [create.send(acme).status_code for create in (PAYROLL, BY_SYSTEM["mail"], PAYROLL)]
    assert statuses == [503, 503, 503]
    (fault,) = acme["control"].get("/faults").json()["faults"]
    assert (fault["struck"], fault["left"]) == (3, None)
    assert acme["control"].delete(f"/faults/{fault['id']}").json() == {"removed": 1}
    assert PAYROLL.send(acme).status_code == 201


def test_a_token_endpoint_can_be_struck_as_well(acme: Company) -> None:
    """Getting a token is an operation like others."""
    acme.order_fault(system="identity", kind="status", operation="issue_token")
    assert httpx.post(f"{acme.url('identity')}/oauth/token", data={"grant_type": "x"}).status_code == 503


@pytest.mark.parametrize("wrong", [{"system": "nowhere"}, {"kind": "gremlin"}, {"times": 0}, {"operatoin": "x"}])
def test_a_fault_that_makes_no_sense_is_refused(acme: Company, wrong: dict[str, object]) -> None:
    """422 with the reason, and nothing is ordered."""
    order = {"system": "payroll", "kind": "latency", **wrong}
    assert acme["control"].post("/faults", json=order).status_code == 422
    assert acme["control"].get("/faults").json() == {"faults": []}
