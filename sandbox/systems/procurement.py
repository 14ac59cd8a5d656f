"""Procurement: suppliers, budgets, purchase orders. Honours Idempotency-Key for 24 hours. Money is in US cents."""

from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import Field

from sandbox.engine.auth import add_token_route
from sandbox.engine.fields import Camel, Reference, Text
from sandbox.engine.operation import Operation
from sandbox.engine.refusal import Refusal, invalid
from sandbox.engine.store import JsonObject
from sandbox.engine.system import System
from sandbox.engine.work import Work, Working

router = APIRouter(route_class=Operation)
add_token_route(router)

Cents = Annotated[int, Field(ge=1, le=1_000_000_000)]


class NewOrder(Camel):
    """A purchase order. What the buyer believed of supplier and budget is refused if it is not so any more."""

    item: Text
    amount_cents: Cents
    supplier: Text
    category: Text
    cost_centre: Text
    expected_standing: Literal["known", "new", "blocked"]
    expected_left_cents: int
    needed_by: date | None = None
    reference: Reference | None = None


class NewReservation(Camel):
    """Money of a cost centre that is set aside for an order."""

    order_id: Text
    cost_centre: Text
    amount_cents: Cents
    reference: Reference | None = None


@router.get("/suppliers")
async def find_suppliers(work: Working, supplier: str | None = None) -> JsonObject:
    """Find suppliers by name, whatever its capitals."""
    found = [row for row in work.find("supplier") if supplier is None or _same(row["supplier"], supplier)]
    return {"count": len(found), "items": found}


@router.get("/budgets")
async def find_budgets(
    work: Working, cost_centre: Annotated[str | None, Query(alias="costCentre")] = None
) -> JsonObject:
    """Find this year's budgets."""
    found = [_with_left(row) for row in work.find("budget", costCentre=cost_centre)]
    return {"count": len(found), "items": found}


@router.post("/orders", status_code=201)
async def place_order(order: NewOrder, work: Working) -> JsonObject:
    """Place a purchase order."""
    if not work.find("category", category=order.category):
        known = ", ".join(row["category"] for row in work.find("category"))
        raise invalid(category=f"Unknown category; known are {known}")
    standing = _standing(work, order.supplier)
    if standing == "blocked":
        raise Refusal(409, "supplier_blocked", f"{order.supplier} is blocked; nothing is ordered from them.")
    left = _with_left(_budget(work, order.cost_centre))["leftCents"]
    if standing != order.expected_standing or left < order.expected_left_cents:
        raise Refusal(
            409, "changed", f"{order.supplier} is {standing}, and {left // 100} USD are left: not as expected."
        )
    more = {"state": "placed", "placedAt": work.now, "cancelledAt": None}
    return _keep_order(work, {"orderId": work.new_id("po-"), **order.fields(), **more})


@router.get("/orders")
async def find_orders(work: Working, reference: str | None = None) -> JsonObject:
    """Find orders by exact reference."""
    found = work.find("order", reference=reference)
    return {"count": len(found), "items": found}


@router.get("/orders/{identifier}")
async def get_order(identifier: str, work: Working) -> JsonObject:
    """Read one order."""
    return work.get("order", identifier)


@router.post("/orders/{identifier}/cancel")
async def cancel_order(identifier: str, work: Working) -> JsonObject:
    """Cancel the order; the record stays."""
    order = work.get("order", identifier)
    if order["state"] == "cancelled":
        return order
    return _keep_order(work, {**order, "state": "cancelled", "cancelledAt": work.now})


@router.post("/reservations", status_code=201)
async def reserve_budget(wish: NewReservation, work: Working) -> JsonObject:
    """Set money aside. Whether it may go beyond the budget was decided with the order."""
    work.get("order", wish.order_id)
    _commit(work, wish.cost_centre, wish.amount_cents)
    more = {"state": "reserved", "reservedAt": work.now, "releasedAt": None}
    return _keep_reservation(work, {"reservationId": work.new_id("res-"), **wish.fields(), **more})


@router.get("/reservations")
async def find_reservations(work: Working, reference: str | None = None) -> JsonObject:
    """Find reservations by exact reference."""
    found = work.find("reservation", reference=reference)
    return {"count": len(found), "items": found}


@router.get("/reservations/{identifier}")
async def get_reservation(identifier: str, work: Working) -> JsonObject:
    """Read one reservation."""
    return work.get("reservation", identifier)


@router.post("/reservations/{identifier}/release")
async def release_budget(identifier: str, work: Working) -> JsonObject:
    """Give the money back to its budget."""
    reservation = work.get("reservation", identifier)
    if reservation["state"] == "released":
        return reservation
    _commit(work, reservation["costCentre"], -reservation["amountCents"])
    return _keep_reservation(work, {**reservation, "state": "released", "releasedAt": work.now})


def _same(one: str, other: str) -> bool:
    return one.strip().casefold() == other.strip().casefold()


def _standing(work: Work, supplier: str) -> str:
    return next((str(row["standing"]) for row in work.find("supplier") if _same(row["supplier"], supplier)), "new")


def _budget(work: Work, cost_centre: str) -> JsonObject:
    found = work.find("budget", costCentre=cost_centre)
    if not found:
        known = ", ".join(row["costCentre"] for row in work.find("budget"))
        raise invalid(costCentre=f"Unknown cost centre; known are {known}")
    return found[0]


def _with_left(budget: JsonObject) -> JsonObject:
    return {**budget, "leftCents": budget["budgetCents"] - budget["committedCents"]}


def _commit(work: Work, cost_centre: str, cents: int) -> None:
    budget = _budget(work, cost_centre)
    work.change("budget", cost_centre, {**budget, "committedCents": budget["committedCents"] + cents})


def _keep_order(work: Work, order: JsonObject) -> JsonObject:
    return work.keep("order", order["orderId"], order, subject=order["supplier"], reference=order["reference"])


def _keep_reservation(work: Work, reservation: JsonObject) -> JsonObject:
    identifier, reference = reservation["reservationId"], reservation["reference"]
    return work.keep("reservation", identifier, reservation, subject=reservation["costCentre"], reference=reference)


def _shape(refusal: Refusal) -> JsonObject:
    problems = [{"field": field, "why": problem} for field, problem in refusal.fields]
    return {"error": {"code": refusal.code, "message": refusal.message, "problems": problems, **refusal.extra}}


PROCUREMENT = System(
    name="procurement",
    about="suppliers, budgets, purchase orders",
    auth="oauth2",
    creating="keyed, 24 h",
    invalid_status=422,
    shape=_shape,
    router=router,
    key_lifetime_seconds=86_400,
)
