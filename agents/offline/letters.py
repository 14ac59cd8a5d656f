"""What of a text is the request: not who signed it, and not what it would have a machine do."""

from __future__ import annotations

import re

_SIGNED = re.compile(
    r"^[ \t>]*(?:(?:kind|best|warm|many)?\s*(?:regards|wishes|greetings)|best|cheers|thanks|thank you|sincerely|yours"
    r"|many thanks)\b[ \t,.!:)]*(?:and regards[ \t,.!]*)?(?:\n.{0,60}){0,5}\s*\Z",
    re.IGNORECASE | re.MULTILINE,
)
_ORDERS = re.compile(
    r"(?:ignore|disregard|forget)\s+(?:all\s+|any\s+|the\s+|your\s+|my\s+)*(?:previous|prior|above|earlier|rules?|instructions?)\b"
    r"|(?:\b(?:system|assistant|ai)\s*:)|\bnote to (?:the )?(?:ai|assistant|system|bot|steward)\b|<!--"
    r"|\byou (?:must|are) now\b|\bwhen processing this\b",
    re.IGNORECASE,
)


def asked_part(text: str) -> str:
    """The text with signatures and orders to machines blanked out, character for character.

    Orders are data that somebody put there: from where one begins, the rest of its paragraph says nothing.
    """
    for found in reversed(list(_ORDERS.finditer(text))):
        end = text.find("\n\n", found.end())
        text = _blanked(text, found.start(), len(text) if end < 0 else end)
    signed = _SIGNED.search(text)
    return _blanked(text, signed.start(), len(text)) if signed and signed.start() else text


def _blanked(text: str, start: int, end: int) -> str:
    return text[:start] + re.sub(r"[^\n]", " ", text[start:end]) + text[end:]
