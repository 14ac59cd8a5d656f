"""Bare LangGraph at the same work, in a process of its own: ``python -m tests.bench.bare <address>``.

A StateGraph with ``Send`` for each ready step, AsyncPostgresSaver, durability "sync". It takes one command a line on its
standard input, as JSON, and answers each with a line of JSON. The graph is as lean as Send allows: the plan is in the
code, a Send carries only what its step needs, the approval is asked in the wave in which its arguments are known.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
import uuid
from collections.abc import Sequence
from typing import Annotated, Any, TypedDict

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import Command, Send, interrupt
from psycopg import AsyncConnection
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool

from tests.bench.work import STEPS, Step, arguments, perform, request, uneven_steps

Pool = AsyncConnectionPool[AsyncConnection[DictRow]]
Graph = CompiledStateGraph[Any, Any, Any, Any]
POOL = 16


def _merged(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    return {**old, **new}


class State(TypedDict, total=False):
    request: dict[str, Any]
    plan: str
    results: Annotated[dict[str, dict[str, Any]], _merged]
    granted: Annotated[dict[str, bool], _merged]


class Sent(TypedDict):
    step: str
    args: dict[str, Any]


def build_bare(steps: Sequence[Step]) -> Graph:
    """The graph: plan, then waves of steps, each joined by ``assess``, which sends the next."""

    async def plan(_state: State) -> State:
        return {"plan": "fixed"}

    async def step(sent: Sent) -> State:
        result = await perform(sent["step"], uuid.uuid4().hex, sent["args"]["ms"])
        return {"results": {sent["step"]: dict(result)}}

    async def approve(sent: Sent) -> State:
        return {"granted": {sent["step"]: bool(interrupt({"step": sent["step"], "args": sent["args"]}))}}

    async def assess(_state: State) -> State:
        return {}

    def route(state: State) -> list[Send] | str:
        results = state.get("results", {})
        sends = []
        for each in steps:
            if each.id in results or not each.needs <= results.keys():
                continue
            node = "approve" if each.gated and not state.get("granted", {}).get(each.id) else "step"
            sends.append(Send(node, Sent(step=each.id, args=arguments(each, state["request"], results))))
        return sends or END

    builder: StateGraph[Any, Any, Any, Any] = StateGraph(State)
    nodes: dict[str, Any] = {"plan": plan, "step": step, "approve": approve, "assess": assess}
    for name, node in nodes.items():
        builder.add_node(name, node)
    builder.add_edge(START, "plan")
    builder.add_conditional_edges("plan", route, ["step", "approve", END])
    builder.add_edge("step", "assess")
    builder.add_edge("approve", "assess")
    builder.add_conditional_edges("assess", route, ["step", "approve", END])
    return builder.compile()


class Bare:
    """What the process can be asked to do."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._shared = AsyncPostgresSaver(pool)
        self._onboarding = build_bare(STEPS)

    async def batch(self, runs: int, at_once: int, own_savers: bool) -> dict[str, Any]:
        """Runs from the first start to the last end; each is approved as soon as it asks."""
        places = asyncio.Semaphore(at_once)

        async def one(number: int) -> int:
            async with places:
                return await self._whole(self._onboarding, number, own_saver=own_savers)

        began = time.perf_counter()
        done = await asyncio.gather(*(one(number) for number in range(runs)))
        return {"seconds": time.perf_counter() - began, "done": sum(count == len(STEPS) for count in done)}

    async def one(self) -> dict[str, Any]:
        """One run alone: seconds up to its question, and from the answer to its end."""
        graph, config = self._with_saver(self._onboarding, own_saver=False), _config()
        began = time.perf_counter()
        await graph.ainvoke({"request": request(0)}, config, durability="sync")
        asked = time.perf_counter()
        await graph.ainvoke(Command(resume=True), config, durability="sync")
        return {"to_question": asked - began, "to_end": time.perf_counter() - asked}

    async def uneven(self, number: int) -> dict[str, Any]:
        """An uneven DAG in waves."""
        graph = self._with_saver(build_bare(uneven_steps(number)), own_saver=False)
        began = time.perf_counter()
        await graph.ainvoke({"request": request(0)}, _config(), durability="sync")
        return {"seconds": time.perf_counter() - began}

    async def _whole(self, graph: Graph, number: int, *, own_saver: bool) -> int:
        mine, config = self._with_saver(graph, own_saver=own_saver), _config()
        await mine.ainvoke({"request": request(number)}, config, durability="sync")
        state = await mine.ainvoke(Command(resume=True), config, durability="sync")
        return len(state["results"])

    def _with_saver(self, graph: Graph, *, own_saver: bool) -> Graph:
        return graph.copy({"checkpointer": AsyncPostgresSaver(self._pool) if own_saver else self._shared})


def _config() -> RunnableConfig:
    return {"configurable": {"thread_id": str(uuid.uuid4())}}


async def _serve(url: str) -> None:
    kwargs = {"autocommit": True, "prepare_threshold": 0, "row_factory": dict_row}
    async with Pool(url, kwargs=kwargs, min_size=POOL, max_size=POOL, open=False) as pool:
        await pool.wait()
        await AsyncPostgresSaver(pool).setup()
        bare = Bare(pool)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        loop = asyncio.get_running_loop()
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            asked = json.loads(line)
            answer = await getattr(bare, asked.pop("do"))(**asked)
            sys.stdout.write(json.dumps(answer) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1]))
