"""One endpoint: the forms of answer that it knows, and what leaves this machine."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from agents.models.endpoint import Address, Endpoint, open_endpoint
from agents.models.ports import Form, Message, Said, Speaker, Trouble
from governance.errors import InvalidSettings
from tests.fixtures.modelserver.answers import Answer, fails, says
from tests.fixtures.modelserver.server import KEY, MODEL, ModelServer

ASKED = [Message(Speaker.SYSTEM, "# Steward: plan@1\nAnswer in JSON."), Message(Speaker.USER, "hello")]
FORM = Form("plan", {"type": "object", "properties": {"a": {"type": "integer"}}})


def _endpoint(server: ModelServer, name: str = MODEL) -> Endpoint:
    return open_endpoint(name, Address(server.url, SecretStr(KEY), 20, 500))


@pytest.mark.parametrize(
    ("supports", "forms"),
    [
        ({"json_schema", "tool", "json_object"}, ["json_schema"]),
        ({"tool", "json_object"}, ["json_schema", "tool"]),
        ({"json_object"}, ["json_schema", "tool", "json_object"]),
        (set(), ["json_schema", "tool", "json_object", "text"]),
    ],
)
async def test_the_form_that_an_endpoint_knows_is_found_once(supports: set[str], forms: list[str]) -> None:
    """The first call tries the forms in turn; the second goes straight to the one that worked."""
    with ModelServer(supports) as server:
        server.always("plan", says({"a": 1}))
        endpoint = _endpoint(server)
        for _ in range(2):
            said = await endpoint.say(ASKED, FORM)
            assert isinstance(said, Said), said
            assert said.text.replace(" ", "") == '{"a":1}'
            assert (said.tokens_in, said.tokens_out) == (100, 20)
    assert [asked.form for asked in server.asked] == [*forms, forms[-1]]


async def test_the_model_its_key_and_the_bound_are_sent_to_the_endpoint_alone(
    server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the environment asks for traces to be sent elsewhere."""
    with ModelServer() as elsewhere:
        monkeypatch.setenv("LANGSMITH_TRACING", "true")
        monkeypatch.setenv("LANGSMITH_API_KEY", "x")
        monkeypatch.setenv("LANGSMITH_ENDPOINT", elsewhere.url)
        server.on("plan", says({"a": 1}))
        await _endpoint(server).say(ASKED, FORM)
        assert elsewhere.asked == []
    (asked,) = server.asked
    assert asked.headers["authorization"] == f"Bearer {KEY}"
    assert asked.model == MODEL
    assert asked.body["max_completion_tokens"] == 500


async def test_what_an_endpoint_says_of_a_key_is_not_repeated(server: ModelServer) -> None:
    """Its own words quote keys; ours do not."""
    server.always("plan", fails(401, f"Incorrect API key provided: {KEY}"))
    said = await _endpoint(server).say(ASKED, FORM)
    assert said == Trouble("it refused the key (HTTP 401)")


async def test_a_date_in_retry_after_counts_from_the_endpoints_own_clock(server: ModelServer) -> None:
    """Clocks differ; the pause does not."""
    past = {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}
    server.on("plan", Answer(status=429, headers=past, body=b"{}"))
    said = await _endpoint(server).say(ASKED, FORM)
    assert isinstance(said, Trouble)
    assert said.transient
    assert said.retry_after is not None
    assert said.retry_after.total_seconds() == 0


def test_a_provider_whose_package_is_not_here_is_named_with_what_to_install() -> None:
    """One sentence, and the way out."""
    with pytest.raises(InvalidSettings, match="needs the package langchain") as told:
        open_endpoint("anthropic:claude", Address())
    assert "langchain-anthropic" in told.value.hint
