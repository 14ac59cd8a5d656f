"""The nine systems' own tools on the real sandbox company under its faults: the company counts one effect."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from governance.canonical import effect_key
from governance.effects import EffectClass, FailureClass, LookupAnswer
from tests.contract import scenes
from tests.sandbox.running import Company
from tests.unit.tools.stage import HurryingClock, Notebook, Pedal
from tools.breakers import SystemBreakers
from tools.catalog import Catalog, load_catalog
from tools.contract import Done, Order, Outcome, Tool, Unknown
from tools.credentials import Connection
from tools.http import SystemClients
from tools.invocation import Invocation

CREATES = {
    "identity.create_account": scenes.NEW_ACCOUNT,
    "payroll.create_employee": scenes.NEW_EMPLOYEE,
    "orgchart.place_person": scenes.NEW_POSITION,
    "facilities.assign_desk": scenes.NEW_DESK,
    "security.issue_badge": scenes.NEW_BADGE,
    "training.enrol": scenes.NEW_ENROLMENT,
    "benefits.enrol": scenes.NEW_BENEFIT,
    "expenses.open_account": scenes.NEW_EXPENSES,
    "mail.send": scenes.MESSAGE,
}
ONE_OF_EACH_CLASS = ("identity.create_account", "payroll.create_employee", "facilities.assign_desk", "mail.send")
QUICK_FAULTS = ("error_before", "error_after", "drop_before", "drop_after", "malformed")
IN_FORCE = timedelta(seconds=1)  # of a time-out; hangs are as long as it takes to notice them


class Acme:
    """The company, called through invocation; when our clock sleeps, the company's clock moves on as well."""

    def __init__(self, company: Company, catalog: Catalog, clients: SystemClients, clock: HurryingClock) -> None:
        self.company = company
        self.catalog = catalog
        self.clock = clock
        self.ledger = Notebook()
        self.invocation = Invocation(clients, SystemBreakers(clock), clock, random.Random(7), linger=1e9)
        clock.on_sleep = lambda: company.advance(clock.slept[-1])

    def tool(self, name: str, **changes: Any) -> Tool:
        tool = self.catalog.latest(name)
        assert tool is not None
        return replace(tool, **changes)

    async def perform(self, name: str, args: dict[str, Any], step: str = "step", **changes: Any) -> Outcome:
        tool = self.tool(name, **changes)
        order = Order(run_id="run-1", step=step, tool=tool, args=args, key=effect_key("run-1", step))
        return await asyncio.wait_for(self.invocation.perform(order, self.ledger, Pedal()), 30)


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    """The sandbox, started once."""
    running = Company(tmp_path_factory.mktemp("company"))
    yield running
    running.end()


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    """Our tools."""
    return load_catalog(None)


@pytest_asyncio.fixture
async def acme(company: Company, catalog: Catalog) -> AsyncIterator[Acme]:
    """The company as at its first start."""
    company["control"].post("/reset").raise_for_status()
    clock = HurryingClock()
    connections = {
        name: Connection(company.url(name), system.user, system.secret.removeprefix("practice:"))
        for name, system in catalog.systems.items()
    }
    async with SystemClients(catalog.systems.values(), connections, clock) as clients:
        yield Acme(company, catalog, clients, clock)


def strike(acme: Acme, name: str, kind: str, **more: Any) -> None:
    """Let the next creating call in the tool's system go wrong (its token is fetched by POST too)."""
    system = name.partition(".")[0]
    method = "PUT" if system == "orgchart" else "POST"
    prefix = {"identity": "/users", "expenses": "/accounts"}.get(system, "/")
    acme.company.order_fault(system=system, kind=kind, method=method, path_prefix=prefix, **more)


@pytest.mark.parametrize("kind", QUICK_FAULTS)
@pytest.mark.parametrize("name", CREATES)
async def test_a_fault_makes_neither_two_effects_nor_none(acme: Acme, name: str, kind: str) -> None:
    """A create ends done with one effect; one that nobody can look up ends with a person, and is not repeated."""
    strike(acme, name, kind)
    outcome = await acme.perform(name, CREATES[name])
    happened = 1 if name != "mail.send" or kind not in {"error_before", "drop_before"} else 0
    assert acme.company.effect_count(name.partition(".")[0]) == happened
    if name == "mail.send":
        assert isinstance(outcome, Unknown)
    else:
        assert isinstance(outcome, Done)
        assert not outcome.found
    assert [failure.failure for _, failure, _ in acme.ledger.attempts] == [FailureClass.AMBIGUOUS]


@pytest.mark.parametrize("kind", ["hang_before", "hang_after"])
@pytest.mark.parametrize("name", ONE_OF_EACH_CLASS)
async def test_a_system_that_hangs_makes_neither_two_effects_nor_none(acme: Acme, name: str, kind: str) -> None:
    """The time-out of the call is the end of the attempt, whether the effect was applied or not."""
    strike(acme, name, kind, seconds=10)
    outcome = await acme.perform(name, CREATES[name], timeout=IN_FORCE)
    assert isinstance(outcome, Unknown if name == "mail.send" else Done)
    happened = 0 if (name, kind) == ("mail.send", "hang_before") else 1
    assert acme.company.effect_count(name.partition(".")[0]) == happened


@pytest.mark.parametrize("name", CREATES)
async def test_a_system_that_asks_to_slow_down_is_obeyed(acme: Acme, name: str) -> None:
    """429 with Retry-After: the wait is never shorter, and the call was surely not done."""
    strike(acme, name, "status", status=429, retry_after=7)
    assert isinstance(await acme.perform(name, CREATES[name]), Done)
    assert acme.clock.slept[0] >= 7
    assert acme.company.effect_count(name.partition(".")[0]) == 1


async def test_a_lagging_search_does_not_make_a_second_effect(acme: Acme) -> None:
    """The desk was assigned, the answer was lost, and the search does not show it yet."""
    strike(acme, "facilities.assign_desk", "error_after")
    assert isinstance(await acme.perform("facilities.assign_desk", CREATES["facilities.assign_desk"]), Done)
    assert acme.ledger.answers == [LookupAnswer.OURS]
    assert acme.company.effect_count("facilities") == 1


async def test_a_key_that_the_system_has_forgotten_is_not_trusted(acme: Acme) -> None:
    """The badge system forgets keys after 60 s: a call that was lost before that is looked up, not repeated."""
    strike(acme, "security.issue_badge", "error_after")
    strike(acme, "security.issue_badge", "status", status=429, retry_after=90)
    outcome = await acme.perform("security.issue_badge", CREATES["security.issue_badge"])
    assert isinstance(outcome, Done)
    assert acme.ledger.answers == [LookupAnswer.OURS]
    assert acme.company.effect_count("security") == 1


async def test_a_token_that_the_system_has_forgotten_is_renewed(acme: Acme) -> None:
    """The company's clock is ahead of ours: its 401 is answered with one new token, without a failed attempt."""
    await acme.perform("identity.find_account", {"email": scenes.GRACE}, step="first")
    acme.company.advance(600)
    outcome = await acme.perform("identity.create_account", CREATES["identity.create_account"])
    assert isinstance(outcome, Done)
    assert not acme.ledger.attempts


async def test_what_was_there_already_is_found_and_not_this_runs(acme: Acme) -> None:
    """Another step's account with the same e-mail: Existing, never undone."""
    await acme.perform("identity.create_account", CREATES["identity.create_account"], step="other")
    outcome = await acme.perform("identity.create_account", CREATES["identity.create_account"])
    assert isinstance(outcome, Done)
    assert outcome.found
    assert acme.company.effect_count("identity") == 1


def test_every_effect_class_is_among_the_creates(catalog: Catalog) -> None:
    """Else the tests above would not cover the table of effect classes."""
    effects = {tool.effect for tool in catalog if tool.name in CREATES}
    assert effects == set(EffectClass) - {EffectClass.READ}
