"""Houses for plans that change their shape: a list to run a step for, a second way to a goal, a budget."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from agents.offline.diagnostician import OfflineDiagnostician
from agents.offline.planner import OfflinePlanner
from governance.budgets import Budget
from governance.effects import EffectClass, LookupAnswer
from governance.policy import PolicyRule, RulingKind
from governance.reviews import ReviewKind, Verdict, respond
from graphs.machine import build_graph
from memory.database import Database
from playbooks.model import OnRefusal
from tests.integration.graphs.house import ANNIE, ASKER, MARY, House, a_house
from tests.integration.graphs.world import Made, Named, World
from tools.contract import Call, Found, Tool, ToolModel


class Entry(ToolModel):
    """One of several."""

    code: str
    amount: int


class Listed(ToolModel):
    """All of them."""

    all: tuple[Entry, ...]


CODES = (("north", 10), ("south", 20), ("east", 30))
FOR_EACH: dict[str, Any] = {"items": {"$ref": "list.all"}, "key": {"$ref": "item.code"}}
FREE_MAIL = PolicyRule(
    name="free",
    then=RulingKind.GO,
    when={"$in": [{"$ref": "tool"}, ["world.mail@1", "world.list@1"]]},
    because="it hurts nobody",
)
FREE_ALL = (PolicyRule(name="all", then=RulingKind.GO, because="nobody is asked here"),)


def more_tools(house: House, codes: Sequence[tuple[str, int]]) -> dict[str, Tool]:
    """The world's tools, a read that lists ``codes``, and a second tool that provides desks."""
    tools = dict(house.engine.tools)
    desk = tools["world.desk@1"]

    async def listed(call: Call, _given: Named) -> ToolModel:
        await call.http.request("GET", "/list")
        return Listed(all=tuple(Entry(code=code, amount=amount) for code, amount in codes))

    async def hot(call: Call, given: Named) -> ToolModel:
        headers = {"Idempotency-Key": call.key}
        answer = await call.http.request("POST", "/hotdesk", json=given.model_dump(), headers=headers)
        return Made(id=answer.body["id"])

    async def looked(call: Call, _given: Named) -> Found:
        answer = await call.http.request("GET", "/hotdesk", params={"key": call.key})
        found = answer.body["found"]
        return Found(LookupAnswer.OURS, Made(id=found[0]["id"])) if found else Found(LookupAnswer.NONE)

    read = replace(
        desk,
        name="world.list",
        summary="list what there is",
        output=Listed,
        effect=EffectClass.READ,
        run=listed,
        simulate=lambda _given, _key: Listed(all=()),
        lookup=None,
        undo=None,
        provides="",
    )
    spare = replace(desk, name="world.hotdesk", summary="take a hot desk", run=hot, lookup=looked)
    return tools | {tool.id: tool for tool in (read, spare)}


@asynccontextmanager
async def shaped(
    database: Database,
    world: World,
    steps: Sequence[Mapping[str, Any]] = (),
    *,
    goals: Sequence[str] = ("account",),
    budget: Budget | None = None,
    codes: Sequence[tuple[str, int]] = CODES,
    linger: float = 30,
    gated: bool = True,
    on_refusal: OnRefusal = OnRefusal.ASK,
    chores: Sequence[Mapping[str, Any]] = (),
) -> AsyncIterator[House]:
    """A house with more tools; without ``steps`` plans are made, and failures diagnosed, by the offline adapters."""
    async with a_house(
        database, world, steps, goals=goals, linger=linger, on_refusal=on_refusal, chore=chores
    ) as house:
        engine = house.engine
        book = next(iter(engine.playbooks.values()))
        book = book.model_copy(
            update={"budget": budget or Budget(), "policy": (FREE_MAIL, *(book.policy if gated else FREE_ALL))}
        )
        engine = replace(engine, tools=more_tools(house, codes), playbooks={**engine.playbooks, book.id: book})
        if not steps:
            engine = replace(engine, planner=OfflinePlanner(), diagnostician=OfflineDiagnostician())
        house.engine, house.graph = engine, build_graph(engine)
        yield house


WHO = {"pay": MARY.id, "badge": ANNIE.id, "mail": ASKER.id, "": MARY.id}


async def answer_all(house: House, run_id: str, verdict: Verdict) -> list[str]:
    """Answer every open question; about outcomes with what really happened. The steps that were asked about."""
    asked = []
    for row in await house.reviews.list(run_id=run_id):
        card = row.card
        if card.kind is ReviewKind.OUTCOME:
            known = sum(count for name, count in house.world.effects.items() if name.startswith(card.tool[6:10]))
            said = respond("happened" if known else "did_not_happen")
        else:
            said = verdict
        by = WHO[card.step.partition("[")[0]]
        await house.reviews.decide(card.id, said, by=by, at=house.clock.now())
        asked.append(card.step or card.kind.value)
    return sorted(asked)
