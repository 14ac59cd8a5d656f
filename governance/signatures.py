"""Signatures of what other systems send, in the manner of Standard Webhooks: HMAC-SHA256 over id, time and body.

``webhook-signature`` holds one or more signatures, ``v1,`` and Base64, separated by blanks, so that a sender can change its
secret; the receiver may know two for the same reason.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta

TOLERANCE = timedelta(minutes=5)
"""How far a message's time may be from ours, either way: an old one may have been overheard."""
PREFIX = "whsec_"
_VERSION = "v1,"


@dataclass(frozen=True)
class Signatures:
    """Makes and looks at signatures. ``secrets``: those that count; with none, nothing is signed well."""

    secrets: tuple[bytes, ...] = field(repr=False)

    def sign(self, message_id: str, sent_at: datetime, body: bytes) -> str:
        """The signature of a message, by the first secret."""
        return _signature(self.secrets[0], message_id, str(int(sent_at.timestamp())), body)

    def problem(self, message_id: str, timestamp: str, signatures: str, body: bytes, *, now: datetime) -> str:
        """Why a message is not taken for what it says it is, as a sentence; empty when it is.

        ``timestamp`` is whole seconds since 1970, as sent. Compared in a time that does not tell how nearly one fits.
        """
        if not (message_id and timestamp and signatures):
            return "It is not signed: webhook-id, webhook-timestamp and webhook-signature belong to it."
        if not (timestamp.isascii() and timestamp.isdecimal() and len(timestamp) <= 12):
            return "Its webhook-timestamp is not a number of seconds."
        if abs(now.timestamp() - int(timestamp)) > TOLERANCE.total_seconds():
            return "Its webhook-timestamp is more than five minutes away from the time here."
        expected = [_signature(secret, message_id, timestamp, body).encode() for secret in self.secrets]
        given = [each.encode("utf-8", "replace") for each in signatures.split()]
        agree = [hmac.compare_digest(one, other) for one in expected for other in given]  # all of them, whichever it is
        return "" if any(agree) else "Its signature is not ours."


def random_secret() -> str:
    """A new secret, as it is written down."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def read_secrets(text: str) -> tuple[bytes, ...]:
    """Secrets as they are written down, separated by blanks: ``whsec_`` and Base64, or any other text as it is.

    Raises:
        ValueError: what follows ``whsec_`` is not Base64.

    """
    return tuple(_read(each) for each in text.split())


def _read(text: str) -> bytes:
    if not text.startswith(PREFIX):
        return text.encode()
    try:
        return base64.b64decode(text.removeprefix(PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError(f"a secret that begins with {PREFIX} goes on in Base64") from error


def _signature(secret: bytes, message_id: str, timestamp: str, body: bytes) -> str:
    signed = b".".join([message_id.encode("utf-8", "replace"), timestamp.encode(), body])
    return _VERSION + base64.b64encode(hmac.digest(secret, signed, hashlib.sha256)).decode()
