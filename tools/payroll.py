"""Payroll: who is employed and paid what. Keyed for 24 hours; our key stands in ``externalRef`` as well.

Payroll counts in cents; the tools speak whole EUR a year, as people do.
"""

from __future__ import annotations

import difflib
from datetime import date, timedelta
from functools import partial
from typing import Annotated

from pydantic import Field

from governance.effects import EffectClass, UndoCall
from governance.errors import Permanent
from tools.contract import ApiKey, Call, Existing, Found, Tool, ToolModel
from tools.paths import path
from tools.practice import practice_system
from tools.records import Record, judged, the_only
from tools.semantic import Department, Email, EmployeeId, PersonName, Site
from tools.simulated_ids import SIMULATED_DAY, simulated_id

AnnualSalary = Annotated[int, Field(ge=10_000, le=1_000_000, description="gross, whole EUR a year")]


class NewEmployee(ToolModel):
    """Whom to employ, as what, and for how much."""

    display_name: PersonName = Field(description="the legal name, as on the contract")
    email: Email = Field(description="the work e-mail")
    job_title: str = Field(min_length=1)
    department: Department
    annual_salary: AnnualSalary
    start_date: date = Field(description="the first day of work")
    site: Site | None = None


class EmployeeRef(ToolModel):
    """An employee by number."""

    employee_id: EmployeeId


class EmployeeQuery(ToolModel):
    """An employee by work e-mail."""

    email: Email


class Termination(ToolModel):
    """Whose employment ends, and when."""

    employee_id: EmployeeId
    last_day: date = Field(description="the last day of employment")


class TitleQuery(ToolModel):
    """A job title as payroll writes it."""

    job_title: str = Field(min_length=1)


class Title(ToolModel):
    """A usual job title."""

    job_title: str
    department: Department
    annual_salary: AnnualSalary


class Employee(ToolModel):
    """An employee as payroll has them. ``annual_salary`` is in whole units of ``currency``, rounded down."""

    employee_id: EmployeeId
    display_name: PersonName
    email: Email
    job_title: str
    department: Department
    annual_salary: int
    currency: str
    start_date: date
    status: str = Field(description="active or terminated")
    last_day: date | None = None


def _employee(record: Record) -> Employee:
    return Employee(
        employee_id=record["employeeNo"],
        display_name=record["legalName"],
        email=record["workEmail"],
        job_title=record["jobTitle"],
        department=record["department"],
        annual_salary=record["annualSalaryCents"] // 100,
        currency=record["currency"],
        start_date=record["startsOn"],
        status=record["status"],
        last_day=record["lastDay"],
    )


def _is_active(record: Record) -> bool:
    return bool(record["status"] == "active")


async def _search(call: Call, field: str, value: str) -> list[Record]:
    found: list[Record] = (await call.http.request("GET", "/employees", params={field: value})).body["items"]
    return found


async def create_employee(call: Call, wanted: NewEmployee) -> Employee:
    """Employ the person; payroll knows the call again by its key.

    It would also employ somebody twice, and pay them twice: so nobody is who is employed already.
    """
    for record in await _search(call, "workEmail", wanted.email):
        if _is_active(record) and record["externalRef"] != call.key:
            raise Permanent(
                f"{wanted.email} is employed already, as {record['employeeNo']}.",
                code="already_employed",
                hint="Was this onboarding asked for twice? Close this run; or give another e-mail.",
            )
    body = {
        "legalName": wanted.display_name,
        "workEmail": wanted.email,
        "jobTitle": wanted.job_title,
        "department": wanted.department,
        "annualSalaryCents": wanted.annual_salary * 100,
        "startsOn": wanted.start_date.isoformat(),
        "currency": "EUR",
        "site": wanted.site,
        "externalRef": call.key,
    }
    answer = await call.http.request("POST", "/employees", json=body, headers={"Idempotency-Key": call.key})
    return _employee(answer.body)


async def look_for_employee(call: Call, wanted: NewEmployee) -> Found:
    """Ours by ``externalRef``; someone else's is an active employee with the same e-mail."""
    found = await _search(call, "externalRef", call.key) or await _search(call, "workEmail", wanted.email)
    return judged(found, key=call.key, reference="externalRef", name="employeeNo", read=_employee, live=_is_active)


async def get_employee(call: Call, wanted: EmployeeRef) -> Employee:
    """Read one employee."""
    return _employee((await call.http.request("GET", path("employees", wanted.employee_id))).body)


async def find_employee(call: Call, wanted: EmployeeQuery) -> Employee:
    """Find the active employee with an e-mail, or the terminated one if nobody is active."""
    found = await _search(call, "workEmail", wanted.email)
    active = [record for record in found if _is_active(record)]
    return _employee(the_only(active or found, what=f"employee with the e-mail {wanted.email}", name="employeeNo"))


async def terminate_employee(call: Call, wanted: Termination) -> Employee | Existing:
    """End the employment; one that has ended already is Existing."""
    there = await get_employee(call, EmployeeRef(employee_id=wanted.employee_id))
    if there.status == "terminated":
        return Existing(there)
    body = {"lastDay": wanted.last_day.isoformat()}
    answer = await call.http.request("POST", path("employees", wanted.employee_id, "terminate"), json=body)
    return _employee(answer.body)


async def find_job_title(call: Call, wanted: TitleQuery) -> Title:
    """Find a usual job title, whatever its capitals."""
    titles = (await call.http.request("GET", "/job-titles")).body["items"]
    by_name = {record["title"].casefold(): record for record in titles}
    record = by_name.get(wanted.job_title.casefold())
    if record is None:
        near = difflib.get_close_matches(wanted.job_title.casefold(), by_name, n=1)
        fix = str(by_name[near[0]]["title"]) if near else ""
        raise Permanent(f"Payroll does not know the job title {wanted.job_title!r}.", code="not_found", fix=fix)
    return Title(
        job_title=record["title"],
        department=record["department"],
        annual_salary=record["defaultSalaryCents"] // 100,
    )


def _pretend(email: str, employee_id: str = "") -> Employee:
    return Employee(
        employee_id=employee_id or simulated_id("E-", 5, email),
        display_name="Simulated Person",
        email=email,
        job_title="Software Engineer",
        department="R&D",
        annual_salary=72_000,
        currency="EUR",
        start_date=SIMULATED_DAY,
        status="active",
    )


def _pretend_new(wanted: NewEmployee, _: str) -> Employee:
    known = wanted.model_dump(exclude={"site"})
    return Employee(employee_id=simulated_id("E-", 5, wanted.email), currency="EUR", status="active", **known)


def _pretend_ended(wanted: Termination, _: str) -> Employee:
    known = _pretend("simulated@acme.example", wanted.employee_id)
    return known.model_copy(update={"status": "terminated", "last_day": wanted.last_day})


SYSTEM = practice_system("payroll", "Payroll", ApiKey(), offset=2)
_reads = partial(
    Tool,
    system="payroll",
    effect=EffectClass.READ,
    permission="payroll:read",
    data_classes=frozenset({"personal", "financial"}),
)
_changes = partial(
    Tool,
    system="payroll",
    output=Employee,
    settle=timedelta(seconds=2),
    permission="payroll:write",
    data_classes=frozenset({"personal", "financial"}),
)
TOOLS = (
    _changes(
        name="payroll.create_employee",
        summary="Employ a person: from the start date on they are paid.",
        input=NewEmployee,
        effect=EffectClass.KEYED,
        key_lifetime=timedelta(hours=24),
        run=create_employee,
        simulate=_pretend_new,
        lookup=look_for_employee,
        undo=UndoCall(
            tool="payroll.terminate_employee@1",
            args={"employee_id": {"$ref": "output.employee_id"}, "last_day": {"$ref": "input.start_date"}},
        ),
        provides="payroll.employee",
        amount="annual_salary",
        sensitive=frozenset({"annual_salary"}),
    ),
    _changes(
        name="payroll.terminate_employee",
        summary="End a person's employment on its last day.",
        input=Termination,
        effect=EffectClass.NATURAL_KEY,
        run=terminate_employee,
        simulate=_pretend_ended,
        irreversible="Ending an employment has legal effect; employing the person again is a new contract.",
        provides="payroll.employment_ended",
        sensitive=frozenset({"employee_id", "last_day"}),
    ),
    _reads(
        name="payroll.find_employee",
        summary="Find the employee with a work e-mail.",
        input=EmployeeQuery,
        output=Employee,
        run=find_employee,
        simulate=lambda wanted, _: _pretend(wanted.email),
    ),
    _reads(
        name="payroll.get_employee",
        summary="Read an employee by number.",
        input=EmployeeRef,
        output=Employee,
        run=get_employee,
        simulate=lambda wanted, _: _pretend("simulated@acme.example", wanted.employee_id),
    ),
    _reads(
        name="payroll.find_job_title",
        summary="Find a usual job title with its department and default salary.",
        input=TitleQuery,
        output=Title,
        run=find_job_title,
        simulate=lambda wanted, _: Title(job_title=wanted.job_title, department="R&D", annual_salary=72_000),
    ),
)
