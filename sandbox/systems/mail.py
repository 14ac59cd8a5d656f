"""Mail: it sends, and that is all. No key, no search, no taking back; the outbox is for people to read."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from sandbox.engine.fields import Mail, Snake, Text
from sandbox.engine.operation import Operation
from sandbox.engine.refusal import Refusal
from sandbox.engine.store import JsonObject
from sandbox.engine.system import System
from sandbox.engine.work import Working

router = APIRouter(route_class=Operation)


class Message(Snake):
    """A message to send."""

    to: Annotated[list[Mail], Field(min_length=1, max_length=20)]
    subject: Text
    text: Annotated[str, Field(min_length=1, max_length=100_000)]
    cc: Annotated[list[Mail], Field(max_length=20, default_factory=list)]


@router.post("/messages", status_code=202)
async def send_message(message: Message, work: Working) -> JsonObject:
    """Send a message."""
    identifier = work.new_id("msg-")
    record = {"id": identifier, **message.fields(), "accepted_at": work.now}
    work.keep("message", identifier, record, subject=",".join(message.to), reference=None)
    return {"id": identifier, "accepted_at": work.now}


@router.get("/outbox")
async def read_outbox(work: Working, limit: Annotated[int, Query(ge=1, le=500)] = 50) -> JsonObject:
    """Read the newest messages first."""
    messages = sorted(work.find("message"), key=_number, reverse=True)
    return {"messages": messages[:limit]}


def _number(message: JsonObject) -> int:
    return int(message["id"].removeprefix("msg-"))


def _shape(refusal: Refusal) -> JsonObject:
    reasons = [f"{field}: {problem}" for field, problem in refusal.fields] or [refusal.message]
    return {"status": "rejected", "code": refusal.code, "reasons": reasons, **refusal.extra}


MAIL = System(
    name="mail",
    about="outgoing messages",
    auth="basic",
    creating="unsafe: no key, no lookup",
    invalid_status=400,
    shape=_shape,
    router=router,
)
