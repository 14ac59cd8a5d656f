"""Signatures in the manner of Standard Webhooks: what is taken, and that nothing else is."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import pytest

from governance.signatures import Signatures, random_secret, read_secrets

NOW = datetime(2027, 1, 4, 9, 0, tzinfo=UTC)
STAMP = str(int(NOW.timestamp()))
BODY = b'{"id": "e-1"}'
OURS = Signatures((b"our own secret",))
GOOD = OURS.sign("msg_1", NOW, BODY)


def test_the_example_of_the_standard_is_signed_as_it_says() -> None:
    """``id.timestamp.body``, HMAC-SHA256 under the decoded secret, Base64: the specification's own example."""
    (secret,) = read_secrets("whsec_plJ3nmyCDGBKInavdOK15jsl")
    sent = datetime.fromtimestamp(1731705121, UTC)
    body = b'{"event_type":"ping","data":{"success":true}}'
    signed = Signatures((secret,)).sign("msg_loFOjxBNrRLzqYUf", sent, body)
    assert signed == "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0="


@pytest.mark.parametrize(
    ("message_id", "timestamp", "signatures", "body", "why"),
    [
        ("msg_1", STAMP, GOOD, BODY, ""),
        ("msg_1", STAMP, f"v1,AAAA {GOOD} v1a,xyz", BODY, ""),
        ("msg_1", STAMP, "", BODY, "not signed"),
        ("", STAMP, GOOD, BODY, "not signed"),
        ("msg_1", "", GOOD, BODY, "not signed"),
        ("msg_2", STAMP, GOOD, BODY, "not ours"),
        ("msg_1", STAMP, GOOD, BODY + b" ", "not ours"),
        ("msg_1", str(int(STAMP) + 1), GOOD, BODY, "not ours"),
        ("msg_1", STAMP, GOOD.removeprefix("v1,"), BODY, "not ours"),
        ("msg_1", STAMP, GOOD.replace("v1,", "v2,"), BODY, "not ours"),
        ("msg_1", STAMP, GOOD[:-4], BODY, "not ours"),
        ("msg_1", STAMP, "v1,ünïcode\ud800", BODY, "not ours"),
        ("msg_1", "soon", GOOD, BODY, "not a number"),
        ("msg_1", "-1", GOOD, BODY, "not a number"),
        ("msg_1", "١٢٣", GOOD, BODY, "not a number"),
        ("msg_1", "9" * 40, GOOD, BODY, "not a number"),
    ],
)
def test_only_what_was_signed_is_taken(message_id: str, timestamp: str, signatures: str, body: bytes, why: str) -> None:
    """Whatever is changed or left out; of several signatures one is enough."""
    found = OURS.problem(message_id, timestamp, signatures, body, now=NOW)
    assert bool(found) is bool(why)
    assert why in found


@pytest.mark.parametrize(("minutes", "taken"), [(0, True), (5, True), (-5, True), (5.1, False), (-5.1, False)])
def test_a_message_is_good_for_five_minutes(minutes: float, taken: bool) -> None:
    """Either way, for clocks differ; what was overheard is of no use later."""
    then = NOW + timedelta(minutes=minutes)
    assert (not OURS.problem("msg_1", STAMP, GOOD, BODY, now=then)) is taken


def test_two_secrets_count_while_one_is_changed() -> None:
    """The first signs."""
    both = Signatures(read_secrets("new-secret  old-secret"))
    old, new = Signatures((b"old-secret",)), Signatures((b"new-secret",))
    for one in (old, new):
        assert both.problem("m", STAMP, one.sign("m", NOW, BODY), BODY, now=NOW) == ""
    assert both.sign("m", NOW, BODY) == new.sign("m", NOW, BODY)
    assert new.problem("m", STAMP, old.sign("m", NOW, BODY), BODY, now=NOW) != ""


def test_without_a_secret_nothing_is_signed_well() -> None:
    """Also not by an empty key."""
    nobody = Signatures(())
    assert nobody.problem("msg_1", STAMP, Signatures((b"",)).sign("msg_1", NOW, BODY), BODY, now=NOW) != ""


def test_secrets_are_random_and_shown_to_nobody() -> None:
    """256 bits, and no repr has them."""
    text = random_secret()
    (secret,) = read_secrets(text)
    assert len(secret) == 32
    assert random_secret() != text
    assert base64.b64encode(secret).decode() not in repr(Signatures((secret,)))
    with pytest.raises(ValueError, match="Base64"):
        read_secrets("whsec_!")
