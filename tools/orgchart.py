"""Org chart: who reports to whom. Natural key: the employee; our key stands in ``reference``.

The system's PUT would replace any position without a word, so the tools read before they write.
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import partial
from typing import Any

from pydantic import Field

from governance.effects import EffectClass, LookupAnswer, UndoCall
from governance.errors import Permanent
from tools.contract import Call, Existing, Found, OAuth2, Tool, ToolModel
from tools.paths import path
from tools.practice import practice_system
from tools.records import Record, judged, the_only
from tools.semantic import AccountId, Department, Email, EmployeeId, PersonName, PositionId, Site
from tools.simulated_ids import SIMULATED_DAY, simulated_id


class NewPosition(ToolModel):
    """Who takes which place, under whom."""

    employee_id: EmployeeId
    display_name: PersonName
    email: Email
    job_title: str = Field(min_length=1)
    department: Department
    manager_id: EmployeeId = Field(description="the manager's employee id (orgchart.find_person has it)")
    start_date: date
    account_id: AccountId | None = None
    site: Site | None = None


class Position(ToolModel):
    """A person's place in the chart. ``manager_id`` is None at the top."""

    position_id: PositionId
    employee_id: EmployeeId
    display_name: PersonName
    email: Email
    job_title: str
    department: Department
    manager_id: EmployeeId | None = None
    start_date: date
    account_id: AccountId | None = None
    site: Site | None = None


class PersonQuery(ToolModel):
    """A person by e-mail."""

    email: Email


class PositionRef(ToolModel):
    """A position by its employee."""

    employee_id: EmployeeId


class Removed(ToolModel):
    """The position that was removed; None when there was none to remove."""

    employee_id: EmployeeId
    position: Position | None = None


class Restoration(ToolModel):
    """The position to put back; None when there is none."""

    employee_id: EmployeeId
    position: Position | None


class DepartmentQuery(ToolModel):
    """A department by name."""

    department: Department


class DepartmentList(ToolModel):
    """A department's people. ``head_id`` is None where nobody leads it."""

    department: Department
    head_id: EmployeeId | None = None
    positions: tuple[Position, ...]


_THEIR_NAMES = {"email": "mail", "job_title": "title", "start_date": "starts_on"}


def _position(record: Record) -> Position:
    names = {name: _THEIR_NAMES.get(name, name) for name in Position.model_fields}
    return Position.model_validate({ours: record[theirs] for ours, theirs in names.items()})


def _body(position: NewPosition | Position, key: str) -> dict[str, Any]:
    fields = position.model_dump(mode="json", exclude={"employee_id", "position_id"})
    return {_THEIR_NAMES.get(name, name): value for name, value in fields.items()} | {"reference": key}


async def _read(call: Call, employee_id: str) -> Record | None:
    answer = await call.http.request("GET", path("positions", employee_id), expect=(404,))
    return None if answer.status == 404 else answer.body


async def _put(call: Call, wanted: NewPosition | Position) -> Position | Existing:
    body = _body(wanted, call.key)
    there = await _read(call, wanted.employee_id)
    if there is not None and there["reference"] != call.key:
        differ = sorted(name for name in body if name != "reference" and there[name] != body[name])
        if not differ:
            return Existing(_position(there))
        raise Permanent(
            f"{wanted.employee_id} has another position already ({there['position_id']}; other: {', '.join(differ)}).",
            code="position_taken",
            hint="Remove that position first (orgchart.remove_position), or keep it.",
        )
    answer = await call.http.request("PUT", path("positions", wanted.employee_id), json=body)
    return _position(answer.body)


async def place_person(call: Call, wanted: NewPosition) -> Position | Existing:
    """Place the person. The same position from elsewhere is Existing; a different one is never overwritten."""
    return await _put(call, wanted)


async def look_for_position(call: Call, wanted: NewPosition) -> Found:
    """Ours by ``reference``; someone else's by employee."""
    there = await _read(call, wanted.employee_id)
    found = [] if there is None else [there]
    read, name = _position, "position_id"
    return judged(found, key=call.key, reference="reference", name=name, read=read, live=lambda _: True)


async def find_person(call: Call, wanted: PersonQuery) -> Position:
    """Find a person's place by e-mail."""
    people = (await call.http.request("GET", "/people", params={"mail": wanted.email})).body["people"]
    return _position(the_only(people, what=f"person with the e-mail {wanted.email} in the chart", name="employee_id"))


async def remove_position(call: Call, wanted: PositionRef) -> Removed | Existing:
    """Take the person out of the chart; who is not in it is Existing."""
    target = path("positions", wanted.employee_id)
    answer = await call.http.request("DELETE", target, expect=(404,))
    if answer.status == 404:
        return Existing(Removed(employee_id=wanted.employee_id))
    return Removed(employee_id=wanted.employee_id, position=_position(answer.body))


async def restore_position(call: Call, wanted: Restoration) -> Removed | Existing:
    """Put a removed position back, if there was one."""
    if wanted.position is None:
        return Existing(Removed(employee_id=wanted.employee_id))
    put = await _put(call, wanted.position)
    if isinstance(put, Existing):
        return Existing(Removed(employee_id=wanted.employee_id, position=wanted.position))
    return Removed(employee_id=wanted.employee_id, position=put)


async def look_for_restored(call: Call, wanted: Restoration) -> Found:
    """As for a new position; nothing to restore is nothing found."""
    there = await _read(call, wanted.employee_id)
    if there is None:
        return Found(LookupAnswer.NONE, evidence=f"{wanted.employee_id} is not in the chart")

    def read(record: Record) -> Removed:
        return Removed(employee_id=wanted.employee_id, position=_position(record))

    return judged([there], key=call.key, reference="reference", name="position_id", read=read, live=lambda _: True)


async def list_department(call: Call, wanted: DepartmentQuery) -> DepartmentList:
    """List everybody in a department."""
    body = (await call.http.request("GET", path("departments", wanted.department, "positions"))).body
    positions = tuple(_position(record) for record in body["positions"])
    return DepartmentList(department=body["department"], head_id=body["head_id"], positions=positions)


def _pretend_new(wanted: NewPosition, _: str) -> Position:
    return Position(position_id=simulated_id("pos-", 4, wanted.employee_id), **wanted.model_dump())


def _pretend(wanted: PersonQuery, _: str = "") -> Position:
    return Position(
        position_id=simulated_id("pos-", 4, wanted.email),
        employee_id=simulated_id("E-", 5, wanted.email),
        display_name="Simulated Person",
        email=wanted.email,
        job_title="Engineering Manager",
        department="R&D",
        start_date=SIMULATED_DAY,
        account_id=simulated_id("acc-", 6, wanted.email),
    )


SYSTEM = practice_system("orgchart", "Org chart", OAuth2(), offset=3)
_reads = partial(
    Tool,
    system="orgchart",
    effect=EffectClass.READ,
    permission="orgchart:read",
    data_classes=frozenset({"personal"}),
)
_changes = partial(
    Tool,
    system="orgchart",
    effect=EffectClass.NATURAL_KEY,
    settle=timedelta(seconds=2),
    permission="orgchart:write",
    data_classes=frozenset({"personal"}),
)
_REMOVE = UndoCall(tool="orgchart.remove_position@1", args={"employee_id": {"$ref": "output.employee_id"}})
TOOLS = (
    _changes(
        name="orgchart.place_person",
        summary="Place a person in the org chart under their manager.",
        input=NewPosition,
        output=Position,
        run=place_person,
        simulate=_pretend_new,
        lookup=look_for_position,
        undo=_REMOVE,
        provides="orgchart.position",
    ),
    _changes(
        name="orgchart.remove_position",
        summary="Take a person out of the org chart.",
        input=PositionRef,
        output=Removed,
        run=remove_position,
        simulate=lambda wanted, _: Removed(employee_id=wanted.employee_id),
        undo=UndoCall(
            tool="orgchart.restore_position@1",
            args={"employee_id": {"$ref": "output.employee_id"}, "position": {"$ref": "output.position"}},
        ),
        provides="orgchart.position_removed",
    ),
    _changes(
        name="orgchart.restore_position",
        summary="Put a position that was removed back into the org chart.",
        input=Restoration,
        output=Removed,
        run=restore_position,
        simulate=lambda wanted, _: Removed(employee_id=wanted.employee_id, position=wanted.position),
        lookup=look_for_restored,
        undo=_REMOVE,
    ),
    _reads(
        name="orgchart.find_person",
        summary="Find a person's employee id, department and manager by e-mail.",
        input=PersonQuery,
        output=Position,
        run=find_person,
        simulate=_pretend,
    ),
    _reads(
        name="orgchart.list_department",
        summary="List everybody in a department, with its head.",
        input=DepartmentQuery,
        output=DepartmentList,
        run=list_department,
        simulate=lambda wanted, _: DepartmentList(department=wanted.department, positions=()),
    ),
)
