"""What holds for every system alike: authentication, creating, errors, lookup, undo."""

import re

import httpx
import pytest

from tests.sandbox.creates import CREATES, Create, unwrapped
from tests.sandbox.running import Company

each_system = pytest.mark.parametrize("create", CREATES, ids=lambda create: create.system)
each_with_reference = pytest.mark.parametrize(
    "create", [create for create in CREATES if create.reference], ids=lambda create: create.system
)
each_with_undo = pytest.mark.parametrize(
    "create", [create for create in CREATES if create.undo], ids=lambda create: create.system
)


@each_system
def test_health_is_open_and_the_rest_needs_credentials(acme: Company, create: Create) -> None:
    """Without or with wrong credentials a create is a 401 in the system's own shape, and nothing is applied."""
    url = acme.url(create.system)
    assert httpx.get(f"{url}/health").json() == {"status": "ok", "system": create.system}
    wrong = {"Authorization": "Bearer no-such-token", "X-Api-Key": "no-such-key"}
    for headers in ({}, wrong):
        answer = httpx.request(create.method, f"{url}{create.path}", json=create.body, headers=headers)
        assert answer.status_code == 401
        assert "unauthorised" in answer.text
        assert "WWW-Authenticate" in answer.headers
    assert acme.effect_count(create.system) == 0


@each_system
def test_a_create_gives_a_typed_id_and_counts_one_effect(acme: Company, create: Create) -> None:
    """The control app knows subject, id and reference of what was applied."""
    answer = create.send(acme)
    assert answer.status_code in {201, 202}, answer.text
    assert re.fullmatch(create.id_pattern, create.identifier(answer))
    (effect,) = acme.effects(create.system)
    assert (effect["count"], effect["subject"]) == (1, create.subject)
    assert effect["references"] == (["ours"] if create.reference else [])


@each_system
def test_invalid_input_names_every_wrong_field(acme: Company, create: Create) -> None:
    """All field errors come at once, in the system's own shape, and nothing is applied."""
    answer = acme[create.system].request(create.method, create.path, json=create.broken)
    assert answer.status_code == create.invalid_status
    assert create.fields_of(answer.json()) == create.wrong
    assert acme.effect_count(create.system) == 0


@each_system
def test_a_body_that_is_no_json_is_invalid(acme: Company, create: Create) -> None:
    """Rubbish is refused like any invalid input, not with a failure of the system."""
    headers = {"Content-Type": "application/json"}
    answer = acme[create.system].request(create.method, create.path, content=b'{"half', headers=headers)
    assert answer.status_code == create.invalid_status
    assert create.fields_of(answer.json()) == {"body"}


@each_system
def test_an_unknown_address_is_refused_in_the_same_shape(acme: Company, create: Create) -> None:
    """404 and 405 look like every other error of the system."""
    keys = set(acme[create.system].request(create.method, create.path, json=create.broken).json())
    missing = acme[create.system].get("/no/such/thing")
    assert (missing.status_code, set(missing.json())) == (404, keys)
    assert acme[create.system].patch(create.path).status_code == 405


@each_with_reference
def test_a_lookup_finds_what_was_created_with_its_reference(acme: Company, create: Create) -> None:
    """The record comes back with the caller's reference, so that ours can be told from someone else's."""
    created = unwrapped(create.send(acme))
    acme.advance(create.lag)
    found = create.found(acme, "ours")
    assert [record[create.reference or ""] for record in found] == ["ours"]
    assert found == [created]


@each_with_undo
def test_an_undo_may_be_repeated_and_counts_once(acme: Company, create: Create) -> None:
    """The second undo answers with the unchanged record; one on an unknown id is a 404."""
    identifier = create.identifier(create.send(acme))
    first, second = create.take_back(acme, identifier), create.take_back(acme, identifier)
    assert (first.status_code, second.status_code) == (200, 200)
    assert first.json() == second.json()
    assert acme.effect_count(create.system) == 2
    assert create.take_back(acme, "none").status_code == 404
