"""What the tests of the tools share: a clock that hurries, a ledger that remembers, a brake, and a small system's tools."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from governance.effects import EffectClass, Failure, Intent, LookupAnswer, UndoCall
from tools.contract import ApiKey, Call, Existing, Found, Order, Retry, System, Tool, ToolModel

START = datetime(2027, 1, 4, 9, 0, tzinfo=UTC)
SHOP = System(name="shop", title="Shop", auth=ApiKey(), url="http://127.0.0.1:9")
KEY = "key-of-the-step"


class HurryingClock:
    """Sleeping moves it on at once; ``slept`` says how long, each time."""

    def __init__(self) -> None:
        self.moment = START
        self.slept: list[float] = []
        self.on_sleep: Callable[[], None] = lambda: None

    def now(self) -> datetime:
        return self.moment

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)
        self.slept.append(seconds)
        self.moment += timedelta(seconds=seconds)
        self.on_sleep()


class Notebook:
    """A ledger that keeps what it is told, and may be made to refuse."""

    def __init__(self, refusal: Exception | None = None) -> None:
        self.intents: list[Intent] = []
        self.tries: list[str] = []
        self.attempts: list[tuple[int, Failure, datetime | None]] = []
        self.answers: list[LookupAnswer] = []
        self.refusal = refusal
        self.on_intent: Callable[[], None] = lambda: None

    async def intended(self, intent: Intent) -> None:
        if self.refusal:
            raise self.refusal
        self.intents.append(intent)
        self.on_intent()

    async def attempted(self, step: str, number: int, failure: Failure, retry_at: datetime | None) -> None:
        self.attempts.append((number, failure, retry_at))

    async def trying(self, step: str) -> None:
        """Another send of an open intent."""
        self.tries.append(step)

    async def reconciled(self, step: str, answer: LookupAnswer, evidence: str) -> None:
        self.answers.append(answer)


class Pedal:
    """A brake."""

    def __init__(self) -> None:
        self.event = asyncio.Event()

    @property
    def pulled(self) -> bool:
        return self.event.is_set()

    async def wait(self) -> None:
        await self.event.wait()


class Wanted(ToolModel):
    name: str
    size: Literal["small", "large"] = "small"


class Thing(ToolModel):
    thing_id: str
    name: str


class ThingRef(ToolModel):
    thing_id: str


def thing(record: dict[str, Any]) -> Thing:
    """The record as the tool's output."""
    return Thing(thing_id=record["id"], name=record["name"])


async def make(call: Call, wanted: Wanted) -> Thing | Existing:
    """Make a thing, with our key as its reference; one that is there is Existing."""
    body = {"name": wanted.name, "reference": call.key}
    answer = await call.http.request("POST", "/things", json=body, headers={"Idempotency-Key": call.key}, expect=(409,))
    return Existing(thing(answer.body["existing"])) if answer.status == 409 else thing(answer.body)


async def read(call: Call, wanted: Wanted) -> Thing:
    """Find a thing by its name."""
    answer = await call.http.request("GET", "/things", params={"name": wanted.name})
    return thing(answer.body["things"][0])


async def look(call: Call, wanted: Wanted) -> Found:
    """By reference, then by name: OURS, someone else's, or none."""
    for field, value, verdict in (
        ("reference", call.key, LookupAnswer.OURS),
        ("name", wanted.name, LookupAnswer.FOREIGN),
    ):
        answer = await call.http.request("GET", "/things", params={field: value})
        if answer.body["things"]:
            return Found(verdict, thing(answer.body["things"][0]), f"found by {field}")
    return Found(LookupAnswer.NONE, evidence="nothing found")


async def remove(call: Call, wanted: ThingRef) -> Thing:
    """Take a thing away."""
    return thing((await call.http.request("DELETE", f"/things/{wanted.thing_id}")).body)


def pretend(wanted: Any, key: str) -> Thing:
    """A thing that nobody made."""
    return Thing(thing_id=f"simulated-{key}", name=getattr(wanted, "name", ""))


def make_tool(effect: EffectClass, **changes: Any) -> Tool:
    """``shop.make_thing@1`` of an effect class. Its time-out is not reached, unless a test is about that."""
    settings: dict[str, Any] = {
        "name": "shop.make_thing",
        "system": "shop",
        "summary": "Make a thing.",
        "input": Wanted,
        "output": Thing,
        "effect": effect,
        "run": read if effect is EffectClass.READ else make,
        "simulate": pretend,
        "lookup": None if effect in {EffectClass.READ, EffectClass.UNSAFE} else look,
        "undo": None
        if effect is EffectClass.READ
        else UndoCall(
            tool="shop.remove_thing@1", args={"thing_id": {"$ref": "output.thing_id"}, "why": {"$ref": "input.name"}}
        ),
        "key_lifetime": timedelta(hours=1) if effect is EffectClass.KEYED else None,
        "timeout": timedelta(seconds=5),
        "retry": Retry(attempts=4, first=1, factor=2, most=60),
    }
    return Tool(**{**settings, **changes})


def order(tool: Tool, **changes: Any) -> Order:
    """An order for ``tool`` to make a lamp."""
    settings: dict[str, Any] = {"run_id": "run-1", "step": "lamp", "tool": tool, "args": {"name": "lamp"}, "key": KEY}
    return Order(**{**settings, **changes})
