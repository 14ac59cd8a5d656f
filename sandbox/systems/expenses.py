"""Expenses: accounts with a monthly limit. Honours Idempotency-Key for 30 minutes."""

from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import Field

from sandbox.engine.auth import add_token_route
from sandbox.engine.fields import Camel, EmployeeId, Mail, Reference, Text
from sandbox.engine.operation import Operation
from sandbox.engine.refusal import Refusal, invalid
from sandbox.engine.store import JsonObject
from sandbox.engine.system import System
from sandbox.engine.work import Work, Working

router = APIRouter(route_class=Operation)
add_token_route(router)


class NewAccount(Camel):
    """An expense account to open; the limit is in cents a month."""

    owner: EmployeeId
    owner_mail: Mail
    monthly_limit_cents: Annotated[int, Field(ge=1, le=500_000)]
    currency: Literal["EUR", "GBP"] = "EUR"
    categories: Annotated[list[Text], Field(default_factory=lambda: ["travel", "meals"])]
    reference: Reference | None = None


@router.post("/accounts", status_code=201)
async def open_account(account: NewAccount, work: Working) -> JsonObject:
    """Open an expense account."""
    known = [row["category"] for row in work.find("category")]
    unknown = [category for category in account.categories if category not in known]
    if unknown:
        raise invalid(categories=f"Unknown: {', '.join(unknown)}; known are {', '.join(known)}")
    more = {"state": "open", "openedAt": work.now, "closedAt": None}
    return _keep(work, {"accountId": work.new_id("exp-"), **account.fields(), **more})


@router.get("/accounts")
async def find_accounts(work: Working, reference: str | None = None, owner: str | None = None) -> JsonObject:
    """Find accounts by exact reference or owner."""
    return {"ok": True, "accounts": work.find("account", reference=reference, owner=owner)}


@router.get("/accounts/{identifier}")
async def get_account(identifier: str, work: Working) -> JsonObject:
    """Read one account."""
    return {"ok": True, "account": work.get("account", identifier)}


@router.post("/accounts/{identifier}/close")
async def close_account(identifier: str, work: Working) -> JsonObject:
    """Close the account; the record stays."""
    account = work.get("account", identifier)
    if account["state"] == "closed":
        return {"ok": True, "account": account}
    return _keep(work, {**account, "state": "closed", "closedAt": work.now})


@router.get("/categories")
async def list_categories(work: Working) -> JsonObject:
    """List the expense categories with their monthly limits."""
    return {"ok": True, "categories": work.find("category")}


def _keep(work: Work, account: JsonObject) -> JsonObject:
    identifier, reference = account["accountId"], account["reference"]
    kept = work.keep("account", identifier, account, subject=account["owner"], reference=reference)
    return {"ok": True, "account": kept}


def _shape(refusal: Refusal) -> JsonObject:
    fields = dict(refusal.fields)
    return {"ok": False, "error": refusal.code, "message": refusal.message, "fields": fields, **refusal.extra}


EXPENSES = System(
    name="expenses",
    about="expense accounts",
    auth="oauth2",
    creating="keyed, 30 min",
    invalid_status=400,
    shape=_shape,
    router=router,
    key_lifetime_seconds=1_800,
)
