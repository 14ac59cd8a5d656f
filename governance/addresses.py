"""Addresses at which deferred steps take their answers: unguessable, and the same however often a call is repeated.

An address is ``<run_id>.<step>.<token>``. Whoever knows it may answer, so it goes to the system that is called and
nowhere else; the journal has its mark, from which nobody gets back to it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass, field
from urllib.parse import quote


@dataclass(frozen=True)
class Addresses:
    """Makes addresses from the installation's secret. ``door`` is where they are served; empty: they are given bare."""

    secret: bytes = field(repr=False)
    door: str = ""

    def of(self, run_id: str, step: str, life: int) -> str:
        """The address of one life of a step."""
        told = f"{run_id}\n{step}\n{life}".encode()
        token = base64.urlsafe_b64encode(hmac.digest(self.secret, told, hashlib.sha256)).decode().rstrip("=")
        return f"{run_id}.{step}.{token}"

    def reach(self, address: str) -> str:
        """The address as a system is given it. An item's key may have any character in it, also a slash."""
        return f"{self.door.rstrip('/')}/{quote(address, safe='')}" if self.door else address


def mark(address: str) -> str:
    """SHA-256 of an address, in hexadecimal digits: what is kept of it."""
    return hashlib.sha256(address.encode("utf-8", "replace")).hexdigest()


def run_and_step(address: str) -> tuple[str, str]:
    """Which run and step an address says that it belongs to; empty words where it is none."""
    run_id, _, rest = address.partition(".")
    step, _, token = rest.rpartition(".")
    return (run_id, step) if run_id and step and token else ("", "")


def is_among(address: str, marks: tuple[str, ...]) -> bool:
    """Whether an address has one of these marks, in a time that does not tell which or how nearly."""
    found = mark(address)
    agree = [hmac.compare_digest(found, known) for known in marks]  # all of them, whichever it is
    return any(agree)
