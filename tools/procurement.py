"""Procurement: suppliers, budgets, purchase orders. Keyed for 24 hours; our key stands in ``reference`` as well.

The system counts in cents; the tools speak whole US dollars. An order carries what was known of supplier and budget when
it was decided, and the system refuses it when that is not so any more: nobody orders on the strength of an old figure.
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import partial
from typing import Annotated, Literal

from pydantic import Field

from governance.effects import EffectClass, UndoCall
from governance.errors import Permanent
from tools.contract import Call, Existing, Found, OAuth2, Tool, ToolModel
from tools.paths import path
from tools.practice import practice_system
from tools.records import Record, judged, the_only
from tools.semantic import BudgetLeft, OrderId, ReservationId, SupplierStanding
from tools.simulated_ids import simulated_id

Dollars = Annotated[int, Field(ge=1, le=10_000_000, description="whole US dollars")]
Category = Literal["hardware", "software", "services", "furniture", "office supplies"]
CostCentre = Literal["R&D", "Finance", "Sales", "People", "IT"]
Name = Annotated[str, Field(min_length=1, max_length=200)]


class SupplierQuery(ToolModel):
    """A supplier by name."""

    supplier: Name


class SupplierHistory(ToolModel):
    """What was bought from a supplier so far. ``spent`` in whole US dollars; nothing at all: they are new."""

    supplier: Name
    supplier_standing: SupplierStanding
    orders: int
    late_orders: int
    spent: int


class BudgetQuery(ToolModel):
    """Whose budget."""

    cost_centre: CostCentre


class Budget(ToolModel):
    """This year's budget in whole US dollars. ``budget_left`` below zero: more is committed than there is."""

    cost_centre: CostCentre
    budget: int
    budget_left: BudgetLeft


class NewOrder(ToolModel):
    """What is bought from whom for whose money, and what was known of both."""

    item: Name
    amount: Dollars
    supplier: Name
    category: Category
    cost_centre: CostCentre
    supplier_standing: SupplierStanding
    budget_left: BudgetLeft = Field(description="before this order, whole US dollars")
    needed_by: date | None = None


class Order(ToolModel):
    """A purchase order."""

    order_id: OrderId
    item: str
    amount: Dollars
    supplier: str
    state: str = Field(description="placed or cancelled")


class OrderRef(ToolModel):
    """A purchase order by its number."""

    order_id: OrderId


class NewReservation(ToolModel):
    """How much of whose budget is set aside, for which order."""

    order_id: OrderId
    cost_centre: CostCentre
    amount: Dollars


class Reservation(ToolModel):
    """Money that is set aside."""

    reservation_id: ReservationId
    order_id: OrderId
    cost_centre: CostCentre
    amount: Dollars
    state: str = Field(description="reserved or released")


class ReservationRef(ToolModel):
    """A reservation by its number."""

    reservation_id: ReservationId


def _order(record: Record) -> Order:
    return Order(
        order_id=record["orderId"],
        item=record["item"],
        amount=record["amountCents"] // 100,
        supplier=record["supplier"],
        state=record["state"],
    )


def _reservation(record: Record) -> Reservation:
    return Reservation(
        reservation_id=record["reservationId"],
        order_id=record["orderId"],
        cost_centre=record["costCentre"],
        amount=record["amountCents"] // 100,
        state=record["state"],
    )


def _nobody_elses(_: Record) -> bool:
    return False  # two orders may well be alike: only our key tells ours


async def supplier_history(call: Call, wanted: SupplierQuery) -> SupplierHistory:
    """What procurement knows of a supplier; of one that it does not know, that they are new."""
    found = (await call.http.request("GET", "/suppliers", params={"supplier": wanted.supplier})).body["items"]
    if not found:
        return SupplierHistory(supplier=wanted.supplier, supplier_standing="new", orders=0, late_orders=0, spent=0)
    record = the_only(found, what=f"supplier called {wanted.supplier}", name="supplier")
    return SupplierHistory(
        supplier=record["supplier"],
        supplier_standing=record["standing"],
        orders=record["orders"],
        late_orders=record["lateOrders"],
        spent=record["spentCents"] // 100,
    )


async def budget_left(call: Call, wanted: BudgetQuery) -> Budget:
    """What is left of a cost centre's budget."""
    found = (await call.http.request("GET", "/budgets", params={"costCentre": wanted.cost_centre})).body["items"]
    record = the_only(found, what=f"budget of {wanted.cost_centre}", name="costCentre")
    left = record["leftCents"] // 100
    return Budget(cost_centre=record["costCentre"], budget=record["budgetCents"] // 100, budget_left=left)


async def place_order(call: Call, wanted: NewOrder) -> Order:
    """Place the order; procurement knows the call again by its key."""
    if wanted.supplier_standing == "blocked":
        raise Permanent(f"{wanted.supplier} is blocked.", code="supplier_blocked", hint="Choose another supplier.")
    body = {
        "item": wanted.item,
        "amountCents": wanted.amount * 100,
        "supplier": wanted.supplier,
        "category": wanted.category,
        "costCentre": wanted.cost_centre,
        "expectedStanding": wanted.supplier_standing,
        "expectedLeftCents": wanted.budget_left * 100,
        "neededBy": wanted.needed_by.isoformat() if wanted.needed_by else None,
        "reference": call.key,
    }
    return _order((await call.http.request("POST", "/orders", json=body, headers={"Idempotency-Key": call.key})).body)


async def look_for_order(call: Call, _: NewOrder) -> Found:
    """Ours by ``reference``."""
    found = (await call.http.request("GET", "/orders", params={"reference": call.key})).body["items"]
    return judged(found, key=call.key, reference="reference", name="orderId", read=_order, live=_nobody_elses)


async def cancel_order(call: Call, wanted: OrderRef) -> Order | Existing:
    """Cancel the order; one that is cancelled already is Existing."""
    there = _order((await call.http.request("GET", path("orders", wanted.order_id))).body)
    if there.state == "cancelled":
        return Existing(there)
    return _order((await call.http.request("POST", path("orders", wanted.order_id, "cancel"))).body)


async def reserve_budget(call: Call, wanted: NewReservation) -> Reservation:
    """Set the money aside; procurement knows the call again by its key."""
    body = {
        "orderId": wanted.order_id,
        "costCentre": wanted.cost_centre,
        "amountCents": wanted.amount * 100,
        "reference": call.key,
    }
    answer = await call.http.request("POST", "/reservations", json=body, headers={"Idempotency-Key": call.key})
    return _reservation(answer.body)


async def look_for_reservation(call: Call, _: NewReservation) -> Found:
    """Ours by ``reference``."""
    found = (await call.http.request("GET", "/reservations", params={"reference": call.key})).body["items"]
    return judged(
        found, key=call.key, reference="reference", name="reservationId", read=_reservation, live=_nobody_elses
    )


async def release_budget(call: Call, wanted: ReservationRef) -> Reservation | Existing:
    """Give the money back; what is released already is Existing."""
    there = _reservation((await call.http.request("GET", path("reservations", wanted.reservation_id))).body)
    if there.state == "released":
        return Existing(there)
    return _reservation((await call.http.request("POST", path("reservations", wanted.reservation_id, "release"))).body)


def _pretend_history(wanted: SupplierQuery, _: str) -> SupplierHistory:
    return SupplierHistory(supplier=wanted.supplier, supplier_standing="known", orders=10, late_orders=0, spent=100_000)


def _pretend_order(wanted: NewOrder, key: str) -> Order:
    known = wanted.model_dump(include={"item", "amount", "supplier"})
    return Order(order_id=simulated_id("po-", 4, key), state="placed", **known)


def _pretend_cancelled(wanted: OrderRef, _: str) -> Order:
    return Order(order_id=wanted.order_id, item="simulated", amount=1, supplier="simulated", state="cancelled")


def _pretend_reserved(wanted: NewReservation, key: str) -> Reservation:
    return Reservation(reservation_id=simulated_id("res-", 4, key), state="reserved", **wanted.model_dump())


def _pretend_released(wanted: ReservationRef, _: str) -> Reservation:
    known = NewReservation(order_id="po-0000", cost_centre="R&D", amount=1).model_dump()
    return Reservation(reservation_id=wanted.reservation_id, state="released", **known)


SYSTEM = practice_system("procurement", "Procurement", OAuth2(), offset=10)
_reads = partial(
    Tool,
    system="procurement",
    effect=EffectClass.READ,
    permission="procurement:read",
    data_classes=frozenset({"financial"}),
)
_changes = partial(
    Tool,
    system="procurement",
    settle=timedelta(seconds=2),
    permission="procurement:write",
    data_classes=frozenset({"financial"}),
)
TOOLS = (
    _reads(
        name="procurement.supplier_history",
        summary="Look up what was bought from a supplier so far, and how it went.",
        input=SupplierQuery,
        output=SupplierHistory,
        run=supplier_history,
        simulate=_pretend_history,
        provides="procurement.supplier_history",
    ),
    _reads(
        name="procurement.budget_left",
        summary="Look up what is left of a cost centre's budget.",
        input=BudgetQuery,
        output=Budget,
        run=budget_left,
        simulate=lambda wanted, _: Budget(cost_centre=wanted.cost_centre, budget=1_000_000, budget_left=500_000),
        provides="procurement.budget",
    ),
    _changes(
        name="procurement.place_order",
        summary="Place a purchase order with a supplier.",
        input=NewOrder,
        output=Order,
        effect=EffectClass.KEYED,
        key_lifetime=timedelta(hours=24),
        run=place_order,
        simulate=_pretend_order,
        lookup=look_for_order,
        undo=UndoCall(tool="procurement.cancel_order@1", args={"order_id": {"$ref": "output.order_id"}}),
        provides="procurement.order",
        amount="amount",
        sensitive=frozenset({"amount", "supplier", "cost_centre"}),
    ),
    _changes(
        name="procurement.cancel_order",
        summary="Cancel a purchase order.",
        input=OrderRef,
        output=Order,
        effect=EffectClass.NATURAL_KEY,
        run=cancel_order,
        simulate=_pretend_cancelled,
        irreversible="A cancelled order stays cancelled; place another one.",
    ),
    _changes(
        name="procurement.reserve_budget",
        summary="Set money of a cost centre aside for an order.",
        input=NewReservation,
        output=Reservation,
        effect=EffectClass.KEYED,
        key_lifetime=timedelta(hours=24),
        run=reserve_budget,
        simulate=_pretend_reserved,
        lookup=look_for_reservation,
        undo=UndoCall(tool="procurement.release_budget@1", args={"reservation_id": {"$ref": "output.reservation_id"}}),
        provides="procurement.reservation",
        sensitive=frozenset({"amount", "cost_centre"}),
    ),
    _changes(
        name="procurement.release_budget",
        summary="Give money that was set aside back to its budget.",
        input=ReservationRef,
        output=Reservation,
        effect=EffectClass.NATURAL_KEY,
        run=release_budget,
        simulate=_pretend_released,
        irreversible="What is released stays released; reserve it again.",
    ),
)
