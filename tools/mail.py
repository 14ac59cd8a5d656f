"""Mail: it sends, and that is all. Unsafe: no key, no search, no taking back."""

from __future__ import annotations

from datetime import datetime, timedelta

from pydantic import AwareDatetime, Field

from governance.effects import EffectClass
from tools.contract import Basic, Call, Tool, ToolModel
from tools.practice import practice_system
from tools.semantic import Email, MessageId
from tools.simulated_ids import SIMULATED_MOMENT, simulated_id


class NewMessage(ToolModel):
    """What is sent to whom."""

    to: Email = Field(description="the recipient")
    subject: str = Field(min_length=1, max_length=200)
    text: str = Field(min_length=1, max_length=20_000, description="plain text")
    cc: tuple[Email, ...] = Field(default=(), max_length=20, description="who gets a copy")


class Message(ToolModel):
    """A message that the mail system accepted."""

    message_id: MessageId
    to: Email
    accepted_at: AwareDatetime


async def send(call: Call, wanted: NewMessage) -> Message:
    """Send the message. Called twice, it sends two."""
    body = {"to": [wanted.to], "subject": wanted.subject, "text": wanted.text, "cc": list(wanted.cc)}
    answer = await call.http.request("POST", "/messages", json=body)
    accepted_at = datetime.fromisoformat(answer.body["accepted_at"])
    return Message(message_id=answer.body["id"], to=wanted.to, accepted_at=accepted_at)


def _pretend(wanted: NewMessage, key: str) -> Message:
    return Message(message_id=simulated_id("msg-", 4, key), to=wanted.to, accepted_at=SIMULATED_MOMENT)


SYSTEM = practice_system("mail", "Mail", Basic(), offset=9)
TOOLS = (
    Tool(
        name="mail.send",
        system="mail",
        summary="Send an e-mail.",
        input=NewMessage,
        output=Message,
        effect=EffectClass.UNSAFE,
        run=send,
        simulate=_pretend,
        irreversible="A message that is sent cannot be called back.",
        provides="mail.message",
        settle=timedelta(seconds=5),
        permission="mail:write",
        data_classes=frozenset({"personal"}),
        sensitive=frozenset({"to", "cc"}),
    ),
)
