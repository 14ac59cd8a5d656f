"""Triage by rule: sentences to requests, questions for what is missing or doubtful, and never an invention."""

from __future__ import annotations

import string
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.offline.passages import plain
from agents.offline.triage import OfflineTriage
from agents.ports import NotUnderstood, Understood
from playbooks.company import load_company
from playbooks.model import Playbook
from playbooks.requests import complete, validate_request

TODAY = date(2026, 11, 22)  # a Sunday
COMPANY = load_company()
DEMO = "Onboard Ada Lovelace as a software engineer in R&D, starting 1 January 2027, manager grace.hopper@acme.example"


async def hear(text: str, draft: Understood | None = None) -> Understood | NotUnderstood:
    """What triage makes of a text on the test's day."""
    return await OfflineTriage().understand(
        text, playbooks=COMPANY.playbooks, directory=COMPANY.directory, today=TODAY, draft=draft
    )


async def understand(text: str, draft: Understood | None = None) -> Understood:
    """As :func:`hear`, for texts that are understood."""
    heard = await hear(text, draft)
    assert isinstance(heard, Understood), heard
    return heard


def read(heard: Understood) -> dict[str, Any]:
    """The fields that were read from words."""
    return {name: value for name, value in heard.request.items() if name in heard.quotes}


async def test_the_demo_sentence_is_ready_to_run() -> None:
    """Every field quoted, nothing to ask, and the request is valid as it stands."""
    heard = await understand(DEMO)
    assert heard.ready
    assert heard.playbook == "onboarding@1"
    assert read(heard) == {
        "first_name": "Ada",
        "last_name": "Lovelace",
        "job_title": "software engineer",
        "department": "R&D",
        "start_date": "2027-01-01",
        "manager": "grace.hopper@acme.example",
    }
    assert heard.quotes["start_date"] == "1 January 2027"
    assert (heard.request["email"], heard.request["site"]) == ("ada.lovelace@acme.example", "Berlin")
    assert validate_request(_playbook("onboarding"), heard.request) == heard.request
    assert heard.decision.decider == "rule:triage"
    assert heard.decision.confidence == 0.95
    assert "site: Berlin (the playbook's default)" in heard.decision.evidence


def _playbook(name: str) -> Playbook:
    return next(playbook for playbook in COMPANY.playbooks if playbook.name == name)


ADA = {"first_name": "Ada", "last_name": "Lovelace"}
GRACE, MARY = "grace.hopper@acme.example", "mary.jackson@acme.example"

SENTENCES: list[tuple[str, dict[str, Any], set[str]]] = [
    # sentence, fields read from it (besides Ada's name), fields that are doubtful
    ("onboard Ada Lovelace, software engineer in R&D, starting 1 February", {"job_title": "software engineer", "department": "R&D", "start_date": "2027-02-01"}, set()),
    ("Onboard Ada Lovelace as software engineer", {"job_title": "software engineer"}, set()),
    ("Please onboard our new colleague Ada Lovelace as an accountant in Finance", {"job_title": "accountant", "department": "Finance"}, set()),
    ("Hire Ada Lovelace as the Head of Sales in Sales", {"job_title": "Head of Sales", "department": "Sales"}, set()),
    ("New hire: Ada Lovelace, R&D, designer", {"job_title": "designer", "department": "R&D"}, set()),
    ("Ada Lovelace joins us on 1 March 2027 as data analyst", {"start_date": "2027-03-01", "job_title": "data analyst"}, set()),
    ("Ada Lovelace will join R&D. Her job title: Analytical Engine Programmer", {"department": "R&D", "job_title": "Analytical Engine Programmer"}, set()),
    ("We are hiring Ada Lovelace! Start date: 2027-02-15. Manager: Grace Hopper.", {"start_date": "2027-02-15", "manager": GRACE}, set()),
    ("onboarding for Ada Lovelace, reports to Grace Hopper", {"manager": GRACE}, set()),
    ("onboard Ada Lovelace; boss is mary.jackson@acme.example", {"manager": MARY}, set()),
    ("Onboard Ada Lovelace. Grace Hopper will be her manager.", {"manager": GRACE}, set()),
    ("Onboard Ada Lovelace, mary.jackson@acme.example is her manager", {"manager": MARY}, set()),
    ("Onboard Ada Lovelace under manager GRACE HOPPER", {"manager": GRACE}, set()),
    ("Onboard Ada Lovelace, manager Grace", {"manager": GRACE}, {"manager"}),
    ("Onboard Ada Lovelace, manager Charles Babbage", {}, {"manager"}),
    ("Onboard Ada Lovelace, manager grace.hoper@acme.example", {"manager": "grace.hoper@acme.example"}, {"manager"}),
    ("Onboard Ada Lovelace, manager new.boss@acme.example", {"manager": "new.boss@acme.example"}, set()),
    ("Onboard Ada Lovelace, grace.hopper@acme.example", {"manager": GRACE}, {"manager"}),
    ("Onboard Ada Lovelace, email ada@acme.example, manager grace.hopper@acme.example", {"email": "ada@acme.example", "manager": GRACE}, set()),
    ("Onboard Ada Lovelace <countess@acme.example>", {"email": "countess@acme.example"}, set()),
    ("Onboard Ada Lovelace starting 1 December", {"start_date": "2026-12-01"}, set()),
    ("Onboard Ada Lovelace from Dec 1st", {"start_date": "2026-12-01"}, set()),
    ("Onboard Ada Lovelace on December 1, 2026", {"start_date": "2026-12-01"}, set()),
    ("Onboard Ada Lovelace, starting 2026-12-01", {"start_date": "2026-12-01"}, set()),
    ("Onboard Ada Lovelace next Monday", {"start_date": "2026-11-23"}, set()),
    ("Onboard Ada Lovelace, starts on Wednesday", {"start_date": "2026-11-25"}, set()),
    ("Onboard Ada Lovelace, starting the first of January", {"start_date": "2027-01-01"}, set()),
    ("Onboard Ada Lovelace as of 15.1.2027", {"start_date": "2027-01-15"}, set()),
    ("Onboard Ada Lovelace tomorrow", {"start_date": "2026-11-23"}, set()),
    ("Onboard Ada Lovelace in two weeks", {"start_date": "2026-12-06"}, set()),
    ("Onboard Ada Lovelace, first day of next month", {"start_date": "2026-12-01"}, set()),
    ("Onboard Ada Lovelace, starting the first of the month after next", {"start_date": "2027-01-01"}, set()),
    ("Onboard Ada Lovelace starting 25/12/2026", {"start_date": "2026-12-25"}, set()),
    ("Onboard Ada Lovelace starting 03/03/2027", {"start_date": "2027-03-03"}, set()),
    ("Onboard Ada Lovelace starting 03/04/2027", {}, {"start_date"}),
    ("Onboard Ada Lovelace starting 30 February 2027", {}, {"start_date"}),
    ("Onboard Ada Lovelace starting 1 January 2020", {"start_date": "2020-01-01"}, {"start_date"}),
    ("Onboard Ada Lovelace starting 1 January 2072", {"start_date": "2072-01-01"}, {"start_date"}),
    ("Onboard Ada Lovelace on 1 March or 1 April 2027", {}, {"start_date"}),
    ("Onboard Ada Lovelace in finance", {"department": "Finance"}, set()),
    ("Onboard Ada Lovelace, department: people", {"department": "People"}, set()),
    ("Onboard Ada Lovelace, we need it done with people who care", {}, set()),
    ("Onboard Ada Lovelace for the sales team", {"department": "Sales"}, set()),
    ("Onboard Ada Lovelace in research and development", {"department": "R&D"}, set()),
    ("Onboard Ada Lovelace in HR", {"department": "People"}, set()),
    ("Onboard Ada Lovelace in IT", {"department": "IT"}, set()),
    ("Onboard Ada Lovelace in Finance or Sales", {}, {"department"}),
    ("Onboard Ada Lovelace in London", {"site": "London"}, set()),
    ("Onboard Ada Lovelace, based in vilnius", {"site": "Vilnius"}, set()),
    ("Onboard Ada Lovelace, not in Berlin", {}, {"site"}),
    ("Onboard Ada Lovelace, she works remotely", {"work_mode": "remote"}, set()),
    ("Onboard Ada Lovelace, working from home", {"work_mode": "remote"}, set()),
    ("Onboard Ada Lovelace, hybrid, Berlin office", {"work_mode": "hybrid", "site": "Berlin"}, set()),
    ("Onboard Ada Lovelace, not remote", {}, {"work_mode"}),
    ("Onboard Ada Lovelace, salary 72,000", {"annual_salary": 72_000}, set()),
    ("Onboard Ada Lovelace, salary of EUR 72 000", {"annual_salary": 72_000}, set()),
    ("Onboard Ada Lovelace, paid 72k", {"annual_salary": 72_000}, set()),
    ("Onboard Ada Lovelace, salary: €72.000", {"annual_salary": 72_000}, set()),
    ("Onboard Ada Lovelace, salary $90,000", {}, {"annual_salary"}),
    ("Onboard Ada Lovelace, salary 6,000 EUR a month", {}, {"annual_salary"}),
    ("Onboard Ada Lovelace, salary 5", {}, {"annual_salary"}),
    ("Onboard Ada Lovelace and Grace Kelly", {}, {"first_name", "last_name"}),
    ("onboard ada lovelace as engineer", {"job_title": "engineer"}, set()),
    ("onboard ada lovelace if you can", {}, {"first_name", "last_name"}),
    ("ONBOARD ADA LOVELACE AS ENGINEER", {"job_title": "ENGINEER"}, set()),
]  # fmt: skip


@pytest.mark.parametrize(("text", "fields", "doubtful"), SENTENCES)
async def test_sentences(text: str, fields: dict[str, Any], doubtful: set[str]) -> None:
    """Exactly what stands in the sentence is read from it, and exactly what is doubtful in it is asked."""
    heard = await understand(text)
    assert heard.playbook == "onboarding@1"
    assert read(heard) == ADA | fields
    assert set(heard.doubtful) == doubtful
    required = _playbook("onboarding").request["required"]
    assert set(heard.missing) == set(required) - ADA.keys() - fields.keys() - doubtful


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("Jean-Luc van der Berg", "Jean-Luc", "van der Berg"),
        ("Zoë Lovelace", "Zoë", "Lovelace"),
        ("Conan O'Neil", "Conan", "O'Neil"),
        ("Conan O’Neil", "Conan", "O'Neil"),  # noqa: RUF001 - as phones type it
        ("Mary Ann Evans", "Mary Ann", "Evans"),
        ("Will Hopper", "Will", "Hopper"),
        ("Dr. Ada Lovelace", "Ada", "Lovelace"),
        ("May Parker", "May", "Parker"),
        ("José da Silva", "José", "da Silva"),
    ],
)
async def test_names_of_many_kinds(name: str, first: str, last: str) -> None:
    """Particles, hyphens, accents, apostrophes, titles, and names that are words."""
    heard = await understand(f"Onboard {name} as a designer in R&D from 1 March 2027, manager Grace Hopper")
    assert (heard.request["first_name"], heard.request["last_name"]) == (first, last)
    assert heard.ready


@pytest.mark.parametrize(
    "text",
    [
        "We are hiring someone",
        "onboard a new software engineer",
        "start onboarding",
        "onboard him",
        "New hire!",
        "onboard",
    ],
)
async def test_without_a_name_the_name_is_asked(text: str) -> None:
    """Words that follow the verb are not taken for a name."""
    heard = await understand(text)
    assert {"first_name", "last_name"} <= set(heard.missing)
    assert heard.missing["first_name"] == "What is the new colleague's first name?"


async def test_a_first_name_alone_asks_for_the_last() -> None:
    """Half a name is kept."""
    heard = await understand("Onboard Ada")
    assert heard.request["first_name"] == "Ada"
    assert "last_name" in heard.missing


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        (
            "Offboard Ada Lovelace from R&D, last day 31 March 2027, manager Grace Hopper",
            ADA | {"department": "R&D", "last_day": "2027-03-31", "manager": GRACE},
        ),
        ("Ada Lovelace is leaving, effective end of March", ADA | {"last_day": "2027-03-31"}),
        ("Ada Lovelace's last day is 31/12/2026", ADA | {"last_day": "2026-12-31"}),
        ("offboard ada.lovelace@acme.example", {"email": "ada.lovelace@acme.example"}),
        ("Ada Lovelace has resigned, last working day 15 January", ADA | {"last_day": "2027-01-15"}),
    ],
)
async def test_offboarding(text: str, fields: dict[str, Any]) -> None:
    """The other playbook, by its own words; a name gives the address."""
    heard = await understand(text)
    assert heard.playbook == "offboarding@1"
    assert read(heard) == fields
    assert heard.request["email"] == "ada.lovelace@acme.example"


@pytest.mark.parametrize(
    "text", ["what is for lunch?", "", "   ", "Don't onboard Ada Lovelace", "never hire Ada", "\x1f\x00"]
)
async def test_what_is_no_request_gets_what_steward_can_do(text: str) -> None:
    """No playbook is forced upon a text, least of all one that is denied in it."""
    heard = await hear(text)
    assert isinstance(heard, NotUnderstood)
    assert "onboarding" in heard.question
    assert "offboarding" in heard.question


async def test_two_kinds_of_work_at_once_are_asked() -> None:
    """Which one, is for the person to say."""
    heard = await hear("Onboard and offboard Ada Lovelace")
    assert isinstance(heard, NotUnderstood)
    assert heard.question == "Is it offboarding or onboarding that you want?"


async def test_ambiguous_dates_are_asked_with_both_readings() -> None:
    """And the answer, even without a year, means one of the two."""
    heard = await understand("Onboard Ada Lovelace starting 03/04/2028")
    assert heard.doubtful["start_date"] == "Does 03/04/2028 mean 3 April 2028 or 4 March 2028?"
    assert "start_date" not in heard.request
    answered = await understand("3 April", heard)
    assert answered.request["start_date"] == "2028-04-03"
    assert "start_date" not in answered.doubtful


async def test_next_friday_said_on_a_monday_has_two_readings() -> None:
    """This week's or next week's: people differ, so they are asked."""
    heard = await OfflineTriage().understand(
        "Onboard Ada Lovelace next Friday",
        playbooks=COMPANY.playbooks,
        directory=COMPANY.directory,
        today=date(2026, 11, 23),
    )
    assert isinstance(heard, Understood)
    assert heard.doubtful["start_date"] == "Does next Friday mean 27 November 2026 or 4 December 2026?"


async def test_a_draft_is_completed_answer_by_answer() -> None:
    """One question after the other, in the order of the playbook, until it is ready."""
    heard = await understand("We have a new hire")
    for answer, field, value in [
        ("Ada Lovelace", "last_name", "Lovelace"),
        ("a Software Engineer", "job_title", "Software Engineer"),
        ("r&d", "department", "R&D"),
        ("1 March", "start_date", "2027-03-01"),
        ("Grace Hopper", "manager", GRACE),
    ]:
        assert not heard.ready
        heard = await understand(answer, heard)
        assert heard.request[field] == value, answer
    assert heard.ready
    assert heard.request["first_name"] == "Ada"


async def test_one_answer_may_settle_many_questions() -> None:
    """Whatever can be read from it is read."""
    heard = await understand("We are hiring")
    heard = await understand(
        "Her name is Ada Lovelace, department R&D, starting 1 March 2027, manager grace.hopper@acme.example", heard
    )
    assert set(heard.missing) == {"job_title"}
    heard = await understand("Software Engineer", heard)
    assert heard.ready


async def test_doubts_are_settled_by_yes_and_reopened_by_no() -> None:
    """A yes keeps what was read, a no drops it and asks."""
    heard = await understand(DEMO.replace("2027", "2020"))
    assert heard.doubtful == {"start_date": "1 January 2020 is in the past. Is that right?"}
    assert (await understand("yes", heard)).ready
    denied = await understand("no", heard)
    assert "start_date" not in denied.request
    assert denied.doubtful == {"start_date": "On which day do they start?"}
    assert (await understand("1 January 2027", denied)).ready


async def test_a_doubtful_name_is_confirmed_whole() -> None:
    """One yes for both parts of a name."""
    heard = await understand(DEMO.replace("Ada Lovelace", "ada lovelace then,"))
    assert set(heard.doubtful) == {"first_name", "last_name"}
    assert (await understand("Yes, that's right.", heard)).ready


async def test_an_unknown_manager_is_asked_until_known() -> None:
    """A name that the directory does not have is no address."""
    heard = await understand(DEMO.replace(GRACE, "Charles Babbage"))
    assert "manager" in heard.doubtful
    still = await understand("Charles Babbage", heard)
    assert "manager" in still.doubtful
    assert (await understand("mary jackson", still)).request["manager"] == MARY


async def test_a_choice_written_nearly_right_is_confirmed() -> None:
    """Finanse is probably Finance; probably is not enough."""
    heard = await understand(DEMO.replace("in R&D, ", ""))
    near = await understand("Finanse", heard)
    assert near.doubtful == {"department": "Do you mean Finance?"}
    assert (await understand("yes", near)).ready
    none = await understand("Marketing", heard)
    assert "Marketing is none of R&D" in none.doubtful["department"]


@pytest.mark.parametrize("text", ["what?", "I don't know", "?", "yes", "help", "why do you need that?"])
async def test_no_answer_leaves_the_draft_as_it_is(text: str) -> None:
    """Nothing is made of a question."""
    heard = await understand("Onboard Ada Lovelace")
    again = await understand(text, heard)
    assert (again.request, again.missing, again.doubtful) == (heard.request, heard.missing, heard.doubtful)


async def test_a_draft_may_be_corrected() -> None:
    """A later word about a field holds, and what was derived follows."""
    heard = await understand(DEMO)
    assert (await understand("starting 1 February 2027", heard)).request["start_date"] == "2027-02-01"
    assert (await understand("in London please", heard)).request["site"] == "London"
    first = await understand("Onboard Ada")
    assert (await understand("Byron", first)).request["email"] == "ada.byron@acme.example"


async def test_another_person_in_a_new_sentence_starts_anew() -> None:
    """The old draft's fields are not given to somebody else."""
    heard = await understand("Onboard Ada Lovelace as engineer, salary 72k")
    fresh = await understand("Onboard Katherine Goble in R&D", heard)
    assert read(fresh) == {"first_name": "Katherine", "last_name": "Goble", "department": "R&D"}


async def test_a_companys_own_playbook_is_read_by_its_own_words() -> None:
    """Nothing about onboarding is built into triage: cues, words and questions are data."""
    playbook = Playbook.model_validate(
        {
            "name": "laptop",
            "version": 1,
            "title": "Laptop",
            "summary": "Orders a laptop.",
            "phrases": ["order a laptop", "new laptop"],
            "request": {
                "type": "object",
                "required": ["owner", "size", "reason"],
                "properties": {
                    "owner": {"type": "string", "format": "email", "x-cues": ["for"]},
                    "size": {"enum": ["small", "large"], "x-words": {"small": ["13 inch"], "large": ["16 inch"]}},
                    "reason": {"type": "string", "x-cues": ["because"], "x-ask": "Why?"},
                    "budget": {"type": "integer", "x-cues": ["budget"]},
                },
            },
            "goals": [],
        }
    )
    heard = await OfflineTriage().understand(
        "Order a laptop for alan.turing@acme.example, 16 inch, budget 2,500 EUR",
        playbooks=[playbook],
        directory=COMPANY.directory,
        today=TODAY,
    )
    assert isinstance(heard, Understood)
    assert heard.request == {"owner": "alan.turing@acme.example", "size": "large", "budget": 2_500}
    assert heard.missing == {"reason": "Why?"}


WORDS = st.sampled_from(
    ["Onboard", "offboard", "Ada", "Lovelace", "as", "a", "engineer", "in", "R&D", "Finance", "starting", "manager",
     "Grace Hopper", "grace.hopper@acme.example", "x@y.example", "1", "January", "2027", "03/04/2027", "next", "Friday",
     "salary", "72k", "remote", "not", "Berlin", "and", ",", ".", ":", "yes", "no", "the", "'s", "last day", "first of"]
)  # fmt: skip
TEXTS = st.text(max_size=60) | st.lists(WORDS, max_size=14).map(" ".join) | st.text(string.printable, max_size=40)


@given(st.lists(TEXTS, min_size=1, max_size=4))
async def test_any_conversation_is_answered_and_nothing_is_invented(texts: list[str]) -> None:
    """Total on any text. Every field is quoted from what was said, a default, or derived; and it is never both open and sure."""
    draft: Understood | None = None
    said = ""
    for text in texts:
        said += "\n" + plain(text)
        heard = await hear(text, draft)
        if isinstance(heard, NotUnderstood):
            assert heard.question
            continue
        draft = heard
        playbook = next(one for one in COMPANY.playbooks if one.id == heard.playbook)
        quoted = read(heard)
        _, added = complete(playbook, quoted)
        assert heard.request.keys() <= quoted.keys() | added.keys()
        for name in quoted:
            assert heard.quotes[name] in said, (name, heard.quotes[name])
        assert not heard.missing.keys() & heard.request.keys()
        if heard.ready:
            assert validate_request(playbook, heard.request)
