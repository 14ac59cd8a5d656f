"""Security: badges. Keyed, but only for 60 seconds; after that found again by ``reference``, where our key stands."""

from __future__ import annotations

from datetime import date, timedelta
from functools import partial
from typing import Literal

from pydantic import Field

from governance.effects import EffectClass, LookupAnswer, UndoCall
from tools.contract import ApiKey, Call, Existing, Found, Tool, ToolModel
from tools.paths import path
from tools.practice import practice_system
from tools.records import Record, judged, the_only
from tools.semantic import AccountId, BadgeId, Email, PersonName, Site
from tools.simulated_ids import SIMULATED_DAY, simulated_id

AccessLevel = Literal["staff", "lab", "datacentre"]


class NewBadge(ToolModel):
    """Whom the badge is for and what it opens."""

    account_id: AccountId
    display_name: PersonName = Field(description="the name printed on the badge")
    site: Site
    access_level: AccessLevel = Field(default="staff", description="what it opens; datacentre needs approved_by")
    start_date: date = Field(description="the first day it opens anything")
    approved_by: Email | None = Field(default=None, description="who approved the access level")


class BadgeRef(ToolModel):
    """A badge by its number."""

    badge_id: BadgeId


class BadgeQuery(ToolModel):
    """Whose badge."""

    account_id: AccountId


class Grant(ToolModel):
    """A badge and what it is to open."""

    badge_id: BadgeId
    access_level: AccessLevel
    approved_by: Email | None = Field(default=None, description="who approved it; datacentre needs it")


class Badge(ToolModel):
    """A badge as security has it."""

    badge_id: BadgeId
    account_id: AccountId
    display_name: PersonName
    site: Site
    access_level: AccessLevel
    start_date: date
    approved_by: Email | None = None
    state: str = Field(description="active or revoked")


class Granted(ToolModel):
    """What the badge opens now, and what it opened before, by whose approval."""

    badge_id: BadgeId
    access_level: AccessLevel
    previous_access_level: AccessLevel
    previous_approved_by: Email | None = None


def _badge(record: Record) -> Badge:
    return Badge(
        badge_id=record["badgeNo"],
        account_id=record["holder_id"],
        display_name=record["holderName"],
        site=record["site"],
        access_level=record["accessLevel"],
        start_date=record["validFrom"],
        approved_by=record["approvedBy"],
        state=record["state"],
    )


def _is_active(record: Record) -> bool:
    return bool(record["state"] == "active")


async def _search(call: Call, field: str, value: str) -> list[Record]:
    found: list[Record] = (await call.http.request("GET", "/badges", params={field: value})).body["badges"]
    return found


async def issue_badge(call: Call, wanted: NewBadge) -> Badge:
    """Issue the badge; security knows the call again by its key, for a minute."""
    body = {
        "holder_id": wanted.account_id,
        "holderName": wanted.display_name,
        "site": wanted.site,
        "accessLevel": wanted.access_level,
        "validFrom": wanted.start_date.isoformat(),
        "reference": call.key,
        "approvedBy": wanted.approved_by,
    }
    answer = await call.http.request("POST", "/badges", json=body, headers={"Idempotency-Key": call.key})
    return _badge(answer.body)


async def look_for_badge(call: Call, wanted: NewBadge) -> Found:
    """Ours by ``reference``; someone else's is an active badge of the same holder for the same site."""
    found = await _search(call, "reference", call.key) or await _search(call, "holder_id", wanted.account_id)
    return judged(
        found,
        key=call.key,
        reference="reference",
        name="badgeNo",
        read=_badge,
        live=lambda record: _is_active(record) and bool(record["site"] == wanted.site),
    )


async def get_badge(call: Call, wanted: BadgeRef) -> Badge:
    """Read one badge."""
    return _badge((await call.http.request("GET", path("badges", wanted.badge_id))).body)


async def find_badge(call: Call, wanted: BadgeQuery) -> Badge:
    """Find the account's active badge."""
    active = [record for record in await _search(call, "holder_id", wanted.account_id) if _is_active(record)]
    return _badge(the_only(active, what=f"active badge of {wanted.account_id}", name="badgeNo"))


async def grant_access(call: Call, wanted: Grant) -> Granted:
    """Set what the badge opens. Asked again with its key, security still tells what the badge opened before."""
    before = await get_badge(call, BadgeRef(badge_id=wanted.badge_id))
    body = {"accessLevel": wanted.access_level, "approvedBy": wanted.approved_by}
    target, headers = path("badges", wanted.badge_id, "access"), {"Idempotency-Key": call.key}
    answer = await call.http.request("PUT", target, json=body, headers=headers)
    return Granted(
        badge_id=wanted.badge_id,
        access_level=answer.body["accessLevel"],
        previous_access_level=answer.body["previousAccessLevel"],
        previous_approved_by=before.approved_by,
    )


async def look_for_access(call: Call, wanted: Grant) -> Found:
    """Security does not say who set a level: one that is set is never claimed as ours."""
    badge = await get_badge(call, BadgeRef(badge_id=wanted.badge_id))
    answer = LookupAnswer.FOREIGN if badge.access_level == wanted.access_level else LookupAnswer.NONE
    return Found(answer, evidence=f"{badge.badge_id} opens {badge.access_level}; who set that is not kept")


async def revoke_badge(call: Call, wanted: BadgeRef) -> Badge | Existing:
    """Make the badge worthless; one that is revoked already is Existing."""
    there = await get_badge(call, wanted)
    if there.state == "revoked":
        return Existing(there)
    body = {"reason": "The holder no longer needs it."}
    return _badge((await call.http.request("POST", path("badges", wanted.badge_id, "revoke"), json=body)).body)


def _pretend_new(wanted: NewBadge, _: str) -> Badge:
    return Badge(badge_id=simulated_id("bdg-", 4, wanted.account_id), state="active", **wanted.model_dump())


def _pretend(account_id: str, badge_id: str = "", *, state: str = "active") -> Badge:
    return Badge(
        badge_id=badge_id or simulated_id("bdg-", 4, account_id),
        account_id=account_id,
        display_name="Simulated Person",
        site="Berlin",
        access_level="staff",
        start_date=SIMULATED_DAY,
        state=state,
    )


def _pretend_granted(wanted: Grant, _: str) -> Granted:
    return Granted(badge_id=wanted.badge_id, access_level=wanted.access_level, previous_access_level="staff")


SYSTEM = practice_system("security", "Security (badges)", ApiKey(), offset=5)
_reads = partial(
    Tool,
    system="security",
    effect=EffectClass.READ,
    output=Badge,
    permission="security:read",
    data_classes=frozenset({"personal"}),
)
_changes = partial(
    Tool,
    system="security",
    settle=timedelta(seconds=2),
    permission="security:write",
    data_classes=frozenset({"personal"}),
)
TOOLS = (
    _changes(
        name="security.issue_badge",
        summary="Issue a badge that opens a site's doors.",
        input=NewBadge,
        output=Badge,
        effect=EffectClass.KEYED,
        key_lifetime=timedelta(seconds=60),
        timeout=timedelta(seconds=5),
        run=issue_badge,
        simulate=_pretend_new,
        lookup=look_for_badge,
        undo=UndoCall(tool="security.revoke_badge@1", args={"badge_id": {"$ref": "output.badge_id"}}),
        provides="security.badge",
        sensitive=frozenset({"access_level"}),
    ),
    _reads(
        name="security.find_badge",
        summary="Find a person's active badge.",
        input=BadgeQuery,
        run=find_badge,
        simulate=lambda wanted, _: _pretend(wanted.account_id),
    ),
    _reads(
        name="security.get_badge",
        summary="Read a badge by its number.",
        input=BadgeRef,
        run=get_badge,
        simulate=lambda wanted, _: _pretend("acc-000000", wanted.badge_id),
    ),
    _changes(
        name="security.grant_access",
        summary="Set what an active badge opens.",
        input=Grant,
        output=Granted,
        effect=EffectClass.KEYED,
        key_lifetime=timedelta(seconds=60),
        timeout=timedelta(seconds=5),
        run=grant_access,
        simulate=_pretend_granted,
        lookup=look_for_access,
        undo=UndoCall(
            tool="security.grant_access@1",
            args={
                "badge_id": {"$ref": "output.badge_id"},
                "access_level": {"$ref": "output.previous_access_level"},
                "approved_by": {"$ref": "output.previous_approved_by"},
            },
        ),
        provides="security.access",
        sensitive=frozenset({"access_level", "approved_by"}),
    ),
    _changes(
        name="security.revoke_badge",
        summary="Revoke a badge for good; taking this back issues a new one.",
        input=BadgeRef,
        output=Badge,
        effect=EffectClass.NATURAL_KEY,
        run=revoke_badge,
        simulate=lambda wanted, _: _pretend("acc-000000", wanted.badge_id, state="revoked"),
        undo=UndoCall(
            tool="security.issue_badge@1",
            args={
                name: {"$ref": f"output.{name}"}
                for name in ("account_id", "display_name", "site", "access_level", "start_date", "approved_by")
            },
        ),
        provides="security.badge_revoked",
    ),
)
