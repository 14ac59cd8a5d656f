"""Support: customers' tickets, and the queues that they wait in. No keys: find a ticket by its reference."""

from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import Field, StringConstraints

from sandbox.engine.fields import Mail, Reference, Snake, Text
from sandbox.engine.operation import Operation
from sandbox.engine.refusal import Refusal, invalid
from sandbox.engine.store import JsonObject
from sandbox.engine.system import System
from sandbox.engine.work import Work, Working

router = APIRouter(route_class=Operation)

Body = Annotated[str, StringConstraints(min_length=1, max_length=20_000)]


class NewTicket(Snake):
    """What a customer wrote, and how it came."""

    customer: Mail
    body: Body
    channel: Literal["mail", "chat", "web", "phone"] = "mail"
    reference: Reference | None = None


class Assignment(Snake):
    """The queue that a ticket goes to, and why."""

    queue: Text
    reason: Annotated[str, StringConstraints(max_length=300)] | None = None


class Urgency(Snake):
    """Whether a ticket is escalated."""

    escalated: Annotated[bool, Field()]


@router.post("/tickets", status_code=201)
async def open_ticket(ticket: NewTicket, work: Working) -> JsonObject:
    """Open a ticket; it waits in the queue `inbox`."""
    more = {"queue": "inbox", "agent": None, "why": None, "escalated": False, "state": "open", "opened_at": work.now}
    return _keep(work, {"ticket_id": work.new_id("tck-"), **ticket.fields(), **more})


@router.get("/tickets")
async def find_tickets(work: Working, reference: str | None = None, customer: str | None = None) -> JsonObject:
    """Find tickets by exact reference or customer."""
    return {"tickets": work.find("ticket", reference=reference, customer=customer)}


@router.get("/tickets/{identifier}")
async def get_ticket(identifier: str, work: Working) -> JsonObject:
    """Read one ticket."""
    return work.get("ticket", identifier)


@router.put("/tickets/{identifier}/assignment")
async def assign_ticket(identifier: str, wish: Assignment, work: Working) -> JsonObject:
    """Put the ticket into a queue; answers with the previous one as well."""
    ticket, queue = work.get("ticket", identifier), next(iter(work.find("queue", queue=wish.queue)), None)
    if queue is None:
        raise invalid(queue=f"Unknown queue; known are {', '.join(row['queue'] for row in work.find('queue'))}")
    _check_open(ticket)
    before = ticket["queue"]
    if before != wish.queue:
        ticket = _keep(work, {**ticket, "queue": wish.queue, "agent": queue["agent"], "why": wish.reason})
    return {**ticket, "previous_queue": before}


@router.put("/tickets/{identifier}/urgency")
async def set_urgency(identifier: str, wish: Urgency, work: Working) -> JsonObject:
    """Escalate the ticket, or take that back."""
    ticket = work.get("ticket", identifier)
    _check_open(ticket)
    if ticket["escalated"] == wish.escalated:
        return ticket
    return _keep(work, {**ticket, "escalated": wish.escalated})


@router.post("/tickets/{identifier}/close")
async def close_ticket(identifier: str, work: Working) -> JsonObject:
    """Close the ticket; the record stays."""
    ticket = work.get("ticket", identifier)
    if ticket["state"] == "closed":
        return ticket
    return _keep(work, {**ticket, "state": "closed"})


@router.get("/queues")
async def list_queues(work: Working) -> JsonObject:
    """List the queues and who looks after them."""
    return {"queues": work.find("queue")}


def _check_open(ticket: JsonObject) -> None:
    if ticket["state"] == "closed":
        raise Refusal(409, "closed", f"Ticket {ticket['ticket_id']} is closed.")


def _keep(work: Work, ticket: JsonObject) -> JsonObject:
    return work.keep("ticket", ticket["ticket_id"], ticket, subject=ticket["customer"], reference=ticket["reference"])


def _shape(refusal: Refusal) -> JsonObject:
    problems = [f"{field}: {problem}" for field, problem in refusal.fields]
    return {"code": refusal.code, "detail": refusal.message, "problems": problems, **refusal.extra}


SUPPORT = System(
    name="support",
    about="customers' tickets and queues",
    auth="basic",
    creating="lookup, no lag",
    invalid_status=400,
    shape=_shape,
    router=router,
)
