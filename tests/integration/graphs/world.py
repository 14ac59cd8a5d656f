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
from tools.contract import ApiKey, Call, Existing, Found, System, Tool, ToolModel
from tools.semantic import AccountId

SYSTEM = "world"


@dataclass
class World:
    """What the system has done, and what it is to do wrong. ``faults`` holds a list of ways for each path."""

    effects: Counter[str] = field(default_factory=Counter)
    calls: list[str] = field(default_factory=list)
    records: dict[str, dict[str, Any]] = field(default_factory=dict)
    by_key: dict[str, str] = field(default_factory=dict)
    faults: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    gates: dict[str, asyncio.Event] = field(default_factory=dict)
    base: str = ""

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
    if path in world.gates:
        await world.gates[path].wait()
    way = world.faults[path].pop(0) if world.faults[path] else ""
    if way == "busy":
        return JSONResponse({"error": "busy"}, 429, headers={"Retry-After": "1"})
    if way == "down":
        return JSONResponse({"error": "down"}, 503, headers={"Retry-After": "1"})
    if way == "no":
        return JSONResponse({"error": "not like this"}, 422)
    record_id = _apply(world, path, body, key)
    if way == "lost":
        return JSONResponse({"error": "oops"}, 500)
    return JSONResponse({"id": record_id})


def _apply(world: World, path: str, body: Mapping[str, Any], key: str) -> str:
    """Keyed paths answer a repeated key with the record that it made; the others make another one."""
    if path == "pay" and key in world.by_key:
        return world.by_key[key]
    name = f"{path}:{body.get('name', '')}"
    if path == "account" and name in world.records:
        return str(world.records[name]["id"])
    world.effects[name] += 1
    record_id = f"{path}-{len(world.records) + 1}"
    world.records[name if path == "account" else record_id] = {"id": record_id, "path": path, "key": key}
    world.by_key[key] = record_id
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
    return system, (*made, _undo())


def _tool(path: str, effect: EffectClass, *, key_lifetime: timedelta | None = None, amount: str = "") -> Tool:
    async def run(call: Call, given: Named) -> ToolModel | Existing:
        answer = await call.http.request(
            "POST", f"/{path}", json=given.model_dump(), headers={"Idempotency-Key": call.key}
        )
        return Made(id=answer.body["id"])

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
        undo=None if unsafe else UndoCall(tool="world.undo@1", args={"id": {"$ref": "output.id"}}),
        irreversible="a sent message cannot be taken back" if unsafe else "",
        provides=f"world.{path}",
        key_lifetime=key_lifetime,
        amount=amount,
        timeout=timedelta(seconds=5),
        permission="world:write",
    )


def _undo() -> Tool:
    async def run(_call: Call, given: ById) -> Undone:
        return Undone(id=given.id)

    return Tool(
        name="world.undo",
        system=SYSTEM,
        summary="take something back",
        input=ById,
        output=Undone,
        effect=EffectClass.NATURAL_KEY,
        run=run,
        simulate=lambda given, _key: Undone(id=given.id),
        irreversible="it is an undo",
        permission="world:write",
    )
