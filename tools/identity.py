"""Identity: user accounts and groups. Natural key: the mail address; our key stands in ``externalId``."""

from __future__ import annotations

import re
from datetime import timedelta
from functools import partial

from pydantic import Field

from governance.effects import EffectClass, LookupAnswer, UndoCall
from governance.errors import Permanent
from tools.contract import Call, Existing, Found, OAuth2, Tool, ToolModel
from tools.paths import path
from tools.practice import practice_system
from tools.records import Record, judged, the_only
from tools.semantic import AccountId, Email, GroupName, PersonName
from tools.simulated_ids import simulated_id


class NewAccount(ToolModel):
    """Whom the account is for."""

    email: Email = Field(description="the person's work e-mail; every other system knows the account by it")
    display_name: PersonName = Field(description="first and last name, as colleagues see it")


class AccountRef(ToolModel):
    """An account by its id."""

    user_id: AccountId


class AccountQuery(ToolModel):
    """An account by its e-mail."""

    email: Email


class Account(ToolModel):
    """A user account as identity has it."""

    user_id: AccountId
    user_name: str
    email: Email
    display_name: PersonName
    active: bool
    groups: tuple[GroupName, ...]


class MembershipRef(ToolModel):
    """An account and a group."""

    user_id: AccountId
    group: GroupName = Field(description="the group's short name, such as engineering")


class Membership(ToolModel):
    """Whether the account is in the group."""

    user_id: AccountId
    group: GroupName
    member: bool


def _account(user: Record) -> Account:
    return Account(
        user_id=user["id"],
        user_name=user["userName"],
        email=user["mail"],
        display_name=user["displayName"],
        active=user["active"],
        groups=tuple(user["groups"]),
    )


def _user_name(email: str) -> str:
    return re.sub(r"[^a-z0-9._-]", ".", email.partition("@")[0].lower())


async def _read(call: Call, user_id: str) -> Record:
    user: Record = (await call.http.request("GET", path("users", user_id))).body
    return user


async def _search(call: Call, field: str, value: str) -> list[Record]:
    found: list[Record] = (await call.http.request("GET", "/users", params={field: value})).body["resources"]
    return found


async def create_account(call: Call, wanted: NewAccount) -> Account | Existing:
    """Create the account. One with this e-mail that is not ours is Existing; a locked one is for a person."""
    body = {
        "userName": _user_name(wanted.email),
        "displayName": wanted.display_name,
        "mail": wanted.email,
        "externalId": call.key,
    }
    answer = await call.http.request("POST", "/users", json=body, expect=(409,))
    if answer.status != 409:
        return _account(answer.body)
    if answer.body.get("conflictField") != "mail":
        raise Permanent(answer.body["detail"], code="user_name_taken", hint="Choose another e-mail address.")
    there = await _read(call, answer.body["existingId"])
    if there["externalId"] == call.key:
        return _account(there)
    if not there["active"]:
        raise Permanent(
            f"{wanted.email} has an account, {there['id']}, and it is locked.",
            code="account_locked",
            hint="Reactivate it first (identity.reactivate_account), or choose another e-mail address.",
        )
    return Existing(_account(there))


async def look_for_account(call: Call, wanted: NewAccount) -> Found:
    """Ours by ``externalId``; someone else's by e-mail."""
    found = await _search(call, "externalId", call.key) or await _search(call, "mail", wanted.email)
    return judged(found, key=call.key, reference="externalId", name="id", read=_account, live=lambda _: True)


async def get_account(call: Call, wanted: AccountRef) -> Account:
    """Read one account."""
    return _account(await _read(call, wanted.user_id))


async def find_account(call: Call, wanted: AccountQuery) -> Account:
    """Find the account of an e-mail."""
    found = await _search(call, "mail", wanted.email)
    return _account(the_only(found, what=f"account with the e-mail {wanted.email}", name="id"))


async def deactivate_account(call: Call, wanted: AccountRef) -> Account | Existing:
    """Lock the account; one that is locked already is Existing."""
    return await _switch(call, wanted.user_id, active=False)


async def reactivate_account(call: Call, wanted: AccountRef) -> Account | Existing:
    """Open a locked account; one that is open already is Existing."""
    return await _switch(call, wanted.user_id, active=True)


async def _switch(call: Call, user_id: str, *, active: bool) -> Account | Existing:
    user = await _read(call, user_id)
    if user["active"] == active:
        return Existing(_account(user))
    answer = await call.http.request("POST", path("users", user_id, "reactivate" if active else "deactivate"))
    return _account(answer.body)


async def add_to_group(call: Call, wanted: MembershipRef) -> Membership | Existing:
    """Put the account into the group; who is in it already is Existing."""
    return await _set_member(call, wanted, member=True)


async def remove_from_group(call: Call, wanted: MembershipRef) -> Membership | Existing:
    """Take the account out of the group; who is not in it is Existing."""
    return await _set_member(call, wanted, member=False)


async def _set_member(call: Call, wanted: MembershipRef, *, member: bool) -> Membership | Existing:
    there = Membership(user_id=wanted.user_id, group=wanted.group, member=member)
    user = await _read(call, wanted.user_id)
    if (wanted.group in user["groups"]) == member:
        return Existing(there)
    await call.http.request("PUT" if member else "DELETE", path("groups", wanted.group, "members", wanted.user_id))
    return there


async def look_for_membership(call: Call, wanted: MembershipRef) -> Found:
    """Identity does not say who added a member: one who is there is never claimed as ours."""
    user = await _read(call, wanted.user_id)
    if wanted.group not in user["groups"]:
        return Found(LookupAnswer.NONE, evidence=f"{wanted.user_id} is not in {wanted.group}")
    there = Membership(user_id=wanted.user_id, group=wanted.group, member=True)
    return Found(LookupAnswer.FOREIGN, there, f"{wanted.user_id} is in {wanted.group}; who added them is not kept")


def _pretend(email: str, name: str) -> Account:
    return Account(
        user_id=simulated_id("acc-", 6, email),
        user_name=_user_name(email),
        email=email,
        display_name=name,
        active=True,
        groups=("everyone",),
    )


def _pretend_by_id(user_id: str, *, active: bool) -> Account:
    known = _pretend("simulated@acme.example", "Simulated Person")
    return known.model_copy(update={"user_id": user_id, "active": active})


SYSTEM = practice_system("identity", "Identity", OAuth2(), offset=1)
_reads = partial(
    Tool,
    system="identity",
    effect=EffectClass.READ,
    output=Account,
    permission="identity:read",
    data_classes=frozenset({"personal"}),
)
_changes = partial(
    Tool,
    system="identity",
    effect=EffectClass.NATURAL_KEY,
    settle=timedelta(seconds=2),
    permission="identity:write",
    data_classes=frozenset({"personal"}),
)
_THIS_ACCOUNT = {"user_id": {"$ref": "output.user_id"}}
_THIS_MEMBERSHIP = {"user_id": {"$ref": "output.user_id"}, "group": {"$ref": "output.group"}}
TOOLS = (
    _changes(
        name="identity.create_account",
        summary="Create a person's user account.",
        input=NewAccount,
        output=Account,
        run=create_account,
        simulate=lambda wanted, _: _pretend(wanted.email, wanted.display_name),
        lookup=look_for_account,
        undo=UndoCall(tool="identity.deactivate_account@1", args=_THIS_ACCOUNT),
        provides="identity.account",
    ),
    _reads(
        name="identity.find_account",
        summary="Find the user account of an e-mail address.",
        input=AccountQuery,
        run=find_account,
        simulate=lambda wanted, _: _pretend(wanted.email, "Simulated Person"),
    ),
    _reads(
        name="identity.get_account",
        summary="Read a user account by its id.",
        input=AccountRef,
        run=get_account,
        simulate=lambda wanted, _: _pretend_by_id(wanted.user_id, active=True),
    ),
    _changes(
        name="identity.add_to_group",
        summary="Put a user account into a group.",
        input=MembershipRef,
        output=Membership,
        run=add_to_group,
        simulate=lambda wanted, _: Membership(user_id=wanted.user_id, group=wanted.group, member=True),
        lookup=look_for_membership,
        undo=UndoCall(tool="identity.remove_from_group@1", args=_THIS_MEMBERSHIP),
        provides="identity.membership",
        sensitive=frozenset({"group"}),
    ),
    _changes(
        name="identity.remove_from_group",
        summary="Take a user account out of a group.",
        input=MembershipRef,
        output=Membership,
        run=remove_from_group,
        simulate=lambda wanted, _: Membership(user_id=wanted.user_id, group=wanted.group, member=False),
        undo=UndoCall(tool="identity.add_to_group@1", args=_THIS_MEMBERSHIP),
        provides="identity.membership_ended",
    ),
    _changes(
        name="identity.deactivate_account",
        summary="Lock a user account; its data stays.",
        input=AccountRef,
        output=Account,
        run=deactivate_account,
        simulate=lambda wanted, _: _pretend_by_id(wanted.user_id, active=False),
        undo=UndoCall(tool="identity.reactivate_account@1", args=_THIS_ACCOUNT),
        provides="identity.account_closed",
    ),
    _changes(
        name="identity.reactivate_account",
        summary="Open a locked user account again.",
        input=AccountRef,
        output=Account,
        run=reactivate_account,
        simulate=lambda wanted, _: _pretend_by_id(wanted.user_id, active=True),
        undo=UndoCall(tool="identity.deactivate_account@1", args=_THIS_ACCOUNT),
    ),
)
