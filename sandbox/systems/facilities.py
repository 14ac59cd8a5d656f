"""Facilities: sites and desks. No keys; its search is an index that runs some seconds behind."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query

from sandbox.engine.fields import AccountId, Reference, Snake, Text
from sandbox.engine.operation import Operation
from sandbox.engine.refusal import Refusal, invalid
from sandbox.engine.store import JsonObject
from sandbox.engine.system import System
from sandbox.engine.work import Work, Working

router = APIRouter(route_class=Operation)


class NewAssignment(Snake):
    """A desk for an account: a named one, or any of a site."""

    occupant: AccountId
    from_date: date
    desk_code: Text | None = None
    site: Text | None = None
    external_ref: Reference | None = None


@router.get("/sites")
async def list_sites(work: Working) -> JsonObject:
    """List the sites with their desks."""
    sites = []
    for site in work.find("site"):
        desks = _desks(work, site["site"])
        sites.append({**site, "desks_total": len(desks), "desks_free": sum(desk["free"] for desk in desks)})
    return {"sites": sites}


@router.get("/desks")
async def list_desks(
    work: Working,
    site: str | None = None,
    free: bool | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> JsonObject:
    """List desks, of one site or all, free or taken or both."""
    if site is not None:
        _check_site(work, site)
    desks = [desk for desk in _desks(work, site) if free is None or desk["free"] == free]
    return {"desks": desks[:limit]}


@router.post("/assignments", status_code=201)
async def assign_desk(wish: NewAssignment, work: Working) -> JsonObject:
    """Give a desk to an account: the named one, or the first free one of a site."""
    desk = _wanted_desk(work, wish)
    work.change("desk", desk["desk_code"], {**desk, "free": False})
    identifier = work.new_id("asg-")
    assignment = {
        "assignment_id": identifier,
        "desk_code": desk["desk_code"],
        "site": desk["site"],
        "occupant": wish.occupant,
        "from_date": wish.from_date.isoformat(),
        "external_ref": wish.external_ref,
        "state": "active",
        "created_at": work.now,
        "released_at": None,
    }
    return _keep(work, assignment)


@router.get("/assignments")
async def find_assignments(work: Working, external_ref: str | None = None, occupant: str | None = None) -> JsonObject:
    """Find assignments as the index has them: what was true some seconds ago."""
    found = work.find("assignment", external_ref=external_ref, occupant=occupant)
    indexed = [_as_indexed(row, work.indexed_until) for row in found if row["created_at"] <= work.indexed_until]
    return {"assignments": indexed, "as_of": work.indexed_until}


@router.get("/assignments/{identifier}")
async def get_assignment(identifier: str, work: Working) -> JsonObject:
    """Read one assignment, as it is now."""
    return work.get("assignment", identifier)


@router.delete("/assignments/{identifier}")
async def release_desk(identifier: str, work: Working) -> JsonObject:
    """Give the desk back."""
    assignment = work.get("assignment", identifier)
    if assignment["state"] == "released":
        return assignment
    desk = work.get("desk", assignment["desk_code"])
    work.change("desk", desk["desk_code"], {**desk, "free": True})
    return _keep(work, {**assignment, "state": "released", "released_at": work.now})


def _desks(work: Work, site: str | None) -> list[JsonObject]:
    return work.find("desk", site=site)


def _check_site(work: Work, site: str) -> None:
    if not work.find("site", site=site):
        known = ", ".join(row["site"] for row in work.find("site"))
        raise invalid(site=f"Unknown site; known are {known}")


def _wanted_desk(work: Work, wish: NewAssignment) -> JsonObject:
    if (wish.desk_code is None) == (wish.site is None):
        raise invalid(desk_code="Give a desk_code or a site, and not both", site="Give a desk_code or a site")
    if wish.desk_code is not None:
        desk = next(iter(work.find("desk", desk_code=wish.desk_code)), None)
        if desk is None:
            raise invalid(desk_code="There is no such desk")
        if not desk["free"]:
            raise Refusal(409, "desk_taken", f"Desk {wish.desk_code} is taken; choose another.")
        return desk
    _check_site(work, wish.site or "")
    for desk in _desks(work, wish.site):
        if desk["free"]:
            return desk
    raise Refusal(409, "site_full", f"No desk is free in {wish.site}.")


def _as_indexed(assignment: JsonObject, indexed_until: str) -> JsonObject:
    if assignment["released_at"] is not None and assignment["released_at"] > indexed_until:
        return {**assignment, "state": "active", "released_at": None}
    return assignment


def _keep(work: Work, assignment: JsonObject) -> JsonObject:
    subject, reference = assignment["occupant"], assignment["external_ref"]
    return work.keep("assignment", assignment["assignment_id"], assignment, subject=subject, reference=reference)


def _shape(refusal: Refusal) -> JsonObject:
    details = [{"field": field, "problem": problem} for field, problem in refusal.fields]
    return {"error_code": refusal.code, "error_text": refusal.message, "details": details, **refusal.extra}


FACILITIES = System(
    name="facilities",
    about="sites and desks",
    auth="basic",
    creating="lookup, 2 s behind",
    invalid_status=400,
    shape=_shape,
    router=router,
)
