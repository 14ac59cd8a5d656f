"""Benefits: plans and who is in them. Natural key: employee and plan."""

from datetime import date

from fastapi import APIRouter

from sandbox.engine.fields import Camel, EmployeeId, Reference, Text
from sandbox.engine.operation import Operation
from sandbox.engine.refusal import Refusal, invalid
from sandbox.engine.store import JsonObject
from sandbox.engine.system import System
from sandbox.engine.work import Work, Working

router = APIRouter(route_class=Operation)


class NewEnrolment(Camel):
    """An employee who joins a plan."""

    employee: EmployeeId
    plan: Text
    starts_on: date
    reference: Reference | None = None


@router.get("/plans")
async def list_plans(work: Working) -> JsonObject:
    """List the benefit plans."""
    return {"plans": work.find("plan")}


@router.post("/enrolments", status_code=201)
async def enrol(enrolment: NewEnrolment, work: Working) -> JsonObject:
    """Enrol an employee in a plan."""
    if not work.find("plan", plan=enrolment.plan):
        known = ", ".join(row["plan"] for row in work.find("plan"))
        raise invalid(plan=f"Unknown plan; known are {known}")
    for other in work.find("enrolment", employee=enrolment.employee, plan=enrolment.plan, state="active"):
        message = f"{enrolment.employee} is in {enrolment.plan} already."
        extra = {"enrolmentId": other["enrolmentId"], "enrolment": other}
        raise Refusal(409, "already_enrolled", message, extra=extra)
    more = {"state": "active", "createdAt": work.now, "cancelledAt": None}
    return _keep(work, {"enrolmentId": work.new_id("ben-"), **enrolment.fields(), **more})


@router.get("/enrolments")
async def find_enrolments(work: Working, employee: str, plan: str | None = None) -> JsonObject:
    """Find an employee's enrolments, cancelled ones too."""
    return {"enrolments": work.find("enrolment", employee=employee, plan=plan)}


@router.get("/enrolments/{identifier}")
async def get_enrolment(identifier: str, work: Working) -> JsonObject:
    """Read one enrolment."""
    return work.get("enrolment", identifier)


@router.delete("/enrolments/{identifier}")
async def cancel_enrolment(identifier: str, work: Working) -> JsonObject:
    """Take the employee out of the plan; the record stays."""
    enrolment = work.get("enrolment", identifier)
    if enrolment["state"] == "cancelled":
        return enrolment
    return _keep(work, {**enrolment, "state": "cancelled", "cancelledAt": work.now})


def _keep(work: Work, enrolment: JsonObject) -> JsonObject:
    subject = f"{enrolment['employee']}/{enrolment['plan']}"
    identifier, reference = enrolment["enrolmentId"], enrolment["reference"]
    return work.keep("enrolment", identifier, enrolment, subject=subject, reference=reference)


def _shape(refusal: Refusal) -> JsonObject:
    violations = [{"attribute": field, "text": problem} for field, problem in refusal.fields]
    fault = {"reason": refusal.code, "text": refusal.message, "violations": violations, **refusal.extra}
    return {"fault": fault}


BENEFITS = System(
    name="benefits",
    about="health and pension plans",
    auth="api_key",
    creating="natural key: employee, plan",
    invalid_status=422,
    shape=_shape,
    router=router,
)
