"""Identity: the user accounts. Natural key: the mail address."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import StringConstraints

from sandbox.engine.auth import add_token_route
from sandbox.engine.fields import Camel, Mail, Reference, Text
from sandbox.engine.operation import Operation
from sandbox.engine.refusal import Refusal
from sandbox.engine.store import JsonObject
from sandbox.engine.system import System
from sandbox.engine.work import Work, Working

router = APIRouter(route_class=Operation)
add_token_route(router)


class NewUser(Camel):
    """A user account to create."""

    user_name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9._-]{2,64}$")]
    display_name: Text
    mail: Mail
    department: Text | None = None
    title: Text | None = None
    external_id: Reference | None = None


@router.post("/users", status_code=201)
async def create_user(user: NewUser, work: Working) -> JsonObject:
    """Create a user in the group `everyone`."""
    fields = user.fields()
    for field in ("mail", "userName"):
        for other in work.find("user", **{field: fields[field]}):
            extra = {"existingId": other["id"], "existingActive": other["active"], "conflictField": field}
            raise Refusal(409, "uniqueness", f"A user with {field} {fields[field]} exists already.", extra=extra)
    account = work.new_id("acc-", 6)
    record = {"id": account, **fields, "active": True, "groups": ["everyone"], "createdAt": work.now}
    return work.keep("user", account, record, subject=user.mail, reference=user.external_id)


@router.get("/users")
async def find_users(
    work: Working,
    mail: str | None = None,
    external_id: Annotated[str | None, Query(alias="externalId")] = None,
    user_name: Annotated[str | None, Query(alias="userName")] = None,
) -> JsonObject:
    """Find users by exact mail, external id or user name."""
    found = work.find("user", mail=mail, externalId=external_id, userName=user_name)
    return {"totalResults": len(found), "resources": found}


@router.get("/users/{user_id}")
async def get_user(user_id: str, work: Working) -> JsonObject:
    """Read one user."""
    return work.get("user", user_id)


@router.post("/users/{user_id}/deactivate")
async def deactivate_user(user_id: str, work: Working) -> JsonObject:
    """Lock the account; the record stays."""
    return _set_active(work, user_id, active=False)


@router.post("/users/{user_id}/reactivate")
async def reactivate_user(user_id: str, work: Working) -> JsonObject:
    """Open a locked account again."""
    return _set_active(work, user_id, active=True)


@router.get("/groups")
async def list_groups(work: Working) -> JsonObject:
    """List the groups with their sizes."""
    users = work.find("user")
    groups = [
        {
            "name": group["name"],
            "displayName": group["displayName"],
            "memberCount": sum(group["name"] in user["groups"] for user in users),
        }
        for group in work.find("group")
    ]
    return {"totalResults": len(groups), "resources": groups}


@router.put("/groups/{group}/members/{user_id}")
async def add_member(group: str, user_id: str, work: Working) -> JsonObject:
    """Put a user into a group."""
    return _set_member(work, group, user_id, member=True)


@router.delete("/groups/{group}/members/{user_id}")
async def remove_member(group: str, user_id: str, work: Working) -> JsonObject:
    """Take a user out of a group."""
    return _set_member(work, group, user_id, member=False)


def _set_active(work: Work, user_id: str, *, active: bool) -> JsonObject:
    user = work.get("user", user_id)
    if user["active"] == active:
        return user
    changed = {**user, "active": active}
    return work.keep("user", user_id, changed, subject=user["mail"], reference=user["externalId"])


def _set_member(work: Work, group: str, user_id: str, *, member: bool) -> JsonObject:
    work.get("group", group)
    user = work.get("user", user_id)
    if (group in user["groups"]) != member:
        others = [name for name in user["groups"] if name != group]
        changed = {**user, "groups": sorted([*others, group]) if member else others}
        work.keep("user", user_id, changed, subject=f"{group}/{user_id}", reference=user["externalId"])
    return {"group": group, "userId": user_id, "member": member}


def _shape(refusal: Refusal) -> JsonObject:
    errors = [{"path": field, "detail": problem} for field, problem in refusal.fields]
    return {
        "status": str(refusal.status),
        "scimType": refusal.code,
        "detail": refusal.message,
        "errors": errors,
        **refusal.extra,
    }


IDENTITY = System(
    name="identity",
    about="user accounts and groups",
    auth="oauth2",
    creating="natural key: mail",
    invalid_status=400,
    shape=_shape,
    router=router,
)
