"""Billing: customers, contracts, invoices, credit notes. Keyed for 24 hours; our key stands in ``reference`` as well.

The system counts in cents; the tools speak whole US dollars. What a customer says about an invoice is only a number to
look up, and only among that customer's own: every figure here is billing's.
"""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Annotated, Literal

from pydantic import Field

from governance.effects import EffectClass, UndoCall
from governance.errors import Permanent
from tools.contract import ApiKey, Call, Existing, Found, Tool, ToolModel
from tools.paths import path
from tools.practice import practice_system
from tools.reading import INVOICE
from tools.records import Record, judged
from tools.semantic import CreditNoteId, CustomerId, Email, InvoiceId
from tools.simulated_ids import simulated_id

Dollars = Annotated[int, Field(ge=0, le=10_000_000, description="whole US dollars")]
Number = Annotated[str, Field(pattern=INVOICE)]


class CustomerQuery(ToolModel):
    """A customer by e-mail."""

    customer: Email


class Customer(ToolModel):
    """A customer and what they are to us: ``largest`` is the account with the highest yearly value; nobody: ``unknown``."""

    customer_id: CustomerId | None = None
    tier: Literal["largest", "key", "standard", "unknown"]
    annual_value: int = Field(description="whole US dollars a year")


class InvoiceQuery(ToolModel):
    """An invoice by its number, and whose it must be."""

    invoice: Number
    customer: Email


class InvoiceCheck(ToolModel):
    """Whether there is such an invoice of that customer."""

    theirs: bool


class Invoice(ToolModel):
    """An invoice. Amounts in whole US dollars."""

    invoice_id: InvoiceId
    customer_id: CustomerId
    customer_email: Email
    contract: str
    period: str
    billed: Dollars


class InvoiceRef(ToolModel):
    """An invoice that was looked up."""

    invoice_id: InvoiceId


class Comparison(ToolModel):
    """What was billed beside what the contract says. ``credit_due`` is the difference in the customer's favour, or 0."""

    invoice_id: InvoiceId
    billed: Dollars
    agreed: Dollars
    credit_due: Dollars
    because: str


class NewCreditNote(ToolModel):
    """How much is given back on which invoice, and why."""

    invoice_id: InvoiceId
    amount: Dollars
    why: str | None = Field(default=None, max_length=200)


class CreditNote(ToolModel):
    """A credit note."""

    credit_note_id: CreditNoteId
    invoice_id: InvoiceId
    amount: Dollars
    state: str = Field(description="issued or void")


class CreditNoteRef(ToolModel):
    """A credit note by its number."""

    credit_note_id: CreditNoteId


def _note(record: Record) -> CreditNote:
    return CreditNote(
        credit_note_id=record["creditNoteId"],
        invoice_id=record["invoiceNo"],
        amount=record["amountCents"] // 100,
        state=record["state"],
    )


def _nobody_elses(_: Record) -> bool:
    return False  # an invoice may have several credit notes: only our key tells ours


async def find_customer(call: Call, wanted: CustomerQuery) -> Customer:
    """Who a customer is; an address that billing does not know is ``unknown``, not a failure."""
    found = (await call.http.request("GET", "/customers", params={"mail": wanted.customer})).body["items"]
    if not found:
        return Customer(tier="unknown", annual_value=0)
    record = found[0]
    value = record["annualValueCents"] // 100
    return Customer(customer_id=record["customerId"], tier=record["tier"], annual_value=value)


async def check_invoice(call: Call, wanted: InvoiceQuery) -> InvoiceCheck:
    """Whether the invoice is one of the customer's."""
    record = await _of_customer(call, wanted)
    return InvoiceCheck(theirs=record is not None)


async def get_invoice(call: Call, wanted: InvoiceQuery) -> Invoice:
    """The invoice, if it is the customer's; somebody else's is not there for them."""
    record = await _of_customer(call, wanted)
    if record is None:
        raise Permanent(
            f"There is no invoice {wanted.invoice} of {wanted.customer}.",
            code="not_found",
            hint="Check the number and whose invoice it is.",
        )
    return Invoice(
        invoice_id=record["invoiceNo"],
        customer_id=record["customerId"],
        customer_email=record["customerMail"],
        contract=record["contractId"],
        period=record["period"],
        billed=record["totalCents"] // 100,
    )


async def _of_customer(call: Call, wanted: InvoiceQuery) -> Record | None:
    answer = await call.http.request("GET", path("invoices", wanted.invoice), expect=(404,))
    if answer.status == 404 or answer.body["customerMail"] != wanted.customer.casefold():
        return None
    record: Record = answer.body
    return record


async def compare_with_contract(call: Call, wanted: InvoiceRef) -> Comparison:
    """Bill the contract's units and price anew, and compare."""
    invoice = (await call.http.request("GET", path("invoices", wanted.invoice_id))).body
    contract = (await call.http.request("GET", path("contracts", invoice["contractId"]))).body
    agreed = contract["units"] * contract["unitPriceCents"]
    billed = invoice["totalCents"]
    due = max(0, billed - agreed) // 100
    return Comparison(
        invoice_id=invoice["invoiceNo"],
        billed=billed // 100,
        agreed=agreed // 100,
        credit_due=due,
        because=f"{invoice['units']} units at {invoice['unitPriceCents'] / 100:,.2f} USD were billed; the contract has"
        f" {contract['units']} at {contract['unitPriceCents'] / 100:,.2f}",
    )


async def issue_credit_note(call: Call, wanted: NewCreditNote) -> CreditNote:
    """Issue the credit note; billing knows the call again by its key."""
    body = {
        "invoiceNo": wanted.invoice_id,
        "amountCents": wanted.amount * 100,
        "reason": wanted.why,
        "reference": call.key,
    }
    answer = await call.http.request("POST", "/credit-notes", json=body, headers={"Idempotency-Key": call.key})
    return _note(answer.body)


async def look_for_credit_note(call: Call, _: NewCreditNote) -> Found:
    """Ours by ``reference``."""
    found = (await call.http.request("GET", "/credit-notes", params={"reference": call.key})).body["items"]
    return judged(found, key=call.key, reference="reference", name="creditNoteId", read=_note, live=_nobody_elses)


async def void_credit_note(call: Call, wanted: CreditNoteRef) -> CreditNote | Existing:
    """Make the credit note void; one that is void already is Existing."""
    there = _note((await call.http.request("GET", path("credit-notes", wanted.credit_note_id))).body)
    if there.state == "void":
        return Existing(there)
    return _note((await call.http.request("POST", path("credit-notes", wanted.credit_note_id, "void"))).body)


def _pretend_invoice(wanted: InvoiceQuery, _: str) -> Invoice:
    return Invoice(
        invoice_id=wanted.invoice,
        customer_id=simulated_id("cus-", 4, wanted.customer),
        customer_email=wanted.customer,
        contract="ctr-0000",
        period="2026-01",
        billed=1_000,
    )


def _pretend_comparison(wanted: InvoiceRef, _: str) -> Comparison:
    return Comparison(
        invoice_id=wanted.invoice_id, billed=1_000, agreed=900, credit_due=100, because="this is simulated"
    )


def _pretend_note(wanted: NewCreditNote, key: str) -> CreditNote:
    known = wanted.model_dump(exclude={"why"})
    return CreditNote(credit_note_id=simulated_id("crn-", 4, key), state="issued", **known)


def _pretend_void(wanted: CreditNoteRef, _: str) -> CreditNote:
    return CreditNote(credit_note_id=wanted.credit_note_id, invoice_id="INV-0000", amount=1, state="void")


SYSTEM = practice_system("billing", "Billing", ApiKey(), offset=12)
_reads = partial(
    Tool,
    system="billing",
    effect=EffectClass.READ,
    permission="billing:read",
    data_classes=frozenset({"financial"}),
)
_changes = partial(
    Tool,
    system="billing",
    settle=timedelta(seconds=2),
    permission="billing:write",
    data_classes=frozenset({"financial"}),
)
TOOLS = (
    _reads(
        name="billing.find_customer",
        summary="Look up what a customer is to us, by e-mail.",
        input=CustomerQuery,
        output=Customer,
        run=find_customer,
        simulate=lambda _, __: Customer(tier="standard", annual_value=10_000),
        provides="billing.customer",
        closed=frozenset({"customer"}),
    ),
    _reads(
        name="billing.check_invoice",
        summary="See whether an invoice is one of a customer's.",
        input=InvoiceQuery,
        output=InvoiceCheck,
        run=check_invoice,
        simulate=lambda _, __: InvoiceCheck(theirs=True),
        provides="billing.invoice_check",
        closed=frozenset({"invoice", "customer"}),
    ),
    _reads(
        name="billing.get_invoice",
        summary="Read an invoice of a customer.",
        input=InvoiceQuery,
        output=Invoice,
        run=get_invoice,
        simulate=_pretend_invoice,
        provides="billing.invoice",
        closed=frozenset({"invoice", "customer"}),
    ),
    _reads(
        name="billing.compare_with_contract",
        summary="Compare what an invoice says with what its contract says.",
        input=InvoiceRef,
        output=Comparison,
        run=compare_with_contract,
        simulate=_pretend_comparison,
        provides="billing.comparison",
    ),
    _changes(
        name="billing.issue_credit_note",
        summary="Give money back on an invoice by a credit note.",
        input=NewCreditNote,
        output=CreditNote,
        effect=EffectClass.KEYED,
        key_lifetime=timedelta(hours=24),
        run=issue_credit_note,
        simulate=_pretend_note,
        lookup=look_for_credit_note,
        undo=UndoCall(tool="billing.void_credit_note@1", args={"credit_note_id": {"$ref": "output.credit_note_id"}}),
        provides="billing.credit_note",
        amount="amount",
        sensitive=frozenset({"invoice_id", "amount"}),
    ),
    _changes(
        name="billing.void_credit_note",
        summary="Make a credit note void.",
        input=CreditNoteRef,
        output=CreditNote,
        effect=EffectClass.NATURAL_KEY,
        run=void_credit_note,
        simulate=_pretend_void,
        irreversible="A void credit note stays void; issue another one.",
    ),
)
