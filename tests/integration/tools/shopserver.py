"""A small real HTTP server that misbehaves on demand: it keeps things, and counts how often one was made.

It speaks HTTP/1.1 on a socket by itself, because frameworks do not let an answer be cut, or a socket be dropped.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

FAULTS = (
    "error_before",
    "error_after",
    "drop_before",
    "drop_after",
    "hang_before",
    "hang_after",
    "malformed",
    "cut",
    "busy",
)


@dataclass(frozen=True)
class Asked:
    """One request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    params: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body) if self.body else None


@dataclass(frozen=True)
class Answer:
    """What to send: status, body (JSON, or bytes as they are), headers."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Shop:
    """The server's state. ``faults``: one for each of the next makings. ``script``: answers by path instead of its own.

    ``keyed``: a repeated Idempotency-Key gives the same thing; ``unique``: a name can be there only once.
    """

    url: str = ""
    keyed: bool = False
    unique: bool = False
    faults: list[str] = field(default_factory=list)
    script: dict[str, list[Answer]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    things: list[dict[str, str]] = field(default_factory=list)
    held: asyncio.Event = field(default_factory=asyncio.Event)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def makings(self) -> int:
        """How many requests to make a thing came."""
        return sum(asked.method == "POST" and asked.path == "/things" for asked in self.asked)

    def answer(self, asked: Asked) -> Answer:
        """The answer of a well-behaved shop."""
        if asked.method == "GET":
            return Answer(200, {"things": [t for t in self.things if asked.params.items() <= t.items()]})
        wanted, key = asked.json, asked.headers.get("idempotency-key", "")
        same_key = [t for t in self.things if self.keyed and t["key"] == key]
        same_name = [t for t in self.things if self.unique and t["name"] == wanted["name"]]
        if same_key:
            return Answer(201, same_key[0])
        if same_name:
            return Answer(409, {"existing": same_name[0]})
        made = {"id": f"t-{len(self.things) + 1}", "key": key, **wanted}
        self.things.append(made)
        return Answer(201, made)


@asynccontextmanager
async def open_shop() -> AsyncIterator[Shop]:
    """A shop on a free port, until the end of the block."""
    shop = Shop()
    handlers: set[asyncio.Task[None]] = set()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(_serve(shop, reader, writer))
        handlers.add(task)
        task.add_done_callback(handlers.discard)

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    shop.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield shop
    finally:
        server.close()
        shop.held.set()
        for task in handlers:
            task.cancel()
        await asyncio.gather(*handlers, return_exceptions=True)


async def _serve(shop: Shop, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while (asked := await _read(reader)) is not None:
            shop.asked.append(asked)
            shop.arrived.set()
            if not await _react(shop, asked, writer):
                return
    except ConnectionError:
        pass
    finally:
        writer.transport.abort()


async def _react(shop: Shop, asked: Asked, writer: asyncio.StreamWriter) -> bool:
    """Answer, or not; False closes the connection."""
    if shop.script.get(asked.path):
        _write(writer, shop.script[asked.path].pop(0))
        return True
    fault = shop.faults.pop(0) if shop.faults and asked.method != "GET" else ""
    if fault == "busy":
        _write(writer, Answer(429, {"message": "slow down"}, {"Retry-After": "3"}))
        return True
    answer = None if fault.endswith("_before") else shop.answer(asked)
    if fault.startswith("hang"):
        await shop.held.wait()
        return False
    if fault.startswith("drop"):
        return False
    if fault.startswith("error"):
        answer = Answer(500, {"message": "it broke"})
    if fault == "malformed":
        answer = Answer(201, b'{"id": "t-')
    _write(writer, answer or Answer(500), cut=fault == "cut")
    return fault != "cut"


def _write(writer: asyncio.StreamWriter, answer: Answer, *, cut: bool = False) -> None:
    body = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
    body = b"" if answer.body is None else body
    lines = [f"HTTP/1.1 {answer.status} Said", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in answer.headers.items()]
    writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + (body[: len(body) // 2] if cut else body))


async def _read(reader: asyncio.StreamReader) -> Asked | None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.decode().split("\r\n")
    method, target, _ = first.split(" ", 2)
    headers = {
        name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)
    }
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    parts = urlsplit(target)
    return Asked(method, parts.path, headers, dict(parse_qsl(parts.query)), body)
