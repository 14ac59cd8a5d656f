"""Security: badges. Honours Idempotency-Key for 60 seconds only; its search never lags."""

from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import Field

from sandbox.engine.fields import AccountId, Camel, Mail, Reference, Text
from sandbox.engine.operation import Operation
from sandbox.engine.refusal import Refusal, invalid
from sandbox.engine.store import JsonObject
from sandbox.engine.system import System
from sandbox.engine.work import Work, Working

router = APIRouter(route_class=Operation)

AccessLevel = Literal["staff", "lab", "datacentre"]


class NewBadge(Camel):
    """A badge to issue."""

    holder_id: Annotated[AccountId, Field(alias="holder_id")]
    holder_name: Text
    site: Text
    access_level: AccessLevel
    valid_from: date
    reference: Reference | None = None
    approved_by: Mail | None = None


class Access(Camel):
    """A new access level."""

    access_level: AccessLevel
    approved_by: Mail | None = None


class Revocation(Camel):
    """Why a badge is revoked."""

    reason: Text


@router.post("/badges", status_code=201)
async def issue_badge(badge: NewBadge, work: Working) -> JsonObject:
    """Issue a badge to an account."""
    if not work.find("site", site=badge.site):
        raise invalid(site="Unknown site")
    _check_approval(work, badge.access_level, badge.approved_by)
    more = {"state": "active", "issuedAt": work.now, "revokedAt": None}
    return _keep(work, {"badgeNo": work.new_id("bdg-"), **badge.fields(), **more})


@router.get("/badges")
async def find_badges(work: Working, reference: str | None = None, holder_id: str | None = None) -> JsonObject:
    """Find badges by exact reference or holder."""
    return {"badges": work.find("badge", reference=reference, holder_id=holder_id)}


@router.get("/badges/{number}")
async def get_badge(number: str, work: Working) -> JsonObject:
    """Read one badge."""
    return work.get("badge", number)


@router.put("/badges/{number}/access")
async def grant_access(number: str, access: Access, work: Working) -> JsonObject:
    """Set the access level; answers with the previous one as well."""
    badge = work.get("badge", number)
    if badge["state"] == "revoked":
        raise Refusal(409, "revoked", f"Badge {number} is revoked; issue a new one.")
    _check_approval(work, access.access_level, access.approved_by)
    before = badge["accessLevel"]
    if before != access.access_level:
        badge = _keep(work, {**badge, **access.fields()})
    return {**badge, "previousAccessLevel": before}


@router.post("/badges/{number}/revoke")
async def revoke_badge(number: str, revocation: Revocation, work: Working) -> JsonObject:
    """Make the badge worthless, for good."""
    badge = work.get("badge", number)
    if badge["state"] == "revoked":
        return badge
    return _keep(work, {**badge, "state": "revoked", "revokedAt": work.now, "revokedFor": revocation.reason})


@router.get("/access-levels")
async def list_access_levels(work: Working) -> JsonObject:
    """List the access levels, and which of them need an approval."""
    return {"accessLevels": work.find("access level")}


def _check_approval(work: Work, level: str, approved_by: str | None) -> None:
    if work.get("access level", level)["needsApproval"] and approved_by is None:
        raise Refusal(403, "approval_required", f"Access level {level} needs `approvedBy`.")


def _keep(work: Work, badge: JsonObject) -> JsonObject:
    return work.keep("badge", badge["badgeNo"], badge, subject=badge["holder_id"], reference=badge["reference"])


def _shape(refusal: Refusal) -> JsonObject:
    return {
        "errorCode": refusal.code,
        "errorMessage": refusal.message,
        "fieldErrors": dict(refusal.fields),
        **refusal.extra,
    }


SECURITY = System(
    name="security",
    about="badges and access",
    auth="api_key",
    creating="keyed, 60 s, then lookup",
    invalid_status=400,
    shape=_shape,
    router=router,
    key_lifetime_seconds=60,
)
