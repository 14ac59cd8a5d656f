"""Billing: customers, contracts, invoices, credit notes. Honours Idempotency-Key for 24 hours. Money is in US cents."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from sandbox.engine.fields import Camel, Reference, Text
from sandbox.engine.operation import Operation
from sandbox.engine.refusal import Refusal, invalid
from sandbox.engine.store import JsonObject
from sandbox.engine.system import System
from sandbox.engine.work import Work, Working

router = APIRouter(route_class=Operation)


class NewCreditNote(Camel):
    """Money that is given back on an invoice."""

    invoice_no: Text
    amount_cents: Annotated[int, Field(ge=1, le=1_000_000_000)]
    reason: Text | None = None
    reference: Reference | None = None


@router.get("/customers")
async def find_customers(work: Working, mail: str | None = None) -> JsonObject:
    """Find customers by their exact mail."""
    found = work.find("customer", mail=mail.lower() if mail else None)
    return {"count": len(found), "items": found}


@router.get("/contracts/{identifier}")
async def get_contract(identifier: str, work: Working) -> JsonObject:
    """Read one contract."""
    return work.get("contract", identifier)


@router.get("/invoices/{number}")
async def get_invoice(number: str, work: Working) -> JsonObject:
    """Read one invoice."""
    return work.get("invoice", number)


@router.post("/credit-notes", status_code=201)
async def issue_credit_note(note: NewCreditNote, work: Working) -> JsonObject:
    """Issue a credit note. All that stand together are at most the invoice's total."""
    invoice = next(iter(work.find("invoice", invoiceNo=note.invoice_no)), None)
    if invoice is None:
        raise invalid(invoiceNo="There is no such invoice")
    stands = [row for row in work.find("credit note", invoiceNo=note.invoice_no) if row["state"] == "issued"]
    if sum(row["amountCents"] for row in stands) + note.amount_cents > invoice["totalCents"]:
        raise Refusal(409, "too_much", f"Credit notes on {note.invoice_no} would be more than its total.")
    more = {"state": "issued", "issuedAt": work.now, "voidedAt": None}
    return _keep(work, {"creditNoteId": work.new_id("crn-"), **note.fields(), **more})


@router.get("/credit-notes")
async def find_credit_notes(
    work: Working,
    reference: str | None = None,
    invoice_no: Annotated[str | None, Query(alias="invoiceNo")] = None,
) -> JsonObject:
    """Find credit notes by exact reference or invoice."""
    found = work.find("credit note", reference=reference, invoiceNo=invoice_no)
    return {"count": len(found), "items": found}


@router.get("/credit-notes/{identifier}")
async def get_credit_note(identifier: str, work: Working) -> JsonObject:
    """Read one credit note."""
    return work.get("credit note", identifier)


@router.post("/credit-notes/{identifier}/void")
async def void_credit_note(identifier: str, work: Working) -> JsonObject:
    """Make the credit note void; the record stays."""
    note = work.get("credit note", identifier)
    if note["state"] == "void":
        return note
    return _keep(work, {**note, "state": "void", "voidedAt": work.now})


def _keep(work: Work, note: JsonObject) -> JsonObject:
    subject, reference = note["invoiceNo"], note["reference"]
    return work.keep("credit note", note["creditNoteId"], note, subject=subject, reference=reference)


def _shape(refusal: Refusal) -> JsonObject:
    return {"reason": refusal.code, "text": refusal.message, "invalid": dict(refusal.fields), **refusal.extra}


BILLING = System(
    name="billing",
    about="customers, contracts, invoices",
    auth="api_key",
    creating="keyed, 24 h",
    invalid_status=422,
    shape=_shape,
    router=router,
    key_lifetime_seconds=86_400,
)
