"""The witness: a system with effects of every class, that counts what really happened and can lie about it.

    python -m tests.chaos.witness FOLDER SEED LIES [LIE…]

A program of its own that no experiment kills. It prints its port. Every effect is one line of ``effects.jsonl``, written
before the answer. Which request is lied about follows from the seed, the class, the subject and how often that was asked
for, so that the same seed tells the same lies whatever order requests arrive in.

    POST /note      natural key: the second one is told of the first (409)
    POST /charge    keyed: honours Idempotency-Key for ever
    POST /hold      keyed, and answers only after ``seconds`` or once released
    POST /place     neither: each request makes one; found again by its reference, with a lag
    POST /shout     neither, and cannot be searched
    GET  /CLASS     search by subject
    GET  /effects   what happened: {class: {subject: times}}, requests, lies
    POST /release   all holds answer now
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import parse_qs, urlsplit

LAG = 0.4
"""Seconds that a search for places is behind."""
LATE = 0.6
"""A call that is applied late is applied this part of ``settle`` after its deadline."""
_CLASSES = ("note", "charge", "hold", "place", "shout")
_LIES = ("after500", "hang", "drop", "before503", "busy429", "slow", "late")
_SLOW = 0.3

Answer = tuple[int, dict[str, Any], dict[str, str]]


class Dropped(Exception):
    """The connection is closed without an answer."""


@dataclass
class Made:
    """One effect."""

    id: str
    subject: str
    reference: str
    seen_from: float


@dataclass
class Witness:
    """What happened, and what is lied about: ``lies`` is the part of first and second requests that goes wrong, ``kinds`` how."""

    log: int
    seed: str
    lies: float
    kinds: tuple[str, ...]
    made: dict[tuple[str, str], list[Made]] = field(default_factory=lambda: defaultdict(list))
    by_key: dict[tuple[str, str], Made] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)
    told: Counter[str] = field(default_factory=Counter)
    times: Counter[tuple[str, str]] = field(default_factory=Counter)
    released: asyncio.Event = field(default_factory=asyncio.Event)
    late: set[asyncio.Task[None]] = field(default_factory=set)

    async def answer(self, method: str, target: str, headers: dict[str, str], body: bytes) -> Answer:
        """One request."""
        parts = urlsplit(target)
        path = parts.path.strip("/")
        if method == "GET" and path == "effects":
            return 200, self._report(), {}
        if path == "release":
            self.released.set()
            return 200, {}, {}
        if path not in _CLASSES:
            return 404, {"error": "no such thing"}, {}
        if method == "GET":
            return 200, {"found": self._search(path, parse_qs(parts.query)["subject"][0])}, {}
        return await self._act(path, json.loads(body), headers)

    async def _act(self, path: str, wanted: dict[str, Any], headers: dict[str, str]) -> Answer:
        subject, key = str(wanted["subject"]), headers.get("idempotency-key", str(wanted.get("reference", "")))
        deadline = float(headers.get("x-deadline", time.time() + 3))
        lie = self._lie(path, subject)
        self.asked[path] += 1
        if lie == "before503":
            return 503, {"error": "not now"}, {"Retry-After": "0"} if len(subject) % 2 else {}
        if lie == "busy429":
            return 429, {"error": "slow down"}, {"Retry-After": "0"}
        if lie == "late":
            self._later(path, subject, key, deadline + LATE * float(headers.get("x-settle", "0")))
            raise Dropped
        made, new = self._apply(path, subject, key)
        if lie == "hang":
            await asyncio.sleep(max(0.0, deadline - time.time()) + 0.2)  # sleep: longer than the caller waits
            raise Dropped
        if lie == "drop":
            raise Dropped
        if lie == "after500":
            return 500, {"error": "something broke"}, {}
        if lie == "slow":
            await asyncio.sleep(_SLOW)  # sleep: a slow system
        if path == "hold":
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.released.wait(), float(wanted["seconds"]))
        if path == "note" and not new:
            return 409, {"id": made.id, "reference": made.reference}, {}
        return 200, {"id": made.id}, {}

    def _lie(self, path: str, subject: str) -> str:
        self.times[path, subject] += 1
        number = self.times[path, subject]
        rng = Random(f"{self.seed}:{path}:{subject}:{number}")
        often = 2 if self.kinds == _LIES else 1
        if path == "hold" or subject.startswith("probe") or number > often or rng.random() >= self.lies:
            return ""
        lie = rng.choice([kind for kind in self.kinds if kind != "late" or path == "place"])
        self.told[lie] += 1
        return lie

    def _apply(self, path: str, subject: str, key: str) -> tuple[Made, bool]:
        """What the class of the path does with a request; whether it is a new effect."""
        known = self.by_key.get((path, key)) if path in {"charge", "hold"} else None
        if path == "note" and self.made[path, subject]:
            known = self.made[path, subject][0]
        if known is not None:
            return known, False
        made = Made(f"{path}-{self.seed}-{sum(map(len, self.made.values())) + 1}", subject, key, time.time() + LAG)
        os.write(self.log, json.dumps([path, subject, key, time.time()]).encode() + b"\n")
        self.made[path, subject].append(made)
        self.by_key[path, key] = made
        return made, True

    def _later(self, path: str, subject: str, key: str, at: float) -> None:
        async def apply() -> None:
            await asyncio.sleep(max(0.0, at - time.time()))  # sleep: the lie itself
            self._apply(path, subject, key)

        task = asyncio.create_task(apply())
        self.late.add(task)
        task.add_done_callback(self.late.discard)

    def _search(self, path: str, subject: str) -> list[dict[str, str]]:
        if path == "shout":
            return []
        seen = [m for m in self.made.get((path, subject), []) if path != "place" or m.seen_from <= time.time()]
        return [{"id": m.id, "reference": m.reference} for m in seen]

    def _report(self) -> dict[str, Any]:
        effects: dict[str, dict[str, int]] = defaultdict(dict)
        for (path, subject), made in self.made.items():
            effects[path][subject] = len(made)
        times: dict[str, dict[str, int]] = defaultdict(dict)
        for (path, subject), number in self.times.items():
            times[path][subject] = number
        return {"effects": effects, "times": times, "asked": self.asked, "lies": self.told, "late": len(self.late)}


async def serve(witness: Witness, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One connection, kept alive."""
    try:
        while line := await reader.readline():
            method, target, _ = line.decode().split(" ", 2)
            headers: dict[str, str] = {}
            while (header := (await reader.readline()).decode().strip()) != "":
                name, _, value = header.partition(":")
                headers[name.lower()] = value.strip()
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            status, told, extra = await witness.answer(method, target, headers, body)
            content = json.dumps(told).encode()
            head = f"HTTP/1.1 {status} -\r\nContent-Type: application/json\r\nContent-Length: {len(content)}\r\n"
            writer.write((head + "".join(f"{k}: {v}\r\n" for k, v in extra.items()) + "\r\n").encode() + content)
            await writer.drain()
    except (Dropped, ConnectionError, asyncio.IncompleteReadError):
        pass
    finally:
        writer.close()


async def main(folder: Path, seed: str, lies: float, kinds: tuple[str, ...]) -> None:
    """Serve until standard input ends."""
    log = os.open(folder / "effects.jsonl", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    witness = Witness(log, seed, lies, kinds or _LIES)
    connections: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(serve(witness, reader, writer))
        connections.add(task)
        task.add_done_callback(connections.discard)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)
    os._exit(0)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], float(sys.argv[3]), tuple(sys.argv[4:])))
