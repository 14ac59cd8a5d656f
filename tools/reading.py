"""Reading a customer's ticket by rule: what kind it is, how urgent, and which invoices it names, each with its words.

A quarantined reader: whatever stands in the text, what comes out is one of a few words or an invoice's number, with the
quote that it was read from. Nothing in the text can ask for anything.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from tools.contract import ToolModel

Kind = Literal["dispute", "invoice", "technical", "access", "other"]
INVOICE = r"^INV-\d{4,6}$"
_NUMBER = re.compile(r"(?<![\w-])INV[-\s]?(\d{4,6})(?!\w)", re.IGNORECASE)
# In the order in which they are tried: who disputes an invoice also names one.
_KINDS: Mapping[Kind, re.Pattern[str]] = {
    "dispute": re.compile(
        r"\b(?:overcharged?|over-?billed|billed (?:us )?(?:too much|twice)|charged (?:us )?(?:too much|twice)|dispute"
        r"|(?:invoice|amount|price|total|bill) (?:\S+ ){0,3}?(?:is |looks |seems )?(?:wrong|incorrect|too high)"
        r"|not what (?:we|was) agreed|differs? from (?:the|our) contract|credit note|refund)\b",
        re.IGNORECASE,
    ),
    "technical": re.compile(
        r"\b(?:outage|down|error|crash(?:es|ed)?|broken|bug|fails?|failing|not working|does not work|slow)\b",
        re.IGNORECASE,
    ),
    "access": re.compile(r"\b(?:password|log ?in|sign ?in|locked out|access|permission)\b", re.IGNORECASE),
    "invoice": re.compile(r"\b(?:invoice|bill|payment|receipt)\b", re.IGNORECASE),
}
_URGENT = re.compile(
    r"\b(?:urgent(?:ly)?|asap|immediately|outage|production (?:is )?down|legal action|lawyer|terminate the contract)\b",
    re.IGNORECASE,
)


class Quote(ToolModel):
    """An invoice's number and the words that it was read from."""

    number: str = Field(pattern=INVOICE)
    quote: str


class TicketText(ToolModel):
    """What a customer wrote."""

    text: str = Field(min_length=1, max_length=20_000)


class Reading(ToolModel):
    """What a ticket says, in closed words. ``invoice`` is the first invoice named; ``because`` the words that decided."""

    kind: Kind
    urgency: Literal["high", "normal"]
    invoice: str | None = Field(default=None, pattern=INVOICE)
    invoices: tuple[Quote, ...] = ()
    because: str


def read(text: str) -> Reading:
    """Read a ticket. The same text always gives the same reading."""
    found: dict[str, str] = {}
    for match in _NUMBER.finditer(text):
        found.setdefault(f"INV-{match[1]}", match[0])
    quotes = tuple(Quote(number=number, quote=quote) for number, quote in found.items())
    hits = {name: hit[0] for name, pattern in _KINDS.items() if (hit := pattern.search(text))}
    kind: Kind = next(iter(hits), "invoice" if quotes else "other")
    words = hits[kind] if kind in hits else quotes[0].quote if quotes else ""
    return Reading(
        kind=kind,
        urgency="high" if _URGENT.search(text) else "normal",
        invoice=quotes[0].number if quotes else None,
        invoices=quotes,
        because=f"it says “{words}”" if words else "none of the words that are known stands in it",
    )
