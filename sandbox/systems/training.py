"""Training: courses and who takes them. No keys, and the same call twice enrols twice; its search never lags."""

from datetime import date

from fastapi import APIRouter

from sandbox.engine.fields import Mail, Reference, Snake, Text
from sandbox.engine.operation import Operation
from sandbox.engine.refusal import Refusal, invalid
from sandbox.engine.store import JsonObject
from sandbox.engine.system import System
from sandbox.engine.work import Work, Working

router = APIRouter(route_class=Operation)


class NewEnrolment(Snake):
    """A learner who takes a course."""

    learner: Mail
    course: Text
    due_on: date | None = None
    reference: Reference | None = None


@router.get("/courses")
async def list_courses(work: Working) -> JsonObject:
    """List the courses."""
    return {"courses": work.find("course")}


@router.post("/enrolments", status_code=201)
async def enrol(enrolment: NewEnrolment, work: Working) -> JsonObject:
    """Enrol a learner in a course."""
    if not work.find("course", course=enrolment.course):
        known = ", ".join(row["course"] for row in work.find("course"))
        raise invalid(course=f"Unknown course; known are {known}")
    more = {"status": "enrolled", "enrolled_at": work.now}
    return _keep(work, {"enrolment_id": work.new_id("enr-"), **enrolment.fields(), **more})


@router.get("/enrolments")
async def find_enrolments(
    work: Working, learner: str, course: str | None = None, reference: str | None = None
) -> JsonObject:
    """Find a learner's enrolments, withdrawn ones too."""
    return {"enrolments": work.find("enrolment", learner=learner, course=course, reference=reference)}


@router.get("/enrolments/{identifier}")
async def get_enrolment(identifier: str, work: Working) -> JsonObject:
    """Read one enrolment."""
    return work.get("enrolment", identifier)


@router.post("/enrolments/{identifier}/withdraw")
async def withdraw(identifier: str, work: Working) -> JsonObject:
    """Take the learner out of the course."""
    enrolment = work.get("enrolment", identifier)
    if enrolment["status"] == "withdrawn":
        return enrolment
    return _keep(work, {**enrolment, "status": "withdrawn"})


def _keep(work: Work, enrolment: JsonObject) -> JsonObject:
    subject = f"{enrolment['learner']}/{enrolment['course']}"
    identifier, reference = enrolment["enrolment_id"], enrolment["reference"]
    return work.keep("enrolment", identifier, enrolment, subject=subject, reference=reference)


def _shape(refusal: Refusal) -> JsonObject:
    fields = refusal.fields or ((None, refusal.message),)
    errors = [{"code": refusal.code, "field": field, "message": problem} for field, problem in fields]
    return {"errors": errors, **refusal.extra}


TRAINING = System(
    name="training",
    about="courses and enrolments",
    auth="basic",
    creating="lookup, no lag",
    invalid_status=422,
    shape=_shape,
    router=router,
)
