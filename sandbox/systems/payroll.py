"""Payroll: who is paid what. Honours Idempotency-Key for 24 hours; without one, the same call makes a second employee."""

from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Query

from sandbox.engine.fields import Camel, Mail, Reference, SalaryCents, Text
from sandbox.engine.operation import Operation
from sandbox.engine.refusal import Refusal, invalid
from sandbox.engine.store import JsonObject
from sandbox.engine.system import System
from sandbox.engine.work import Work, Working

router = APIRouter(route_class=Operation)


class NewEmployee(Camel):
    """An employee to take on; the salary is in cents a year."""

    legal_name: Text
    work_email: Mail
    job_title: Text
    department: Text
    annual_salary_cents: SalaryCents
    starts_on: date
    currency: Literal["EUR", "GBP"] = "EUR"
    site: Text | None = None
    external_ref: Reference | None = None


class Salary(Camel):
    """A new annual salary, in cents."""

    annual_salary_cents: SalaryCents
    effective_on: date


class Termination(Camel):
    """The end of an employment."""

    last_day: date
    reason: Text | None = None


@router.post("/employees", status_code=201)
async def create_employee(employee: NewEmployee, work: Working) -> JsonObject:
    """Take an employee onto the payroll."""
    if not work.find("department", name=employee.department):
        known = ", ".join(row["name"] for row in work.find("department"))
        raise invalid(department=f"Unknown department; known are {known}")
    number = work.new_id("E-", 5)
    more = {"status": "active", "lastDay": None, "createdAt": work.now}
    return _keep(work, {"employeeNo": number, **employee.fields(), **more})


@router.get("/employees")
async def find_employees(
    work: Working,
    external_ref: Annotated[str | None, Query(alias="externalRef")] = None,
    work_email: Annotated[str | None, Query(alias="workEmail")] = None,
) -> JsonObject:
    """Find employees by exact reference or mail."""
    found = work.find("employee", externalRef=external_ref, workEmail=work_email)
    return {"count": len(found), "items": found}


@router.get("/employees/{number}")
async def get_employee(number: str, work: Working) -> JsonObject:
    """Read one employee."""
    return work.get("employee", number)


@router.put("/employees/{number}/salary")
async def set_salary(number: str, salary: Salary, work: Working) -> JsonObject:
    """Set the annual salary; answers with the previous one as well."""
    employee = work.get("employee", number)
    if employee["status"] == "terminated":
        raise Refusal(409, "terminated", f"Employee {number} is terminated; reinstate first.")
    before = employee["annualSalaryCents"]
    if before != salary.annual_salary_cents:
        employee = _keep(work, {**employee, "annualSalaryCents": salary.annual_salary_cents})
    return {**employee, "previousAnnualSalaryCents": before}


@router.post("/employees/{number}/terminate")
async def terminate_employee(number: str, termination: Termination, work: Working) -> JsonObject:
    """End the employment on its last day."""
    employee = work.get("employee", number)
    if employee["status"] == "terminated":
        return employee
    return _keep(work, {**employee, "status": "terminated", "lastDay": termination.last_day.isoformat()})


@router.post("/employees/{number}/reinstate")
async def reinstate_employee(number: str, work: Working) -> JsonObject:
    """Take a termination back."""
    employee = work.get("employee", number)
    if employee["status"] == "active":
        return employee
    return _keep(work, {**employee, "status": "active", "lastDay": None})


@router.get("/job-titles")
async def list_job_titles(work: Working) -> JsonObject:
    """List the usual job titles with their default salaries."""
    titles = work.find("job title")
    return {"count": len(titles), "items": titles}


def _keep(work: Work, employee: JsonObject) -> JsonObject:
    subject, reference = employee["workEmail"], employee["externalRef"]
    return work.keep("employee", employee["employeeNo"], employee, subject=subject, reference=reference)


def _shape(refusal: Refusal) -> JsonObject:
    fields = [{"field": field, "issue": problem} for field, problem in refusal.fields]
    return {"error": {"code": refusal.code, "message": refusal.message, "fields": fields, **refusal.extra}}


PAYROLL = System(
    name="payroll",
    about="employees and salaries",
    auth="api_key",
    creating="keyed, 24 h",
    invalid_status=422,
    shape=_shape,
    router=router,
    key_lifetime_seconds=86_400,
)
