"""Training: courses and who takes them. Reconcilable: no key is honoured, and enrolling twice makes two enrolments.

Found again by learner and course, without lag; our key stands in ``reference``.
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import partial

from pydantic import Field

from governance.effects import EffectClass, UndoCall
from tools.contract import Basic, Call, Existing, Found, Tool, ToolModel
from tools.paths import path
from tools.practice import practice_system
from tools.records import Record, judged, the_only
from tools.semantic import CourseId, Email, EnrolmentId
from tools.simulated_ids import simulated_id


class NewEnrolment(ToolModel):
    """Who takes which course, and by when."""

    email: Email = Field(description="the learner's work e-mail")
    course: CourseId = Field(description="the course's short name, such as security-awareness")
    due_on: date | None = Field(default=None, description="the day by which it must be finished")


class EnrolmentRef(ToolModel):
    """An enrolment by its id."""

    enrolment_id: EnrolmentId


class EnrolmentQuery(ToolModel):
    """Whose enrolment in what."""

    email: Email
    course: CourseId


class Enrolment(ToolModel):
    """A learner in a course."""

    enrolment_id: EnrolmentId
    email: Email
    course: CourseId
    due_on: date | None = None
    status: str = Field(description="enrolled, completed or withdrawn")


class CourseQuery(ToolModel):
    """Nothing is asked: all courses."""


class Course(ToolModel):
    """A course and how long it takes."""

    course: CourseId
    title: str
    mandatory: bool
    minutes: int


class Courses(ToolModel):
    """All courses."""

    courses: tuple[Course, ...]


def _enrolment(record: Record) -> Enrolment:
    return Enrolment(
        enrolment_id=record["enrolment_id"],
        email=record["learner"],
        course=record["course"],
        due_on=record["due_on"],
        status=record["status"],
    )


def _is_live(record: Record) -> bool:
    return bool(record["status"] != "withdrawn")


async def _search(call: Call, email: str, course: str) -> list[Record]:
    answer = await call.http.request("GET", "/enrolments", params={"learner": email, "course": course})
    found: list[Record] = answer.body["enrolments"]
    return found


async def list_courses(call: Call, _: CourseQuery) -> Courses:
    """List the courses."""
    courses = (await call.http.request("GET", "/courses")).body["courses"]
    known = Course.model_fields
    return Courses(courses=tuple(Course.model_validate({name: course[name] for name in known}) for course in courses))


async def enrol(call: Call, wanted: NewEnrolment) -> Enrolment:
    """Enrol the learner."""
    body = {
        "learner": wanted.email,
        "course": wanted.course,
        "due_on": wanted.due_on.isoformat() if wanted.due_on else None,
        "reference": call.key,
    }
    return _enrolment((await call.http.request("POST", "/enrolments", json=body)).body)


async def look_for_enrolment(call: Call, wanted: NewEnrolment) -> Found:
    """Ours by ``reference``; someone else's enrolled the same learner in the same course."""
    found = await _search(call, wanted.email, wanted.course)
    name, read = "enrolment_id", _enrolment
    return judged(found, key=call.key, reference="reference", name=name, read=read, live=_is_live)


async def find_enrolment(call: Call, wanted: EnrolmentQuery) -> Enrolment:
    """Find the learner's enrolment in the course that is not withdrawn."""
    live = [record for record in await _search(call, wanted.email, wanted.course) if _is_live(record)]
    return _enrolment(the_only(live, what=f"enrolment of {wanted.email} in {wanted.course}", name="enrolment_id"))


async def withdraw(call: Call, wanted: EnrolmentRef) -> Enrolment | Existing:
    """Take the learner out of the course; who is out of it already is Existing."""
    there = _enrolment((await call.http.request("GET", path("enrolments", wanted.enrolment_id))).body)
    if there.status == "withdrawn":
        return Existing(there)
    return _enrolment((await call.http.request("POST", path("enrolments", wanted.enrolment_id, "withdraw"))).body)


def _pretend(email: str, course: str, enrolment_id: str = "", *, status: str = "enrolled") -> Enrolment:
    number = enrolment_id or simulated_id("enr-", 4, email, course)
    return Enrolment(enrolment_id=number, email=email, course=course, status=status)


def _pretend_new(wanted: NewEnrolment, _: str) -> Enrolment:
    return _pretend(wanted.email, wanted.course).model_copy(update={"due_on": wanted.due_on})


def _pretend_withdrawn(wanted: EnrolmentRef, _: str) -> Enrolment:
    return _pretend("simulated@acme.example", "security-awareness", wanted.enrolment_id, status="withdrawn")


SYSTEM = practice_system("training", "Training", Basic(), offset=6)
_reads = partial(Tool, system="training", effect=EffectClass.READ, permission="training:read")
_changes = partial(
    Tool,
    system="training",
    output=Enrolment,
    settle=timedelta(seconds=2),
    permission="training:write",
    data_classes=frozenset({"personal"}),
)
TOOLS = (
    _reads(
        name="training.list_courses",
        summary="List the courses that people can take.",
        input=CourseQuery,
        output=Courses,
        run=list_courses,
        simulate=lambda _wanted, _key: Courses(courses=()),
    ),
    _changes(
        name="training.enrol",
        summary="Enrol a person in a course.",
        input=NewEnrolment,
        effect=EffectClass.RECONCILABLE,
        run=enrol,
        simulate=_pretend_new,
        lookup=look_for_enrolment,
        undo=UndoCall(tool="training.withdraw@1", args={"enrolment_id": {"$ref": "output.enrolment_id"}}),
        provides="training.enrolment",
    ),
    _reads(
        name="training.find_enrolment",
        summary="Find a person's enrolment in a course.",
        input=EnrolmentQuery,
        output=Enrolment,
        run=find_enrolment,
        simulate=lambda wanted, _: _pretend(wanted.email, wanted.course),
        data_classes=frozenset({"personal"}),
    ),
    _changes(
        name="training.withdraw",
        summary="Take a person out of a course.",
        input=EnrolmentRef,
        effect=EffectClass.NATURAL_KEY,
        run=withdraw,
        simulate=_pretend_withdrawn,
        undo=UndoCall(
            tool="training.enrol@1",
            args={name: {"$ref": f"output.{name}"} for name in ("email", "course", "due_on")},
        ),
        provides="training.enrolment_ended",
    ),
)
