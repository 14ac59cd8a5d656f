"""Support: customers' tickets and the queues that they wait in. No keys: our key stands in ``reference``, and is found."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Literal

from pydantic import Field

from governance.effects import EffectClass, UndoCall
from tools.contract import Basic, Call, Existing, Found, Tool, ToolModel
from tools.paths import path
from tools.practice import practice_system
from tools.reading import Reading, TicketText, read
from tools.records import Record, judged
from tools.semantic import Email, TicketId
from tools.simulated_ids import simulated_id

Queue = Literal["inbox", "general", "billing", "technical", "senior"]
Channel = Literal["mail", "chat", "web", "phone"]


class NewTicket(ToolModel):
    """What a customer wrote, and how it came."""

    customer: Email = Field(description="whom it came from")
    text: str = Field(min_length=1, max_length=20_000)
    channel: Channel = "mail"


class TicketRef(ToolModel):
    """A ticket by its number."""

    ticket_id: TicketId


class Assignment(ToolModel):
    """Which ticket goes into which queue, and why."""

    ticket_id: TicketId
    queue: Queue
    why: str | None = Field(default=None, max_length=300)


class Ticket(ToolModel):
    """A ticket. ``agent`` is the e-mail of who looks after its queue."""

    ticket_id: TicketId
    queue: Queue
    agent: str | None = None
    escalated: bool
    state: str = Field(description="open or closed")


class Assigned(ToolModel):
    """A ticket in its queue, and where it was before."""

    ticket_id: TicketId
    queue: Queue
    previous_queue: Queue
    agent: str | None = None


def _ticket(record: Record) -> Ticket:
    return Ticket(**{name: record[name] for name in ("ticket_id", "queue", "agent", "escalated", "state")})


def _assigned(record: Record) -> Assigned:
    return Assigned(**{name: record[name] for name in ("ticket_id", "queue", "previous_queue", "agent")})


def _nobody_elses(_: Record) -> bool:
    return False  # a customer may write the same twice: only our key tells ours


async def _get(call: Call, ticket_id: str) -> Ticket:
    return _ticket((await call.http.request("GET", path("tickets", ticket_id))).body)


async def read_ticket(_: Call, wanted: TicketText) -> Reading:
    """Read the text by rule. It stays in this process."""
    return read(wanted.text)


async def open_ticket(call: Call, wanted: NewTicket) -> Ticket:
    """Open a ticket. Called twice, it opens two: a lost answer is looked up by our key."""
    body = {
        "customer": wanted.customer,
        "body": wanted.text,
        "channel": wanted.channel,
        "reference": call.key,
    }
    return _ticket((await call.http.request("POST", "/tickets", json=body)).body)


async def look_for_ticket(call: Call, _: NewTicket) -> Found:
    """Ours by ``reference``."""
    found = (await call.http.request("GET", "/tickets", params={"reference": call.key})).body["tickets"]
    return judged(found, key=call.key, reference="reference", name="ticket_id", read=_ticket, live=_nobody_elses)


async def assign_ticket(call: Call, wanted: Assignment) -> Assigned | Existing:
    """Put the ticket into a queue; one that is there already is Existing."""
    there = await _get(call, wanted.ticket_id)
    if there.queue == wanted.queue:
        known = there.model_dump(include={"ticket_id", "queue", "agent"})
        return Existing(Assigned(previous_queue=there.queue, **known))
    body = {"queue": wanted.queue, "reason": wanted.why}
    answer = await call.http.request("PUT", path("tickets", wanted.ticket_id, "assignment"), json=body)
    return _assigned(answer.body)


async def escalate_ticket(call: Call, wanted: TicketRef) -> Ticket | Existing:
    """Put the ticket before all others of its queue."""
    return await _set_urgency(call, wanted, escalated=True)


async def calm_ticket(call: Call, wanted: TicketRef) -> Ticket | Existing:
    """Take an escalation back."""
    return await _set_urgency(call, wanted, escalated=False)


async def _set_urgency(call: Call, wanted: TicketRef, *, escalated: bool) -> Ticket | Existing:
    there = await _get(call, wanted.ticket_id)
    if there.escalated == escalated:
        return Existing(there)
    body = {"escalated": escalated}
    return _ticket((await call.http.request("PUT", path("tickets", wanted.ticket_id, "urgency"), json=body)).body)


async def close_ticket(call: Call, wanted: TicketRef) -> Ticket | Existing:
    """Close the ticket; one that is closed already is Existing."""
    there = await _get(call, wanted.ticket_id)
    if there.state == "closed":
        return Existing(there)
    return _ticket((await call.http.request("POST", path("tickets", wanted.ticket_id, "close"))).body)


def _pretend(ticket_id: str, *, escalated: bool = False, state: str = "open") -> Ticket:
    return Ticket(ticket_id=ticket_id, queue="inbox", escalated=escalated, state=state)


def _pretend_assigned(wanted: Assignment, _: str) -> Assigned:
    return Assigned(ticket_id=wanted.ticket_id, queue=wanted.queue, previous_queue="inbox")


SYSTEM = practice_system("support", "Support", Basic(), offset=11)
_changes = partial(
    Tool,
    system="support",
    settle=timedelta(seconds=2),
    permission="support:write",
    data_classes=frozenset({"personal"}),
)
TOOLS = (
    Tool(
        name="support.read_ticket",
        system="support",
        summary="Read a customer's words: the kind of ticket, its urgency, the invoices it names.",
        input=TicketText,
        output=Reading,
        effect=EffectClass.READ,
        run=read_ticket,
        simulate=lambda wanted, _: read(wanted.text),
        permission="support:read",
        data_classes=frozenset({"personal"}),
        provides="support.reading",
        untrusted_output=True,
    ),
    _changes(
        name="support.open_ticket",
        summary="Open a ticket for what a customer wrote.",
        input=NewTicket,
        output=Ticket,
        effect=EffectClass.RECONCILABLE,
        run=open_ticket,
        simulate=lambda _, key: _pretend(simulated_id("tck-", 4, key)),
        lookup=look_for_ticket,
        undo=UndoCall(tool="support.close_ticket@1", args={"ticket_id": {"$ref": "output.ticket_id"}}),
        provides="support.ticket",
    ),
    _changes(
        name="support.assign_ticket",
        summary="Put a ticket into a queue, with the reason.",
        input=Assignment,
        output=Assigned,
        effect=EffectClass.NATURAL_KEY,
        run=assign_ticket,
        simulate=_pretend_assigned,
        undo=UndoCall(
            tool="support.assign_ticket@1",
            args={"ticket_id": {"$ref": "output.ticket_id"}, "queue": {"$ref": "output.previous_queue"}},
        ),
        provides="support.assignment",
    ),
    _changes(
        name="support.escalate_ticket",
        summary="Put a ticket before all others of its queue.",
        input=TicketRef,
        output=Ticket,
        effect=EffectClass.NATURAL_KEY,
        run=escalate_ticket,
        simulate=lambda wanted, _: _pretend(wanted.ticket_id, escalated=True),
        undo=UndoCall(tool="support.calm_ticket@1", args={"ticket_id": {"$ref": "output.ticket_id"}}),
        provides="support.escalation",
    ),
    _changes(
        name="support.calm_ticket",
        summary="Take a ticket's escalation back.",
        input=TicketRef,
        output=Ticket,
        effect=EffectClass.NATURAL_KEY,
        run=calm_ticket,
        simulate=lambda wanted, _: _pretend(wanted.ticket_id),
        undo=UndoCall(tool="support.escalate_ticket@1", args={"ticket_id": {"$ref": "output.ticket_id"}}),
    ),
    _changes(
        name="support.close_ticket",
        summary="Close a ticket.",
        input=TicketRef,
        output=Ticket,
        effect=EffectClass.NATURAL_KEY,
        run=close_ticket,
        simulate=lambda wanted, _: _pretend(wanted.ticket_id, state="closed"),
        irreversible="A closed ticket stays closed; open another one.",
    ),
)
