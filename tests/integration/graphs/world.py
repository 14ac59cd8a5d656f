"""A small world to run graphs in: a real HTTP system that counts its effects and misbehaves on order, and tools on it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from governance.effects import EffectClass, LookupAnswer, UndoCall
from tools.contract import ApiKey, Call, Deferred, Existing, Found, Lookup, Run, System, Tool, ToolModel
from tools.semantic import AccountId

SYSTEM = "world"


@dataclass
class World:
    """What the system has done, and what it is to do wrong. ``faults`` holds a list of ways for each path.

    ``effects`` and ``undone`` count how often a thing was made and taken away again, both by the thing's name. A call of
    a path in ``gates`` says in ``arrived`` that it is there, and waits until its gate opens.
    """

    effects: Counter[str] = field(default_factory=Counter)
    undone: Counter[str] = field(default_factory=Counter)
    calls: list[str] = field(default_factory=list)
    records: dict[str, dict[str, Any]] = field(default_factory=dict)
    by_key: dict[str, str] = field(default_factory=dict)
    faults: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    gates: dict[str, asyncio.Event] = field(default_factory=dict)
    arrived: dict[str, asyncio.Event] = field(default_factory=lambda: defaultdict(asyncio.Event))
    addresses: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    base: str = ""

    @property
    def standing(self) -> list[str]:
        """The things that were made and not taken away."""
        return sorted((self.effects - self.undone).elements())

    def forget(self) -> None:
        """Be as new."""
        for kept in (self.effects, self.undone, self.records, self.by_key, self.faults, self.calls):
            kept.clear()

    def fault(self, path: str, *ways: str) -> None:
        """The next calls of ``path`` go wrong: ``busy`` (429), ``lost`` (done, then 500), ``no`` (422), ``down`` (503)."""
        self.faults[path].extend(ways)


@asynccontextmanager
async def serving(world: World) -> AsyncIterator[World]:
    """The world's HTTP server, on a free port of this machine."""
    app = FastAPI()

    @app.post("/{path}")
    async def act(path: str, request: Request) -> Response:
        return await _act(world, path, await request.json(), request.headers.get("Idempotency-Key", ""))

    @app.get("/{path}")
    async def look(path: str, key: str = "") -> Response:
        world.calls.append(f"look:{path}")
        found = [r for r in world.records.values() if r["path"] == path and r["key"] == key]
        return JSONResponse({"found": found})

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="error", lifespan="off"))
    config = server.config
    config.load()
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    task = asyncio.create_task(server.main_loop())
    world.base = f"http://127.0.0.1:{port}"
    try:
        yield world
    finally:
        server.should_exit = True
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _act(world: World, path: str, body: dict[str, Any], key: str) -> Response:
    world.calls.append(path)
    if f"{path}:here" in world.gates:
        world.gates[f"{path}:here"].set()
    if path in world.gates:
        world.arrived[path].set()
        await world.gates[path].wait()
    way = world.faults[path].pop(0) if world.faults[path] else ""
    if way == "busy":
        return JSONResponse({"error": "busy"}, 429, headers={"Retry-After": "1"})
    if way == "down":
        return JSONResponse({"error": "down"}, 503, headers={"Retry-After": "1"})
    if way == "no":
        return JSONResponse({"error": "not like this"}, 422)
    if path in {"undo", "release"}:
        record_id = _take_away(world, path, str(body["id"]), key)
    else:
        record_id = _apply(world, path, body, key)
    if way == "lost":
        return JSONResponse({"error": "oops"}, 500)
    if "callback" in body:
        world.addresses[path].append(body["callback"])
        return JSONResponse({"accepted": record_id}, 202)
    record = world.records.get(f"account:{body.get('name', '')}", {}) if path == "account" else {}
    return JSONResponse({"id": record_id, "foreign": record.get("key", key) != key})


def _apply(world: World, path: str, body: Mapping[str, Any], key: str) -> str:
    """Keyed paths answer a repeated key with the record that it made; the others make another one."""
    if path == "pay" and key in world.by_key:
        return world.by_key[key]
    name = f"{path}:{body.get('name', '')}"
    if path == "account" and name in world.records:
        return str(world.records[name]["id"])
    world.effects[name] += 1
    record_id = f"{path}-{sum(world.effects.values())}"
    world.records[name if path == "account" else record_id] = {"id": record_id, "path": path, "key": key, "name": name}
    world.by_key[key] = record_id
    return record_id


def _take_away(world: World, path: str, record_id: str, key: str) -> str:
    """``undo`` finds out that nothing is there; ``release`` writes another release each time, to be found by its key."""
    at = next((at for at, record in world.records.items() if record["id"] == record_id), None)
    if path == "undo" and at is None:
        return ""
    record = world.records.pop(at) if at else {"name": f"{path}:{record_id}"}
    world.undone[str(record["name"])] += 1
    if path == "release":
        world.records[f"release-{key}"] = {"id": f"release-{key}", "path": path, "key": key, "name": path}
    return record_id


class Named(ToolModel):
    """Somebody's name, and what must exist before."""

    name: str
    account_id: AccountId | None = None
    amount: int = 0


class Made(ToolModel):
    """The new thing's id."""

    id: AccountId


class Undone(ToolModel):
    """Nothing to say."""

    id: str


class ById(ToolModel):
    """What to take back."""

    id: str


def world_tools(world: World) -> tuple[System, tuple[Tool, ...]]:
    """The system at the world's address, and a tool of each effect class."""
    system = System(name=SYSTEM, title="World", auth=ApiKey(), url=world.base, secret="practice:x")
    made = (
        _tool("account", EffectClass.NATURAL_KEY),
        _tool("pay", EffectClass.KEYED, key_lifetime=timedelta(hours=1), amount="amount"),
        _tool("desk", EffectClass.RECONCILABLE),
        _tool("badge", EffectClass.RECONCILABLE),
        _tool("mail", EffectClass.UNSAFE),
    )
    slow = (
        _slow_tool("report", EffectClass.RECONCILABLE),
        _slow_tool("survey", EffectClass.UNSAFE),
        _slow_tool("forecast", EffectClass.READ),
    )
    return system, (*made, *slow, _undo(), _release())


def _tool(path: str, effect: EffectClass, *, key_lifetime: timedelta | None = None, amount: str = "") -> Tool:
    async def run(call: Call, given: Named) -> ToolModel | Existing:
        answer = await call.http.request(
            "POST", f"/{path}", json=given.model_dump(), headers={"Idempotency-Key": call.key}
        )
        made = Made(id=answer.body["id"])
        return Existing(made) if answer.body["foreign"] else made

    async def lookup(call: Call, _given: Named) -> Found:
        answer = await call.http.request("GET", f"/{path}", params={"key": call.key})
        found = answer.body["found"]
        if not found:
            return Found(LookupAnswer.NONE)
        return Found(LookupAnswer.OURS, Made(id=found[0]["id"]), evidence=f"{path} {found[0]['id']}")

    def simulate(_given: Named, key: str) -> Made:
        return Made(id=f"{path}-{key[:6]}")

    unsafe = effect is EffectClass.UNSAFE
    return Tool(
        name=f"world.{path}",
        system=SYSTEM,
        summary=f"make a {path}",
        input=Named,
        output=Made,
        effect=effect,
        run=run,
        simulate=simulate,
        lookup=None if unsafe else lookup,
        undo=None
        if unsafe
        else UndoCall(tool=f"world.{'release' if path == 'desk' else 'undo'}@1", args={"id": {"$ref": "output.id"}}),
        irreversible="a sent message cannot be taken back" if unsafe else "",
        provides=f"world.{path}",
        key_lifetime=key_lifetime,
        amount=amount,
        timeout=timedelta(seconds=5),
        permission="world:write",
    )


def _slow_tool(path: str, effect: EffectClass) -> Tool:
    """A tool whose system answers 202, and the rest by a callback; where it can be looked up, it says how far it is."""

    async def run(call: Call, given: Named) -> ToolModel | Deferred:
        body = {**given.model_dump(), "callback": call.callback}
        await call.http.request("POST", f"/{path}", json=body, headers={"Idempotency-Key": call.key})
        return Deferred()

    async def lookup(call: Call, _given: Named) -> Found:
        answer = await call.http.request("GET", f"/{path}", params={"key": call.key})
        found = answer.body["found"]
        if not found:
            return Found(LookupAnswer.NONE)
        output = Made(id=found[0]["id"]) if found[0].get("ready") else None
        return Found(LookupAnswer.OURS, output, evidence=f"{path} {found[0]['id']}")

    looked_up = effect is EffectClass.RECONCILABLE
    return Tool(
        name=f"world.{path}",
        system=SYSTEM,
        summary=f"order a {path}",
        input=Named,
        output=Made,
        effect=effect,
        run=run,
        simulate=lambda _given, key: Made(id=f"{path}-{key[:6]}"),
        lookup=lookup if looked_up else None,
        undo=UndoCall(tool="world.undo@1", args={"id": {"$ref": "output.id"}}) if looked_up else None,
        irreversible="what was asked was asked" if effect is EffectClass.UNSAFE else "",
        provides="" if effect is EffectClass.READ else f"world.{path}",
        timeout=timedelta(seconds=5),
        permission="world:write",
        deferred=timedelta(hours=72),
    )


def _undo() -> Tool:
    async def run(call: Call, given: ById) -> Undone | Existing:
        answer = await call.http.request("POST", "/undo", json=given.model_dump())
        return Undone(id=given.id) if answer.body["id"] else Existing(Undone(id=given.id))

    return _taking_away("undo", EffectClass.NATURAL_KEY, run, None)


def _release() -> Tool:
    async def run(call: Call, given: ById) -> Undone:
        await call.http.request("POST", "/release", json=given.model_dump(), headers={"Idempotency-Key": call.key})
        return Undone(id=given.id)

    async def lookup(call: Call, given: ById) -> Found:
        answer = await call.http.request("GET", "/release", params={"key": call.key})
        found = answer.body["found"]
        return Found(LookupAnswer.OURS, Undone(id=given.id)) if found else Found(LookupAnswer.NONE)

    return _taking_away("release", EffectClass.RECONCILABLE, run, lookup)


def _taking_away(path: str, effect: EffectClass, run: Run, lookup: Lookup | None) -> Tool:
    return Tool(
        name=f"world.{path}",
        system=SYSTEM,
        summary="take something back",
        input=ById,
        output=Undone,
        effect=effect,
        run=run,
        lookup=lookup,
        simulate=lambda given, _key: Undone(id=given.id),
        irreversible="it is an undo",
        permission="world:write",
        timeout=timedelta(seconds=5),
    )
