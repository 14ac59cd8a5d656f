"""The wire against a real server: credentials, limits, and the class of everything that goes wrong."""

from __future__ import annotations

import asyncio
import base64
import logging
import socket
from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qs

import pytest

from governance.errors import Ambiguous, CallFailed, InvalidSettings, Permanent, Transient
from tests.integration.tools.shopserver import Answer, Shop
from tests.unit.tools.stage import SHOP, HurryingClock
from tools.contract import Auth, Basic, OAuth2
from tools.credentials import Connection
from tools.http import CallHttp, SystemClients

SECRET = "s3cret-that-nobody-sees"
THING = {"name": "lamp", "reference": "r"}


def opened(shop: Shop, clock: HurryingClock, auth: Auth) -> SystemClients:
    """Clients of the shop with other credentials."""
    system = replace(SHOP, auth=auth)
    return SystemClients([system], {"shop": Connection(shop.url, "steward", SECRET)}, clock)


def call(clients: SystemClients, clock: HurryingClock, *, reading: bool = False, seconds: float = 5) -> CallHttp:
    """The wire of one attempt."""
    return clients.http("shop", reading=reading, deadline=clock.now() + timedelta(seconds=seconds))


def token(word: str, life: float = 300) -> Answer:
    """An answer with an access token."""
    return Answer(200, {"access_token": word, "token_type": "Bearer", "expires_in": life})


async def failure_of(http: CallHttp, method: str = "POST", path: str = "/things") -> CallFailed:
    """How the request fails."""
    with pytest.raises(CallFailed) as caught:
        await http.request(method, path, json=None if method == "GET" else THING)
    return caught.value


async def test_api_key_and_basic_credentials_are_sent(shop: Shop, clock: HurryingClock, clients: SystemClients) -> None:
    """Api key and basic credentials are sent."""
    await call(clients, clock).request("GET", "/things")
    assert shop.asked[-1].headers["x-api-key"] == "practice-key"
    async with opened(shop, clock, Basic()) as basic:
        await call(basic, clock).request("GET", "/things")
    word = shop.asked[-1].headers["authorization"].removeprefix("Basic ")
    assert base64.b64decode(word).decode() == f"steward:{SECRET}"


async def test_a_token_is_shared_and_fetched_anew_shortly_before_it_ends(shop: Shop, clock: HurryingClock) -> None:
    """A token is shared and fetched anew shortly before it ends."""
    shop.script["/oauth/token"] = [token("one"), token("two")]
    async with opened(shop, clock, OAuth2()) as clients:
        await asyncio.gather(*(call(clients, clock).request("GET", "/things") for _ in range(5)))
        assert [asked.path for asked in shop.asked].count("/oauth/token") == 1
        form = parse_qs(next(asked.body for asked in shop.asked if asked.path == "/oauth/token").decode())
        assert form == {"grant_type": ["client_credentials"], "client_id": ["steward"], "client_secret": [SECRET]}
        clock.moment += timedelta(seconds=269)
        await call(clients, clock).request("GET", "/things")
        assert shop.asked[-1].headers["authorization"] == "Bearer one"
        clock.moment += timedelta(seconds=1)
        await call(clients, clock).request("GET", "/things")
        assert shop.asked[-1].headers["authorization"] == "Bearer two"


async def test_a_401_fetches_a_new_token_once_and_then_is_permanent(shop: Shop, clock: HurryingClock) -> None:
    """A 401 fetches a new token once and then is permanent."""
    shop.script["/oauth/token"] = [token("old"), token("new"), token("newest")]
    shop.script["/things"] = [Answer(401)]
    async with opened(shop, clock, OAuth2()) as clients:
        answer = await call(clients, clock).request("POST", "/things", json=THING)
        assert answer.status == 201
        assert shop.asked[-1].headers["authorization"] == "Bearer new"
        shop.script["/things"] = [Answer(401), Answer(401)]
        http = call(clients, clock)
        failure = await failure_of(http)
    assert type(failure) is Permanent
    assert "credentials" in failure.fix
    assert not http.landed
    assert len(shop.things) == 1


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Answer(500), Transient),
        (Answer(401, {"error": "invalid_client", "error_description": SECRET}), Permanent),
        (Answer(200, {"nothing": 1}), Transient),
        (Answer(200, b"{"), Transient),
        (Answer(302, None, {"Location": "http://127.0.0.1:1/"}), Permanent),
        (Answer(429, None, {"Retry-After": "9"}), Transient),
    ],
)
async def test_a_failing_token_is_never_ambiguous(
    shop: Shop, clock: HurryingClock, answer: Answer, kind: type[CallFailed]
) -> None:
    """A failing token is never ambiguous."""
    shop.script["/oauth/token"] = [answer]
    async with opened(shop, clock, OAuth2()) as clients:
        http = call(clients, clock)
        failure = await failure_of(http)
    assert type(failure) is kind
    assert SECRET not in str(failure) + failure.fix
    assert not http.landed


@pytest.mark.parametrize(
    ("fault", "effect", "read"),
    [
        ("error_before", Ambiguous, Transient),
        ("drop_before", Ambiguous, Transient),
        ("hang_before", Ambiguous, Transient),
        ("malformed", Ambiguous, Transient),
        ("cut", Ambiguous, Transient),
        ("busy", Transient, Transient),
    ],
)
async def test_after_the_first_byte_an_effect_is_in_doubt_and_a_read_is_not(
    shop: Shop, clock: HurryingClock, clients: SystemClients, fault: str, effect: type, read: type
) -> None:
    """After the first byte an effect is in doubt and a read is not."""
    shop.faults = [fault, fault]
    seconds = 1 if fault.startswith("hang") else 5
    http = call(clients, clock, seconds=seconds)
    assert type(await failure_of(http)) is effect
    assert http.landed is (effect is Ambiguous)
    assert type(await failure_of(call(clients, clock, reading=True, seconds=seconds))) is read


async def test_nobody_listening_and_nobody_accepting_are_transient(clock: HurryingClock) -> None:
    """Nobody listening and nobody accepting are transient."""
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        closed = f"http://127.0.0.1:{full.getsockname()[1]}"
        async with SystemClients([SHOP], {"shop": Connection(closed)}, clock) as clients:
            http = call(clients, clock)
            assert type(await failure_of(http)) is Transient
            assert not http.landed
        full.listen(0)
        fillers = [socket.socket() for _ in range(8)]
        for filler in fillers:  # the queue of connections not yet accepted is full: a new one gets no answer
            filler.setblocking(False)
            filler.connect_ex(full.getsockname())
        async with SystemClients([SHOP], {"shop": Connection(closed)}, clock) as clients:
            http = call(clients, clock, seconds=1)
            async with asyncio.timeout(1):  # known before the call's own time-out, which could only doubt it
                assert type(await failure_of(http)) is Transient
            assert not http.landed
        for filler in fillers:
            filler.close()


async def test_an_unknown_host_is_transient(clock: HurryingClock) -> None:
    """An unknown host is transient."""
    async with SystemClients([SHOP], {"shop": Connection("http://no-such-host.invalid")}, clock) as clients:
        assert type(await failure_of(call(clients, clock, seconds=5))) is Transient


async def test_no_redirect_is_followed(shop: Shop, clock: HurryingClock, clients: SystemClients) -> None:
    """No redirect is followed."""
    shop.script["/things"] = [Answer(307, None, {"Location": "/elsewhere"})]
    failure = await failure_of(call(clients, clock))
    assert type(failure) is Permanent
    assert len(shop.asked) == 1


@pytest.mark.parametrize(
    "path",
    [
        "http://evil.example/x",
        "//evil.example/x",
        "things",
        "/../admin",
        "/a/%2e%2e/b",
        "/a/%252e%252e/b",
        "/a\\..\\b",
        "/a?x=1",
        "/a#x",
        "/a\nb",
        "/a%0d%0ab",
        "",
    ],
)
async def test_only_the_systems_own_paths_are_asked(
    shop: Shop, clock: HurryingClock, clients: SystemClients, path: str
) -> None:
    """Only the systems own paths are asked."""
    failure = await failure_of(call(clients, clock), path=path)
    assert type(failure) is Permanent
    assert failure.code == "bad_path"
    assert not shop.asked


async def test_a_quoted_path_reaches_the_system_below_its_base(shop: Shop, clock: HurryingClock) -> None:
    """A quoted path reaches the system below its base."""
    async with SystemClients([SHOP], {"shop": Connection(shop.url + "/v2/")}, clock) as clients:
        await call(clients, clock).request("GET", "/departments/R%26D")
    assert shop.asked[-1].path == "/v2/departments/R%26D"


async def test_a_large_answer_is_cut_off(shop: Shop, clock: HurryingClock, clients: SystemClients) -> None:
    """A large answer is cut off."""
    shop.script["/things"] = [Answer(200, b"x" * 2000), Answer(200, b"x" * 2000), Answer(400, b"x" * 2000)]
    assert type(await failure_of(call(clients, clock))) is Ambiguous
    assert type(await failure_of(call(clients, clock), "GET")) is Permanent
    assert type(await failure_of(call(clients, clock))) is Permanent


@pytest.mark.parametrize("body", [b"NaN", b"\xff\xfe", b"[" * 900, b"<html>"])
async def test_what_is_not_json_is_malformed(
    shop: Shop, clock: HurryingClock, clients: SystemClients, body: bytes
) -> None:
    """What is not json is malformed."""
    shop.script["/things"] = [Answer(200, body)]
    assert (await failure_of(call(clients, clock), "GET")).code == "malformed"


async def test_no_body_is_an_empty_object_and_foreseen_statuses_are_answers(
    shop: Shop, clock: HurryingClock, clients: SystemClients
) -> None:
    """No body is an empty object and foreseen statuses are answers."""
    shop.script["/things"] = [Answer(204), Answer(409, {"existing": 1})]
    assert (await call(clients, clock).request("DELETE", "/things")).body == {}
    http = call(clients, clock)
    answer = await http.request("POST", "/things", json=THING, expect=(409,))
    assert (answer.status, answer.body, http.landed) == (409, {"existing": 1}, False)


async def test_a_second_request_that_fails_leaves_the_first_ones_effect_in_doubt(
    shop: Shop, clock: HurryingClock, clients: SystemClients
) -> None:
    """A second request that fails leaves the first ones effect in doubt."""
    http = call(clients, clock)
    await http.request("POST", "/things", json=THING)
    shop.script["/things"] = [Answer(404)]
    assert type(await failure_of(http, "GET")) is Ambiguous
    assert http.landed


async def test_a_read_before_the_effect_is_not_in_doubt(
    shop: Shop, clock: HurryingClock, clients: SystemClients
) -> None:
    """A read before the effect is not in doubt."""
    shop.script["/things"] = [Answer(500)]
    http = call(clients, clock)
    assert type(await failure_of(http, "GET")) is Transient
    assert not http.landed


async def test_nothing_is_sent_past_the_deadline(shop: Shop, clock: HurryingClock, clients: SystemClients) -> None:
    """Nothing is sent past the deadline."""
    http = call(clients, clock)
    clock.moment += timedelta(seconds=10)
    failure = await failure_of(http)
    assert (type(failure), failure.code) == (Transient, "no_time")
    assert not shop.asked


async def test_secrets_are_in_no_repr_no_error_and_no_log(
    shop: Shop, clock: HurryingClock, caplog: pytest.LogCaptureFixture
) -> None:
    """Secrets are in no repr no error and no log."""
    caplog.set_level(logging.DEBUG)
    shop.script["/oauth/token"] = [token("t0ken-that-nobody-sees")]
    echo = {"message": f"bad: {SECRET} t0ken-that-nobody-sees", "fields": {"x": SECRET}}
    shop.script["/things"] = [Answer(400, echo), Answer(500, echo)]
    async with opened(shop, clock, OAuth2()) as clients:
        failures = [await failure_of(call(clients, clock)) for _ in range(2)]
        shown = repr((clients, vars(clients), Connection(shop.url, "steward", SECRET), call(clients, clock)))
    for failure in failures:
        shown += f"{failure!r} {failure.fix} {failure.hint} {failure.code}"
    assert failures[0].fix == "x: …"
    shown += caplog.text
    assert SECRET not in shown
    assert "t0ken-that-nobody-sees" not in shown


@pytest.mark.parametrize(
    "url", ["", "ftp://x", "http://", "http://u:p@host", "http://host?x=1", "http://h:99999", "host"]
)
def test_an_address_that_cannot_be_used_is_refused_at_the_start(clock: HurryingClock, url: str) -> None:
    """An address that cannot be used is refused at the start."""
    with pytest.raises(InvalidSettings) as refused:
        SystemClients([replace(SHOP, url=url)], {}, clock)
    assert [finding.place for finding in refused.value.findings] == ["systems.shop.url"]
