"""Org chart: who reports to whom. Natural key: the employee id in the PUT; the same again changes nothing."""

from datetime import date

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from sandbox.engine.auth import add_token_route
from sandbox.engine.fields import AccountId, EmployeeId, Mail, Reference, Snake, Text
from sandbox.engine.operation import Operation
from sandbox.engine.refusal import Refusal, invalid, not_found
from sandbox.engine.store import JsonObject
from sandbox.engine.system import System
from sandbox.engine.work import Work, Working

router = APIRouter(route_class=Operation)
add_token_route(router)


class Position(Snake):
    """An employee's place in the chart."""

    display_name: Text
    mail: Mail
    title: Text
    department: Text
    starts_on: date
    account_id: AccountId | None = None
    manager_id: EmployeeId | None = None
    site: Text | None = None
    reference: Reference | None = None


@router.put("/positions/{employee_id}", response_model=None)
async def put_position(employee_id: EmployeeId, position: Position, work: Working) -> Response:
    """Place an employee in the chart, or replace the place."""
    _check(work, employee_id, position)
    old = next(iter(work.find("position", employee_id=employee_id)), None)
    identifier = old["position_id"] if old else work.new_id("pos-")
    new = {"position_id": identifier, "employee_id": employee_id, **position.fields()}
    if new != old:
        work.keep("position", identifier, new, subject=employee_id, reference=position.reference)
    return JSONResponse(new, 200 if old else 201)


@router.get("/positions/{employee_id}")
async def get_position(employee_id: str, work: Working) -> JsonObject:
    """Read the place of one employee."""
    for position in work.find("position", employee_id=employee_id):
        return position
    raise not_found("position of employee", employee_id)


@router.delete("/positions/{employee_id}")
async def delete_position(employee_id: str, work: Working) -> JsonObject:
    """Take an employee out of the chart."""
    position = await get_position(employee_id, work)
    reports = [row["employee_id"] for row in work.find("position", manager_id=employee_id)]
    if reports:
        message = f"{employee_id} has {len(reports)} direct reports; give them another manager first."
        raise Refusal(409, "has_reports", message, extra={"reports": reports})
    work.remove("position", position["position_id"], subject=employee_id, reference=position["reference"])
    return position


@router.get("/people")
async def find_people(mail: str, work: Working) -> JsonObject:
    """Find a person by exact mail."""
    return {"people": work.find("position", mail=mail)}


@router.get("/departments")
async def list_departments(work: Working) -> JsonObject:
    """List the departments with their heads and sizes."""
    listed = [
        {
            "department": row["name"],
            "head_id": row["head_id"],
            "size": len(work.find("position", department=row["name"])),
        }
        for row in work.find("department")
    ]
    return {"departments": listed}


@router.get("/departments/{department}/positions")
async def list_department(department: str, work: Working) -> JsonObject:
    """List everybody in one department."""
    row = work.get("department", department)
    positions = work.find("position", department=department)
    return {"department": department, "head_id": row["head_id"], "positions": positions}


def _check(work: Work, employee_id: str, position: Position) -> None:
    problems: dict[str, str] = {}
    if not work.find("department", name=position.department):
        known = ", ".join(row["name"] for row in work.find("department"))
        problems["department"] = f"Unknown department; known are {known}"
    if position.site and not work.find("site", site=position.site):
        problems["site"] = "Unknown site"
    if position.manager_id and not work.find("position", employee_id=position.manager_id):
        problems["manager_id"] = "This manager has no position in the chart"
    if position.manager_id == employee_id:
        problems["manager_id"] = "Nobody reports to themselves"
    if problems:
        raise invalid(**problems)
    for other in work.find("position", mail=position.mail):
        if other["employee_id"] != employee_id:
            extra = {"employee_id": other["employee_id"]}
            raise Refusal(409, "mail_taken", f"{position.mail} belongs to {other['employee_id']}.", extra=extra)


def _shape(refusal: Refusal) -> JsonObject:
    return {
        "type": f"https://orgchart.acme.example/problems/{refusal.code}",
        "title": refusal.code,
        "status": refusal.status,
        "detail": refusal.message,
        "invalid_params": [{"name": field, "reason": problem} for field, problem in refusal.fields],
        **refusal.extra,
    }


ORGCHART = System(
    name="orgchart",
    about="positions and reporting lines",
    auth="oauth2",
    creating="natural key: employee id",
    invalid_status=422,
    shape=_shape,
    router=router,
    error_media_type="application/problem+json",
)
