"""What of a plan is kept, and for which requests: nothing of the request that it was made for, nothing wrong for the next."""

from __future__ import annotations

import json
import random
import string
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agents.compiling import Compiler
from agents.offline.planner import OfflinePlanner
from agents.ports import PlanningTask
from agents.shapes import shape_of
from governance.decisions import Decide, Decision, DecisionKind
from governance.policy import Policy
from governance.templates import Template
from plans.checked import Premises
from plans.checker import check
from plans.language import Plan
from playbooks.company import load_company
from playbooks.model import Playbook
from playbooks.requests import closed_schema, validate_request
from tests.fakes import FIRST_MOMENT
from tools.catalog import load_catalog

COMPANY, CATALOG = load_company(), load_catalog(None)
ONBOARDING, OFFBOARDING = (
    next(book for book in COMPANY.playbooks if book.name == name) for name in ("onboarding", "offboarding")
)
COMPILER = Compiler(OfflinePlanner(), CATALOG.specs)
ADA: dict[str, Any] = {
    "first_name": "Ada",
    "last_name": "Lovelace",
    "job_title": "Software Engineer",
    "department": "R&D",
    "start_date": "2027-02-01",
    "manager": "grace.hopper@acme.example",
}
DECISION = Decision(
    kind=DecisionKind.PLAN, subject="onboarding@1", choice="", reasoning="", confidence=0.9, decider="model:any"
)


async def planned(playbook: Playbook, request: Mapping[str, Any]) -> dict[str, Any]:
    """The offline planner's plan."""
    task = PlanningTask(
        playbook=playbook.id,
        goals=playbook.goals,
        guidance=playbook.guidance,
        request=request,
        request_schema=closed_schema(playbook),
        tools=CATALOG.specs,
    )
    return (await OfflinePlanner().plan(task)).plan


def kept(playbook: Playbook, request: Mapping[str, Any], document: Mapping[str, Any]) -> Template | str:
    """What is kept of a plan for a request."""
    key = COMPILER.key(playbook, request)
    assert key is not None
    plan = Plan.model_validate(document)
    return COMPILER.template(key, playbook, plan, DECISION, run_id="a-run", took_ms=1, at=FIRST_MOMENT)


def sound(playbook: Playbook, request: Mapping[str, Any], document: Mapping[str, Any]) -> bool:
    """Whether the plan passes the check for the request."""
    requester = COMPANY.directory.find("katherine.johnson@acme.example")
    assert requester is not None
    premises = Premises(
        tools=CATALOG.specs,
        request_schema=closed_schema(playbook),
        request=request,
        goals=playbook.goals,
        policy=Policy([*COMPANY.policy, *playbook.policy]),
        directory=COMPANY.directory,
        requester=requester,
        untrusted=playbook.untrusted,
    )
    return check(document, premises).plan is not None


def some_request(rng: random.Random) -> tuple[Playbook, dict[str, Any]]:
    """A request that differs in everything that a request may differ in."""
    department = rng.choice(["R&D", "Finance", "Sales", "People", "IT"])
    name = "".join(rng.choices(string.ascii_lowercase, k=8)).capitalize()
    if rng.random() < 0.5:
        request = {**ADA, "first_name": name, "department": department, "start_date": f"2027-0{rng.randint(1, 9)}-01"}
        maybe: dict[str, Any] = {
            "site": rng.choice(["Berlin", "London", "Vilnius"]),
            "work_mode": rng.choice(["office", "hybrid", "remote"]),
            "annual_salary": rng.randint(10_000, 99_999),
            "group": rng.choice(["engineering", "finance", f"g{name.lower()}"]),
            "email": f"{name.lower()}@acme.example",
        }
        playbook = ONBOARDING
    else:
        request = {
            "email": f"{name.lower()}@acme.example",
            "department": department,
            "last_day": f"2027-0{rng.randint(1, 9)}-28",
            "manager": "grace.hopper@acme.example",
        }
        maybe = {
            "work_mode": rng.choice(["office", "hybrid", "remote"]),
            "open_trainings": rng.random() < 0.5,
            "engineering_course": f"course-{name.lower()}",
            "benefit_plan": rng.choice(["health-basic", f"plan-{name.lower()}"]),
            "first_name": name,
        }
        playbook = OFFBOARDING
    chosen = {field: value for field, value in maybe.items() if rng.random() < 0.5}
    return playbook, validate_request(playbook, request | chosen)


async def test_a_template_is_the_plan_that_the_planner_would_have_made() -> None:
    """200 requests: where one's shape was seen before, the kept plan is the planner's own for it, to the letter, and sound."""
    rng = random.Random(20270104)
    known: dict[str, Template] = {}
    hits = 0
    for _ in range(200):
        playbook, request = some_request(rng)
        key = COMPILER.key(playbook, request)
        assert key is not None
        own = await planned(playbook, request)
        if key.digest in known:
            hits += 1
            assert known[key.digest].plan == own
            assert sound(playbook, request, known[key.digest].plan)
        made = kept(playbook, request, own)
        assert isinstance(made, Template), made
        assert made.key == key.digest
        known.setdefault(key.digest, made)
    assert hits >= 30, "or this test shows little"
    assert len({json.dumps(template.plan, sort_keys=True) for template in known.values()}) >= 12


_ONCE: list[dict[str, Any]] = []


async def planned_once() -> dict[str, Any]:
    """The plan for a request with a salary: the same for all, so it is made once."""
    if not _ONCE:
        request = validate_request(ONBOARDING, {**ADA, "annual_salary": 50_000})
        _ONCE.append(await planned(ONBOARDING, request))
    return _ONCE[0]


CANARY = st.text("qxzjkvw", min_size=6, max_size=10).filter(lambda text: len(set(text)) > 2)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data(), first=CANARY, last=CANARY, title=CANARY, salary=st.integers(100_003, 999_983))
async def test_no_value_of_any_request_ever_stands_in_a_template(
    data: st.DataObject, first: str, last: str, title: str, salary: int
) -> None:
    """A planner that writes what it was told wherever it can: in each case nothing is kept, or nothing of it is left."""
    names = {"first_name": first.capitalize(), "last_name": last.capitalize(), "job_title": f"{title} of {title}"}
    request = validate_request(ONBOARDING, {**ADA, **names, "annual_salary": salary, "start_date": "2031-07-23"})
    document = await planned_once()
    secrets = [str(value) for name, value in request.items() if name in {*names, "email", "annual_salary"}]
    for _ in range(data.draw(st.integers(1, 3), "how often")):
        secret = data.draw(st.sampled_from([*secrets, first, last, title, salary]), "what")
        document = leaked(document, secret, data)
    made = kept(ONBOARDING, request, document)
    if isinstance(made, Template):
        text = json.dumps([made.plan, made.shape, made.playbook, made.decider]).casefold()
        assert not [word for word in (first, last, title, str(salary), "2031-07-23") if word in text]


def leaked(document: dict[str, Any], secret: Any, data: st.DataObject) -> dict[str, Any]:
    """The plan with a secret written into it somewhere."""
    words = str(secret).casefold()
    name = "".join(letter for letter in words if letter in string.ascii_lowercase) or "n"
    steps: list[dict[str, Any]] = json.loads(json.dumps(document["steps"]))
    step = steps[data.draw(st.integers(0, len(steps) - 1), "where")]
    goals, old = dict(document["goal_steps"]), step["id"]
    ways: dict[str, Callable[[], object]] = {
        "value": lambda: step.setdefault("args", {}).update(note=secret),
        "key": lambda: step.setdefault("args", {}).update({name: "staff"}),
        "deep": lambda: step.setdefault("args", {}).update(note=[{"to": [secret]}]),
        "text": lambda: step.setdefault("args", {}).update(note={"$text": f"for {secret}, {{request.email}}"}),
        "hole": lambda: step.setdefault("args", {}).update(note={"$text": f"{{request.{name}}}"}),
        "path": lambda: step.setdefault("args", {}).update(note={"$ref": f"request.{name}"}),
        "first": lambda: step.setdefault("args", {}).update(note={"$first": [{"$ref": "request.email"}, secret]}),
        "when": lambda: step.update(when={"$eq": [{"$ref": "request.email"}, secret]}),
        "reason": lambda: step.update(reason=f"{words} is wanted by the desk"),
        "items": lambda: step.update(for_each={"items": [secret], "key": {"$ref": "item"}}),
        "max": lambda: step.update(for_each={"items": {"$ref": "request.email"}, "key": "staff", "max": 999}),
        "moment": lambda: step.update(not_before="2031-07-23"),
        "id": lambda: step.update(id=f"a_{name}"),
        "goal": lambda: goals.update({name: old}),
    }
    ways[data.draw(st.sampled_from(sorted(ways)), "how")]()
    if step["id"] != old:
        goals = {goal: step["id"] if reached == old else reached for goal, reached in goals.items()}
    return {**document, "steps": steps, "goal_steps": goals}


async def test_ids_and_reasons_of_the_planners_own_are_put_in_the_playbooks_words() -> None:
    """What a model calls a step, and why, may speak of a person; the acts stay as they were."""
    document = await planned(ONBOARDING, validate_request(ONBOARDING, ADA))
    text = json.dumps(document).replace('"account"', '"adas_login"').replace("account.", "adas_login.")
    spoken = json.loads(text)
    spoken["goal_steps"] = {
        goal: "adas_login" if step == "account" else step for goal, step in document["goal_steps"].items()
    }
    spoken["goal_steps"].pop("adas_login", None)
    spoken["goal_steps"]["account"] = "adas_login"
    for step in spoken["steps"]:
        step["reason"] = f"Ada needs it: {step['id']}"
    made = kept(ONBOARDING, validate_request(ONBOARDING, ADA), spoken)
    assert isinstance(made, Template), made
    assert "ada" not in json.dumps(made.plan).casefold()
    assert sound(ONBOARDING, validate_request(ONBOARDING, ADA), made.plan)
    reasons = {step["id"]: step["reason"] for step in made.plan["steps"]}
    assert reasons["account"] == "every other system keys on the account"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"annual_salary": 52_000}, "a literal that is neither"),
        ({"annual_salary": 500}, None),
        ({"start_date": {"$text": "{request.start_date}"}}, None),
        ({"start_date": {"$text": "7 days before {request.start_date}"}}, "a literal that is neither"),
        ({"surprise": "staff"}, "a name that neither"),
        ({"title": {"$ref": "request.nickname"}}, "a name that neither"),
    ],
)
async def test_a_literal_from_elsewhere_keeps_a_plan_from_being_used_again(
    change: Mapping[str, Any], why: str | None
) -> None:
    """It may have been worked out from a value of this very request; names and literals of the playbook are free to use."""
    request = validate_request(ONBOARDING, ADA)
    document = await planned(ONBOARDING, request)
    steps = [
        {**step, "args": {**step["args"], **change}} if step["id"] == "employee" else step for step in document["steps"]
    ]
    made = kept(ONBOARDING, request, {**document, "steps": steps})
    assert isinstance(made, Template) if why is None else str(made).startswith(why)


async def test_a_literal_that_happens_to_be_a_value_of_the_request_does_too() -> None:
    """500 is the playbook's limit. If it is this person's number as well, nobody can say which one was meant."""
    salaries = {**ONBOARDING.request["properties"], "annual_salary": {"type": "integer"}}
    playbook = ONBOARDING.model_copy(update={"request": {**ONBOARDING.request, "properties": salaries}})
    request = validate_request(playbook, {**ADA, "annual_salary": 500})
    made = kept(playbook, request, await planned(playbook, request))
    assert made == "a literal that a value of the request is equal to"


async def test_an_effect_that_no_goal_needs_is_this_requests_alone() -> None:
    """A planner that adds a mail had a reason in what this request says; a further look-up does no harm."""
    request = validate_request(ONBOARDING, ADA)
    document = await planned(ONBOARDING, request)
    welcome = next(step for step in document["steps"] if step["id"] == "welcome")
    more = {**document, "steps": [*document["steps"], {**welcome, "id": "welcome_2"}]}
    assert kept(ONBOARDING, request, more) == "an effect that no goal of the playbook needs"


def test_a_shape_tells_what_a_plan_may_depend_on_and_nothing_else() -> None:
    """Which fields there are, choices that the playbook lists, answers to its conditions; not who, when or how much."""
    ada = validate_request(ONBOARDING, {**ADA, "annual_salary": 50_000})
    joan = validate_request(ONBOARDING, {**ADA, "first_name": "Joan", "last_name": "Clarke", "annual_salary": 90_000})
    assert shape_of(ONBOARDING, ada).value == shape_of(ONBOARDING, joan).value
    for change in ({"site": "London"}, {"work_mode": "remote"}, {"department": "IT"}, {"group": "friends"}):
        other = validate_request(ONBOARDING, {**ADA, "annual_salary": 50_000, **change})
        assert shape_of(ONBOARDING, other).value != shape_of(ONBOARDING, ada).value
    assert shape_of(ONBOARDING, validate_request(ONBOARDING, ADA)).value != shape_of(ONBOARDING, ada).value
    assert "Ada" in shape_of(ONBOARDING, ada).free
    assert "R&D" not in shape_of(ONBOARDING, ada).free


def test_a_condition_on_an_amount_tells_large_from_small() -> None:
    """The amount itself stays out; lists, objects and fields that nobody declared do not hide what matters."""
    goal = ONBOARDING.goals[0].model_copy(
        update={"when": {"$all": [{"$gt": [{"$ref": "request.amount"}, 10_000]}, {"$exists": {"$ref": "request.vat"}}]}}
    )
    properties = {
        "amount": {"type": "integer"},
        "vat": {"type": "string"},
        "sites": {"type": "array", "items": {"enum": ["Berlin", "London"]}},
        "names": {"type": "array", "items": {"type": "string"}},
        "asset": {
            "type": "object",
            "properties": {"kind": {"enum": ["laptop", "phone"]}, "serial": {"type": "string"}},
        },
    }
    schema = {"type": "object", "properties": properties}
    playbook = ONBOARDING.model_copy(update={"request": schema, "derived": {}, "goals": (goal,)})

    def shape(**request: Any) -> dict[str, Any]:
        return shape_of(playbook, request).value

    assert shape(amount=11_000) == shape(amount=47_000) != shape(amount=9_000)
    assert shape(amount=9_000)["answers"] == ["no", "no"]
    assert shape()["answers"] == ["unknown", "no"]
    assert shape(vat="x")["answers"] == ["unknown", "yes"]
    assert shape(sites=["Berlin"]) != shape(sites=["London"])
    assert shape(names=["Ada"]) == shape(names=["Joan", "Grace"]) != shape(names=[])
    assert shape(asset={"kind": "phone", "serial": "1"}) == shape(asset={"kind": "phone", "serial": "2"})
    assert shape(asset={"kind": "phone"}) != shape(asset={"kind": "laptop"})
    assert shape_of(playbook, {"salaries": {"Ada": 1}}).free == {"salaries", "Ada", 1}


def test_a_playbook_without_goals_and_a_planner_without_a_name_have_no_keys() -> None:
    """What such plans are made from is in no key, so they are never used again."""
    request = validate_request(ONBOARDING, ADA)
    assert COMPILER.key(ONBOARDING.model_copy(update={"goals": ()}), request) is None
    assert Compiler(OfflinePlanner(), CATALOG.specs).key(ONBOARDING, request) == COMPILER.key(ONBOARDING, request)

    class Nameless:
        plan = OfflinePlanner.plan

    assert replace(COMPILER, planner=Nameless()).key(ONBOARDING, request) is None


async def test_who_chooses_is_kept_with_a_plan_where_the_playbook_says_it() -> None:
    """An agent that the playbook lets choose stands in the template; a planner's own idea of how sure it must be does not."""
    triage = next(book for book in COMPANY.playbooks if book.name == "support-triage")
    decide = Decide(confidence_at_least=0.75)
    goals = tuple(goal.model_copy(update={"decide": decide}) if goal.id == "route" else goal for goal in triage.goals)
    playbook = triage.model_copy(update={"goals": goals})
    request = validate_request(playbook, {"customer": "somebody@customer.example", "text": "The printer is on fire."})
    document = await planned(playbook, request)
    found = kept(playbook, request, document)
    assert isinstance(found, Template)
    (route,) = [each for each in found.plan["steps"] if each["id"] == "route"]
    assert route["decide"] == {"confidence_at_least": 0.75}
    steps = [
        {**each, "decide": {"confidence_at_least": 0.55}} if each["id"] == "route" else each
        for each in document["steps"]
    ]
    assert kept(playbook, request, {**document, "steps": steps}) == (
        "a literal that is neither the playbook's nor a tool's"
    )
