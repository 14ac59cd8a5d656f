"""Requests: defaults, derived fields, and every problem at once by field."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.errors import InvalidRequest
from playbooks.loader import load_playbooks
from playbooks.model import Playbook
from playbooks.requests import closed_schema, request_findings, title_of, validate_request

ADA = {
    "first_name": "Ada",
    "last_name": "Lovelace",
    "job_title": "Software Engineer",
    "department": "R&D",
    "start_date": "2027-01-01",
    "manager": "grace.hopper@acme.example",
}


@pytest.fixture(scope="module")
def onboarding() -> Playbook:
    """The playbook that ships."""
    return next(playbook for playbook in load_playbooks() if playbook.name == "onboarding")


def test_defaults_and_derived_fields_are_filled_in(onboarding: Playbook) -> None:
    """What the request leaves open, the playbook says."""
    whole = validate_request(onboarding, ADA)
    assert {name: whole[name] for name in whole.keys() - ADA.keys()} == {
        "site": "Berlin",
        "work_mode": "hybrid",
        "display_name": "Ada Lovelace",
        "email": "ada.lovelace@acme.example",
        "group": "engineering",
    }


def test_what_is_given_is_not_derived(onboarding: Playbook) -> None:
    """A given e-mail stays; null and outer blanks count as nothing."""
    whole = validate_request(onboarding, ADA | {"email": "ada@acme.example", "site": None, "first_name": " Ada "})
    assert (whole["email"], whole["site"], whole["first_name"]) == ("ada@acme.example", "Berlin", "Ada")


@pytest.mark.parametrize(
    ("first", "last", "email"),
    [
        ("Zoë", "Lovelace", "zoe.lovelace@acme.example"),
        ("Jean-Luc", "van der Berg", "jean-luc.van-der-berg@acme.example"),
        ("Søren", "Łukasz-Groß", "soren.lukasz-gross@acme.example"),
        ("Conan", "O'Neil", "conan.o-neil@acme.example"),
    ],
)
def test_an_address_is_made_of_any_name(onboarding: Playbook, first: str, last: str, email: str) -> None:
    """Accents, particles and apostrophes become what an address may hold."""
    assert validate_request(onboarding, ADA | {"first_name": first, "last_name": last})["email"] == email


def test_a_name_that_no_address_can_be_made_of_leaves_the_address_open(onboarding: Playbook) -> None:
    """Nothing is invented from letters that have no ASCII form."""
    assert "email" not in validate_request(onboarding, ADA | {"first_name": "愛", "last_name": "子"})


def test_dates_may_come_as_dates(onboarding: Playbook) -> None:
    """A YAML request file gives date values."""
    assert validate_request(onboarding, ADA | {"start_date": date(2027, 1, 1)})["start_date"] == "2027-01-01"


def test_every_problem_is_named_at_once_by_field(onboarding: Playbook) -> None:
    """One answer for all, with suggestions and the playbook's own questions."""
    request = {
        "first_name": "",
        "job_title": 7,
        "departmnt": "R&D",
        "department": "Fianance",
        "start_date": "2027-02-30",
        "manager": "grace",
        "annual_salary": 5,
    }
    with pytest.raises(InvalidRequest) as caught:
        validate_request(onboarding, request)
    found = {finding.place: (finding.code, finding.fix) for finding in caught.value.findings}
    assert found == {
        "request.annual_salary": ("request-range", ""),
        "request.department": ("request-choice", "did you mean Finance?"),
        "request.departmnt": ("request-unknown", "did you mean department?"),
        "request.first_name": ("request-range", ""),
        "request.job_title": ("request-type", ""),
        "request.last_name": ("request-missing", "What is the new colleague's last name?"),
        "request.manager": ("request-format", ""),
        "request.start_date": ("request-format", ""),
    }
    sentences = [finding.sentence for finding in caught.value.findings]
    assert "'2027-02-30' is not a date such as 2027-01-31" in sentences
    assert "onboarding@1: 8 problems" in str(caught.value)


@pytest.mark.parametrize("address", ["grace", "a@b", "two words@acme.example", "@acme.example", "a@acme..example"])
def test_an_address_needs_the_form_of_one(onboarding: Playbook, address: str) -> None:
    """An ``@`` alone makes no e-mail address."""
    (finding,) = request_findings(onboarding, ADA | {"manager": address})
    assert (finding.place, finding.code) == ("request.manager", "request-format")


@pytest.mark.parametrize("request_", [None, 3, "onboard Ada", [ADA]])
def test_what_is_no_object_is_no_request(onboarding: Playbook, request_: Any) -> None:
    """One finding says so."""
    assert [finding.code for finding in request_findings(onboarding, request_)] == ["request-form"]


def test_the_closed_schema_says_what_is_always_there(onboarding: Playbook) -> None:
    """Plans may rely on defaults, and on derived fields whose sources are required."""
    required = closed_schema(onboarding)["required"]
    assert {"site", "work_mode", "display_name"} <= set(required)
    assert "annual_salary" not in required


def test_titles_show_a_gap_where_nothing_is_known(onboarding: Playbook) -> None:
    """A list line never fails."""
    assert title_of(onboarding, ADA) == "Onboard Ada Lovelace"
    assert title_of(onboarding, {}) == "Onboard … …"


ONBOARDING = next(playbook for playbook in load_playbooks() if playbook.id == "onboarding@1")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from([*ADA, "site", "email", "group", "other"]), JSON) | JSON)
def test_any_value_gives_findings_or_a_request(request_: Any) -> None:
    """Total: findings, or a request that stays as it is when given again."""
    playbook = ONBOARDING
    if request_findings(playbook, request_):
        with pytest.raises(InvalidRequest):
            validate_request(playbook, request_)
    else:
        whole = validate_request(playbook, request_)
        assert validate_request(playbook, whole) == whole
