"""Expenses: accounts with a monthly limit. Keyed for 30 minutes; our key stands in ``reference`` as well.

The system counts in cents; the tools speak whole EUR a month.
"""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Annotated

from pydantic import Field

from governance.effects import EffectClass, UndoCall
from tools.contract import Call, Existing, Found, OAuth2, Tool, ToolModel
from tools.paths import path
from tools.practice import practice_system
from tools.records import Record, judged, the_only
from tools.semantic import Email, EmployeeId, ExpenseAccountId
from tools.simulated_ids import simulated_id

MonthlyLimit = Annotated[int, Field(ge=1, le=5_000, description="whole EUR a month")]
_USUAL = ("travel", "meals")


class NewAccount(ToolModel):
    """Whose account, and how much a month."""

    employee_id: EmployeeId
    email: Email = Field(description="the employee's work e-mail")
    monthly_limit: MonthlyLimit
    categories: tuple[str, ...] = Field(default=_USUAL, description="what may be spent on, such as travel")


class AccountRef(ToolModel):
    """An expense account by its id."""

    expense_account_id: ExpenseAccountId


class AccountQuery(ToolModel):
    """Whose account."""

    employee_id: EmployeeId


class Account(ToolModel):
    """An expense account. ``monthly_limit`` is in whole units of ``currency``, rounded down to at least 1."""

    expense_account_id: ExpenseAccountId
    employee_id: EmployeeId
    email: Email
    monthly_limit: MonthlyLimit
    currency: str
    categories: tuple[str, ...]
    state: str = Field(description="open or closed")


def _account(record: Record) -> Account:
    return Account(
        expense_account_id=record["accountId"],
        employee_id=record["owner"],
        email=record["ownerMail"],
        monthly_limit=max(1, record["monthlyLimitCents"] // 100),
        currency=record["currency"],
        categories=tuple(record["categories"]),
        state=record["state"],
    )


def _is_open(record: Record) -> bool:
    return bool(record["state"] == "open")


async def _search(call: Call, field: str, value: str) -> list[Record]:
    found: list[Record] = (await call.http.request("GET", "/accounts", params={field: value})).body["accounts"]
    return found


async def open_account(call: Call, wanted: NewAccount) -> Account:
    """Open the account; the system knows the call again by its key."""
    body = {
        "owner": wanted.employee_id,
        "ownerMail": wanted.email,
        "monthlyLimitCents": wanted.monthly_limit * 100,
        "currency": "EUR",
        "categories": list(wanted.categories),
        "reference": call.key,
    }
    answer = await call.http.request("POST", "/accounts", json=body, headers={"Idempotency-Key": call.key})
    return _account(answer.body["account"])


async def look_for_account(call: Call, wanted: NewAccount) -> Found:
    """Ours by ``reference``; someone else's is an open account of the same employee."""
    found = await _search(call, "reference", call.key) or await _search(call, "owner", wanted.employee_id)
    return judged(found, key=call.key, reference="reference", name="accountId", read=_account, live=_is_open)


async def get_account(call: Call, wanted: AccountRef) -> Account:
    """Read one account."""
    return _account((await call.http.request("GET", path("accounts", wanted.expense_account_id))).body["account"])


async def find_account(call: Call, wanted: AccountQuery) -> Account:
    """Find the employee's open account."""
    found = [record for record in await _search(call, "owner", wanted.employee_id) if _is_open(record)]
    return _account(the_only(found, what=f"open expense account of {wanted.employee_id}", name="accountId"))


async def close_account(call: Call, wanted: AccountRef) -> Account | Existing:
    """Close the account; one that is closed already is Existing."""
    there = await get_account(call, wanted)
    if there.state == "closed":
        return Existing(there)
    answer = await call.http.request("POST", path("accounts", wanted.expense_account_id, "close"))
    return _account(answer.body["account"])


def _pretend(employee_id: str, account_id: str = "", *, state: str = "open") -> Account:
    return Account(
        expense_account_id=account_id or simulated_id("exp-", 4, employee_id),
        employee_id=employee_id,
        email="simulated@acme.example",
        monthly_limit=500,
        currency="EUR",
        categories=_USUAL,
        state=state,
    )


def _pretend_new(wanted: NewAccount, _: str) -> Account:
    return _pretend(wanted.employee_id).model_copy(update=wanted.model_dump())


SYSTEM = practice_system("expenses", "Expenses", OAuth2(), offset=8)
_reads = partial(
    Tool,
    system="expenses",
    effect=EffectClass.READ,
    output=Account,
    permission="expenses:read",
    data_classes=frozenset({"personal", "financial"}),
)
_changes = partial(
    Tool,
    system="expenses",
    output=Account,
    settle=timedelta(seconds=2),
    permission="expenses:write",
    data_classes=frozenset({"personal", "financial"}),
)
TOOLS = (
    _changes(
        name="expenses.open_account",
        summary="Open an expense account with a monthly limit for an employee.",
        input=NewAccount,
        effect=EffectClass.KEYED,
        key_lifetime=timedelta(minutes=30),
        run=open_account,
        simulate=_pretend_new,
        lookup=look_for_account,
        undo=UndoCall(
            tool="expenses.close_account@1",
            args={"expense_account_id": {"$ref": "output.expense_account_id"}},
        ),
        provides="expenses.account",
        amount="monthly_limit",
        sensitive=frozenset({"monthly_limit"}),
    ),
    _reads(
        name="expenses.find_account",
        summary="Find an employee's open expense account.",
        input=AccountQuery,
        run=find_account,
        simulate=lambda wanted, _: _pretend(wanted.employee_id),
    ),
    _reads(
        name="expenses.get_account",
        summary="Read an expense account by its id.",
        input=AccountRef,
        run=get_account,
        simulate=lambda wanted, _: _pretend("E-00000", wanted.expense_account_id),
    ),
    _changes(
        name="expenses.close_account",
        summary="Close an expense account; what was spent stays on record.",
        input=AccountRef,
        effect=EffectClass.NATURAL_KEY,
        run=close_account,
        simulate=lambda wanted, _: _pretend("E-00000", wanted.expense_account_id, state="closed"),
        undo=UndoCall(
            tool="expenses.open_account@1",
            args={name: {"$ref": f"output.{name}"} for name in ("employee_id", "email", "monthly_limit", "categories")},
        ),
        provides="expenses.closed",
    ),
)
