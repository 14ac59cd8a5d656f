"""Who and what is in the company at its first start."""

import sqlite3
from collections.abc import Iterator
from typing import NamedTuple

from sandbox.engine.store import JsonObject
from sandbox.engine.work import Records
from sandbox.trade import trade_records

_LONG_AGO = "2026-01-05T09:00:00.000Z"
_START = "2026-01-05"

_SITES = (("Berlin", "BER", "Germany"), ("London", "LON", "United Kingdom"), ("Vilnius", "VNO", "Lithuania"))
_DEPARTMENTS = (("R&D", "E-0001"), ("People", "E-0002"), ("IT", "E-0003"), ("Finance", "E-0004"), ("Sales", None))
_GROUPS = (
    ("everyone", "Everyone"),
    ("engineering", "Engineering"),
    ("finance", "Finance"),
    ("sales", "Sales"),
    ("people", "People"),
    ("it", "IT"),
    ("managers", "Managers"),
)
_COURSES = (
    ("security-awareness", "Security awareness", True, 45),
    ("code-of-conduct", "Code of conduct", True, 30),
    ("engineering-onboarding", "Engineering onboarding", False, 480),
)
_PLANS = (
    ("health-basic", "Health, basic", 9_000),
    ("health-plus", "Health, plus", 21_000),
    ("pension", "Pension", 25_000),
)
_LEVELS = (("staff", "Offices", False), ("lab", "Laboratories", False), ("datacentre", "Data centre", True))
_CATEGORIES = (
    ("travel", "Travel", 200_000),
    ("meals", "Meals", 40_000),
    ("equipment", "Equipment", 150_000),
    ("training", "Training", 100_000),
)
_TITLES = (
    ("Software Engineer", "R&D", 7_200_000),
    ("Senior Software Engineer", "R&D", 9_000_000),
    ("Data Scientist", "R&D", 7_800_000),
    ("Engineering Manager", "R&D", 10_500_000),
    ("Accountant", "Finance", 5_600_000),
    ("Account Executive", "Sales", 6_000_000),
    ("Recruiter", "People", 5_200_000),
    ("People Partner", "People", 6_000_000),
    ("System Administrator", "IT", 5_800_000),
)


class _Person(NamedTuple):
    number: int
    name: str
    title: str
    department: str
    site: str
    salary: int
    groups: tuple[str, ...]


_PEOPLE = (
    _Person(1, "Grace Hopper", "Engineering Manager", "R&D", "Berlin", 11_000_000, ("engineering", "managers")),
    _Person(2, "Katherine Johnson", "People Lead", "People", "London", 9_800_000, ("managers", "people")),
    _Person(3, "Alan Turing", "IT Lead", "IT", "London", 9_600_000, ("it", "managers")),
    _Person(4, "Mary Jackson", "Finance Lead", "Finance", "Vilnius", 9_900_000, ("finance", "managers")),
    _Person(5, "Annie Easley", "Facilities and Security Lead", "People", "Berlin", 8_700_000, ("people",)),
)


def is_empty(db: sqlite3.Connection) -> bool:
    """Tell whether the company was never seeded."""
    return db.execute("SELECT 1 FROM records LIMIT 1").fetchone() is None


def seed(db: sqlite3.Connection) -> None:
    """Write all seeded records. No effect is counted for them."""
    for system, kind, identifier, record in (*_places(), *_catalogues(), *_desks(), *_people(), *trade_records()):
        Records(db, system).put(kind, identifier, record, seeded=True)


def _places() -> Iterator[tuple[str, str, str, JsonObject]]:
    for site, code, country in _SITES:
        for system in ("facilities", "security", "orgchart"):
            yield system, "site", code, {"site": site, "code": code, "country": country}
    for name, head in _DEPARTMENTS:
        for system in ("payroll", "orgchart"):
            yield system, "department", name, {"name": name, "head_id": head}
    for name, title in _GROUPS:
        yield "identity", "group", name, {"name": name, "displayName": title}


def _catalogues() -> Iterator[tuple[str, str, str, JsonObject]]:
    for name, title, mandatory, minutes in _COURSES:
        record = {"course": name, "title": title, "mandatory": mandatory, "minutes": minutes}
        yield "training", "course", name, record
    for name, title, cents in _PLANS:
        yield "benefits", "plan", name, {"plan": name, "title": title, "monthlyCostCents": cents, "currency": "EUR"}
    for name, title, approval in _LEVELS:
        yield "security", "access level", name, {"accessLevel": name, "title": title, "needsApproval": approval}
    for name, title, cents in _CATEGORIES:
        yield "expenses", "category", name, {"category": name, "title": title, "monthlyLimitCents": cents}
    for name, department, cents in _TITLES:
        record = {"title": name, "department": department, "defaultSalaryCents": cents}
        yield "payroll", "job title", name, record


def _desks() -> Iterator[tuple[str, str, str, JsonObject]]:
    taken = {_desk_of(person) for person in _PEOPLE}
    for site, code, _ in _SITES:
        for floor in (1, 2):
            for number in range(1, 11):
                desk = f"{code}-{floor}-{number + 10 * (floor - 1):03d}"
                record = {"desk_code": desk, "site": site, "floor": floor, "free": desk not in taken}
                yield "facilities", "desk", desk, record


def _people() -> Iterator[tuple[str, str, str, JsonObject]]:
    for person in _PEOPLE:
        mail = f"{person.name.lower().replace(' ', '.')}@acme.example"
        yield "identity", "user", _account(person), _user(person, mail)
        yield "payroll", "employee", _employee(person), _payroll(person, mail)
        yield "orgchart", "position", f"pos-{person.number:04d}", _position(person, mail)
        yield "facilities", "assignment", f"asg-{person.number:04d}", _assignment(person)
        yield "security", "badge", f"bdg-{person.number:04d}", _badge(person)


def _account(person: _Person) -> str:
    return f"acc-{person.number:06d}"


def _employee(person: _Person) -> str:
    return f"E-{person.number:04d}"


def _desk_of(person: _Person) -> str:
    code = next(code for site, code, _ in _SITES if site == person.site)
    return f"{code}-1-{person.number:03d}"


def _user(person: _Person, mail: str) -> JsonObject:
    return {
        "id": _account(person),
        "userName": mail.partition("@")[0],
        "displayName": person.name,
        "mail": mail,
        "department": person.department,
        "title": person.title,
        "externalId": None,
        "active": True,
        "groups": sorted(("everyone", *person.groups)),
        "createdAt": _LONG_AGO,
    }


def _payroll(person: _Person, mail: str) -> JsonObject:
    return {
        "employeeNo": _employee(person),
        "legalName": person.name,
        "workEmail": mail,
        "jobTitle": person.title,
        "department": person.department,
        "annualSalaryCents": person.salary,
        "startsOn": _START,
        "currency": "GBP" if person.site == "London" else "EUR",
        "site": person.site,
        "externalRef": None,
        "status": "active",
        "lastDay": None,
        "createdAt": _LONG_AGO,
    }


def _position(person: _Person, mail: str) -> JsonObject:
    return {
        "position_id": f"pos-{person.number:04d}",
        "employee_id": _employee(person),
        "display_name": person.name,
        "mail": mail,
        "title": person.title,
        "department": person.department,
        "starts_on": _START,
        "account_id": _account(person),
        "manager_id": "E-0002" if person.number == 5 else None,
        "site": person.site,
        "reference": None,
    }


def _assignment(person: _Person) -> JsonObject:
    return {
        "assignment_id": f"asg-{person.number:04d}",
        "desk_code": _desk_of(person),
        "site": person.site,
        "occupant": _account(person),
        "from_date": _START,
        "external_ref": None,
        "state": "active",
        "created_at": _LONG_AGO,
        "released_at": None,
    }


def _badge(person: _Person) -> JsonObject:
    return {
        "badgeNo": f"bdg-{person.number:04d}",
        "holder_id": _account(person),
        "holderName": person.name,
        "site": person.site,
        "accessLevel": "datacentre" if person.department == "IT" else "staff",
        "validFrom": _START,
        "reference": None,
        "approvedBy": "katherine.johnson@acme.example" if person.department == "IT" else None,
        "state": "active",
        "issuedAt": _LONG_AGO,
        "revokedAt": None,
    }
