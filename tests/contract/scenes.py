"""For each tool the arguments with which it can be called, and what must be there before."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from tests.contract.world import World

Args = dict[str, Any]
ADA = "ada.lovelace@acme.example"
GRACE = "grace.hopper@acme.example"
NAME = "Ada Lovelace"
START = "2027-02-01"
NEW_ACCOUNT: Args = {"email": ADA, "display_name": NAME}
NEW_EMPLOYEE: Args = {
    "display_name": NAME,
    "email": ADA,
    "job_title": "Software Engineer",
    "department": "R&D",
    "annual_salary": 72_000,
    "start_date": START,
    "site": "Berlin",
}
NEW_POSITION: Args = {
    "employee_id": "E-00101",
    "display_name": NAME,
    "email": ADA,
    "job_title": "Software Engineer",
    "department": "R&D",
    "manager_id": "E-0001",
    "start_date": START,
}
NEW_DESK: Args = {"desk_code": "BER-2-014", "account_id": "acc-000101", "start_date": START}
NEW_BADGE: Args = {"account_id": "acc-000101", "display_name": NAME, "site": "Berlin", "start_date": START}
NEW_ENROLMENT: Args = {"email": ADA, "course": "security-awareness", "due_on": "2027-03-01"}
NEW_BENEFIT: Args = {"employee_id": "E-00101", "plan": "health-basic", "start_date": START}
NEW_EXPENSES: Args = {"employee_id": "E-00101", "email": ADA, "monthly_limit": 500}
NEW_ORDER: Args = {
    "item": "12 workstations",
    "amount": 47_000,
    "supplier": "Keystone Computing",
    "category": "hardware",
    "cost_centre": "R&D",
    "supplier_standing": "known",
    "budget_left": 120_000,
}
KESTREL = "office@kestrel.example"
NEW_TICKET: Args = {"customer": KESTREL, "text": "Invoice INV-1006 is not what we agreed."}
NEW_NOTE: Args = {"invoice_id": "INV-1006", "amount": 300}
MESSAGE: Args = {"to": ADA, "subject": "Welcome", "text": "See you on Monday.", "cc": [GRACE]}


def plain(args: Args) -> Callable[[World], Awaitable[Args]]:
    """Nothing must be there before."""

    async def scene(_: World) -> Args:
        return args

    return scene


def after(create: str, first: Args, *names: str, **more: Any) -> Callable[[World], Awaitable[Args]]:
    """``create`` was called with ``first``; the fields ``names`` of its output, and ``more``, are the arguments."""

    async def scene(world: World) -> Args:
        output = (await world.call(create, **first)).output
        world.catch_up()
        return {name: output[name] for name in names} | more

    return scene


async def locked_account(world: World) -> Args:
    """An account that was locked."""
    user_id = (await world.call("identity.create_account", **NEW_ACCOUNT)).output["user_id"]
    await world.call("identity.deactivate_account", user_id=user_id)
    return {"user_id": user_id}


async def group_member(world: World) -> Args:
    """An account in a group."""
    user_id = (await world.call("identity.create_account", **NEW_ACCOUNT)).output["user_id"]
    await world.call("identity.add_to_group", user_id=user_id, group="engineering")
    return {"user_id": user_id, "group": "engineering"}


async def removed_position(world: World) -> Args:
    """A position that was removed."""
    await world.call("orgchart.place_person", **NEW_POSITION)
    return (await world.call("orgchart.remove_position", employee_id="E-00101")).output


async def reserved(world: World) -> Args:
    """Money that was set aside for an order."""
    order_id = (await world.call("procurement.place_order", **NEW_ORDER)).output["order_id"]
    wish = {"order_id": order_id, "cost_centre": "R&D", "amount": 47_000}
    made = await world.call("procurement.reserve_budget", **wish)
    return {"reservation_id": made.output["reservation_id"]}


async def escalated(world: World) -> Args:
    """A ticket that was escalated."""
    ticket_id = (await world.call("support.open_ticket", **NEW_TICKET)).output["ticket_id"]
    await world.call("support.escalate_ticket", ticket_id=ticket_id)
    return {"ticket_id": ticket_id}


_account = "identity.create_account", NEW_ACCOUNT
_employee = "payroll.create_employee", NEW_EMPLOYEE
_position = "orgchart.place_person", NEW_POSITION
_desk = "facilities.assign_desk", NEW_DESK
_badge = "security.issue_badge", NEW_BADGE
_enrolment = "training.enrol", NEW_ENROLMENT
_benefit = "benefits.enrol", NEW_BENEFIT
_expenses = "expenses.open_account", NEW_EXPENSES
_order = "procurement.place_order", NEW_ORDER
_ticket = "support.open_ticket", NEW_TICKET
_note = "billing.issue_credit_note", NEW_NOTE

SCENES: Mapping[str, Callable[[World], Awaitable[Args]]] = {
    "identity.create_account": plain(NEW_ACCOUNT),
    "identity.find_account": after(*_account, "email"),
    "identity.get_account": after(*_account, "user_id"),
    "identity.add_to_group": after(*_account, "user_id", group="engineering"),
    "identity.remove_from_group": group_member,
    "identity.deactivate_account": after(*_account, "user_id"),
    "identity.reactivate_account": locked_account,
    "payroll.create_employee": plain(NEW_EMPLOYEE),
    "payroll.find_employee": after(*_employee, "email"),
    "payroll.get_employee": after(*_employee, "employee_id"),
    "payroll.terminate_employee": after(*_employee, "employee_id", last_day="2027-12-31"),
    "payroll.find_job_title": plain({"job_title": "software engineer"}),
    "orgchart.place_person": plain(NEW_POSITION),
    "orgchart.find_person": plain({"email": GRACE}),
    "orgchart.remove_position": after(*_position, "employee_id"),
    "orgchart.restore_position": removed_position,
    "orgchart.list_department": plain({"department": "R&D"}),
    "facilities.list_sites": plain({}),
    "facilities.find_free_desk": plain({"site": "Vilnius"}),
    "facilities.assign_desk": plain(NEW_DESK),
    "facilities.find_assignment": after(*_desk, "account_id"),
    "facilities.release_desk": after(*_desk, "assignment_id"),
    "security.issue_badge": plain(NEW_BADGE),
    "security.find_badge": after(*_badge, "account_id"),
    "security.get_badge": after(*_badge, "badge_id"),
    "security.grant_access": after(*_badge, "badge_id", access_level="lab"),
    "security.revoke_badge": after(*_badge, "badge_id"),
    "training.list_courses": plain({}),
    "training.enrol": plain(NEW_ENROLMENT),
    "training.find_enrolment": after(*_enrolment, "email", "course"),
    "training.withdraw": after(*_enrolment, "enrolment_id"),
    "benefits.list_plans": plain({}),
    "benefits.enrol": plain(NEW_BENEFIT),
    "benefits.find_enrolment": after(*_benefit, "employee_id", "plan"),
    "benefits.cancel": after(*_benefit, "benefit_id"),
    "expenses.open_account": plain(NEW_EXPENSES),
    "expenses.find_account": after(*_expenses, "employee_id"),
    "expenses.get_account": after(*_expenses, "expense_account_id"),
    "expenses.close_account": after(*_expenses, "expense_account_id"),
    "mail.send": plain(MESSAGE),
    "procurement.supplier_history": plain({"supplier": "keystone computing"}),
    "procurement.budget_left": plain({"cost_centre": "R&D"}),
    "procurement.place_order": plain(NEW_ORDER),
    "procurement.cancel_order": after(*_order, "order_id"),
    "procurement.reserve_budget": after(*_order, "order_id", cost_centre="R&D", amount=47_000),
    "procurement.release_budget": reserved,
    "support.read_ticket": plain({"text": NEW_TICKET["text"]}),
    "support.open_ticket": plain(NEW_TICKET),
    "support.assign_ticket": after(*_ticket, "ticket_id", queue="billing", why="it is about an invoice"),
    "support.escalate_ticket": after(*_ticket, "ticket_id"),
    "support.calm_ticket": escalated,
    "support.close_ticket": after(*_ticket, "ticket_id"),
    "billing.find_customer": plain({"customer": KESTREL}),
    "billing.check_invoice": plain({"invoice": "INV-1006", "customer": KESTREL}),
    "billing.get_invoice": plain({"invoice": "INV-1006", "customer": KESTREL}),
    "billing.compare_with_contract": plain({"invoice_id": "INV-1006"}),
    "billing.issue_credit_note": plain(NEW_NOTE),
    "billing.void_credit_note": after(*_note, "credit_note_id"),
}
