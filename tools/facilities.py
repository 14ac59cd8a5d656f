"""Facilities: desks. Reconcilable: no key is honoured, our key stands in ``external_ref``, the search is 2 s behind."""

from __future__ import annotations

import hashlib
from datetime import date, timedelta
from functools import partial

from pydantic import Field

from governance.effects import EffectClass, UndoCall
from governance.errors import Permanent
from tools.contract import Basic, Call, Existing, Found, Tool, ToolModel
from tools.paths import path
from tools.practice import practice_system
from tools.records import Record, judged, the_only
from tools.semantic import AccountId, AssignmentId, DeskCode, Site
from tools.simulated_ids import SIMULATED_DAY, simulated_id

_LAG = timedelta(seconds=2)


class DeskQuery(ToolModel):
    """Where a desk is wanted."""

    site: Site


class Desk(ToolModel):
    """A free desk."""

    desk_code: DeskCode
    site: Site
    floor: int


class NewAssignment(ToolModel):
    """Whose desk it is to be, from when."""

    desk_code: DeskCode
    account_id: AccountId
    start_date: date = Field(description="the first day at the desk")
    site: Site | None = Field(default=None, description="any free desk of this site will do when that one is taken")


class AssignmentRef(ToolModel):
    """An assignment by its id."""

    assignment_id: AssignmentId


class AssignmentQuery(ToolModel):
    """Whose desk."""

    account_id: AccountId


class Assignment(ToolModel):
    """A desk and who has it."""

    assignment_id: AssignmentId
    desk_code: DeskCode
    site: Site
    account_id: AccountId
    start_date: date
    state: str = Field(description="active or released")


class SiteQuery(ToolModel):
    """Nothing is asked: all sites."""


class SiteDesks(ToolModel):
    """A site and its desks."""

    site: Site
    country: str
    desks_total: int
    desks_free: int


class Sites(ToolModel):
    """All sites."""

    sites: tuple[SiteDesks, ...]


def _assignment(record: Record) -> Assignment:
    return Assignment(
        assignment_id=record["assignment_id"],
        desk_code=record["desk_code"],
        site=record["site"],
        account_id=record["occupant"],
        start_date=record["from_date"],
        state=record["state"],
    )


def _is_active(record: Record) -> bool:
    return bool(record["state"] == "active")


async def _search(call: Call, field: str, value: str) -> list[Record]:
    answer = await call.http.request("GET", "/assignments", params={field: value})
    found: list[Record] = answer.body["assignments"]
    return found


async def list_sites(call: Call, _: SiteQuery) -> Sites:
    """List the sites with how many desks are free."""
    sites = (await call.http.request("GET", "/sites")).body["sites"]
    known = SiteDesks.model_fields
    return Sites(sites=tuple(SiteDesks.model_validate({name: site[name] for name in known}) for site in sites))


async def find_free_desk(call: Call, wanted: DeskQuery) -> Desk:
    """Choose a free desk of the site: by the call's key, so that runs at the same time rarely choose the same one."""
    params = {"site": wanted.site, "free": "true", "limit": "200"}
    desks = (await call.http.request("GET", "/desks", params=params)).body["desks"]
    if not desks:
        raise Permanent(f"No desk is free in {wanted.site}.", code="site_full", hint="Choose another site.")
    chosen = desks[int(hashlib.sha256(call.key.encode()).hexdigest(), 16) % len(desks)]
    return Desk(desk_code=chosen["desk_code"], site=chosen["site"], floor=chosen["floor"])


async def assign_desk(call: Call, wanted: NewAssignment) -> Assignment:
    """Give the desk to the account, or another one of the site if somebody was faster and a site is given."""
    whose = {"occupant": wanted.account_id, "from_date": wanted.start_date.isoformat(), "external_ref": call.key}
    this_desk = {"desk_code": wanted.desk_code, **whose}
    if wanted.site is None:
        return _assignment((await call.http.request("POST", "/assignments", json=this_desk)).body)
    answer = await call.http.request("POST", "/assignments", json=this_desk, expect=(409,))
    if answer.status == 409:
        answer = await call.http.request("POST", "/assignments", json={"site": wanted.site, **whose})
    return _assignment(answer.body)


async def look_for_assignment(call: Call, wanted: NewAssignment) -> Found:
    """Ours by ``external_ref``; someone else's gave the same desk to the same account."""
    found = await _search(call, "external_ref", call.key) or await _search(call, "occupant", wanted.account_id)
    return judged(
        found,
        key=call.key,
        reference="external_ref",
        name="assignment_id",
        read=_assignment,
        live=lambda record: _is_active(record) and bool(record["desk_code"] == wanted.desk_code),
    )


async def find_assignment(call: Call, wanted: AssignmentQuery) -> Assignment:
    """Find the account's desk, as it was two seconds ago."""
    active = [record for record in await _search(call, "occupant", wanted.account_id) if _is_active(record)]
    return _assignment(the_only(active, what=f"desk assigned to {wanted.account_id}", name="assignment_id"))


async def release_desk(call: Call, wanted: AssignmentRef) -> Assignment | Existing:
    """Give the desk back; one that is given back already is Existing."""
    target = path("assignments", wanted.assignment_id)
    there = _assignment((await call.http.request("GET", target)).body)
    if there.state == "released":
        return Existing(there)
    return _assignment((await call.http.request("DELETE", target)).body)


def _pretend_assigned(wanted: NewAssignment, _: str) -> Assignment:
    number = simulated_id("asg-", 4, wanted.account_id)
    return Assignment(assignment_id=number, state="active", **wanted.model_dump() | {"site": wanted.site or "Berlin"})


def _pretend(account_id: str, assignment_id: str = "", *, state: str = "active") -> Assignment:
    return Assignment(
        assignment_id=assignment_id or simulated_id("asg-", 4, account_id),
        desk_code="BER-2-014",
        site="Berlin",
        account_id=account_id,
        start_date=SIMULATED_DAY,
        state=state,
    )


SYSTEM = practice_system("facilities", "Facilities", Basic(), offset=4)
_reads = partial(Tool, system="facilities", effect=EffectClass.READ, permission="facilities:read", lag=_LAG)
_changes = partial(
    Tool,
    system="facilities",
    output=Assignment,
    settle=timedelta(seconds=2),
    permission="facilities:write",
    data_classes=frozenset({"personal"}),
)
TOOLS = (
    _reads(
        name="facilities.list_sites",
        summary="List the sites with how many desks are free.",
        input=SiteQuery,
        output=Sites,
        run=list_sites,
        simulate=lambda _wanted, _key: Sites(sites=()),
    ),
    _reads(
        name="facilities.find_free_desk",
        summary="Find a free desk at a site.",
        input=DeskQuery,
        output=Desk,
        run=find_free_desk,
        simulate=lambda wanted, _: Desk(desk_code="BER-2-014", site=wanted.site, floor=2),
    ),
    _changes(
        name="facilities.assign_desk",
        summary="Give a desk to a person.",
        input=NewAssignment,
        effect=EffectClass.RECONCILABLE,
        lag=_LAG,
        run=assign_desk,
        simulate=_pretend_assigned,
        lookup=look_for_assignment,
        undo=UndoCall(tool="facilities.release_desk@1", args={"assignment_id": {"$ref": "output.assignment_id"}}),
        provides="facilities.desk",
    ),
    _reads(
        name="facilities.find_assignment",
        summary="Find which desk a person has.",
        input=AssignmentQuery,
        output=Assignment,
        run=find_assignment,
        simulate=lambda wanted, _: _pretend(wanted.account_id),
        data_classes=frozenset({"personal"}),
    ),
    _changes(
        name="facilities.release_desk",
        summary="Give a person's desk back.",
        input=AssignmentRef,
        effect=EffectClass.NATURAL_KEY,
        run=release_desk,
        simulate=lambda wanted, _: _pretend("acc-000000", wanted.assignment_id, state="released"),
        undo=UndoCall(
            tool="facilities.assign_desk@1",
            args={
                "desk_code": {"$ref": "output.desk_code"},
                "account_id": {"$ref": "output.account_id"},
                "start_date": {"$ref": "output.start_date"},
            },
        ),
        provides="facilities.desk_released",
    ),
)
