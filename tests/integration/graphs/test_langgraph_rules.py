"""LangGraph's sharp edges, one test each: an upgrade that moves one of them fails here and says which."""

from __future__ import annotations

import ast
import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import ormsgpack
import pytest
import pytest_asyncio
from langgraph.checkpoint.serde import jsonplus
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.errors import GraphInterrupt, UnknownInterruptError
from langgraph.graph import END
from langgraph.types import Command

from governance.errors import Fenced, Refused
from governance.events import RunStatus
from governance.reviews import approve
from graphs.control import Control
from graphs.guard import GuardedSaver
from graphs.machine import State, build_graph, next_node
from graphs.slice import STRICT_RESUME, work_slice
from memory.checkpoints import checkpoint_saver
from memory.database import Database
from tests.integration.graphs.house import LEASE, MARY, House, a_house, step
from tests.integration.graphs.world import World, serving
from tools.contract import Brake, Call, Invoker, Ledger, Order, Outcome, ToolModel

GRAPHS = Path(__file__).parents[3] / "graphs"
ACCOUNT = step("account", "account")
DESK = step("desk", "desk", account_id={"$ref": "account.id"})
PAY = step("pay", "pay", account_id={"$ref": "account.id"}, amount=50)


@pytest_asyncio.fixture
async def world() -> AsyncIterator[World]:
    """A fresh world, serving."""
    async with serving(World()) as served:
        yield served


async def _waiting(house: House) -> str:
    """A run that waits for its payment's approval."""
    run_id = await house.admit()
    rest = await house.live(run_id)
    assert rest is not None
    assert rest.status is RunStatus.WAITING
    return run_id


async def test_one_writer_the_lower_claim_may_not_write(database: Database, world: World) -> None:
    """LangGraph has no lock: our epoch is it. A worker that lost its run does nothing more, not even a call."""
    async with a_house(database, world, [ACCOUNT, PAY]) as house:
        run_id = await house.admit()
        (stale,) = await house.runs.claim(1, 1, LEASE)
        await house.runs.reap()
        (fresh,) = await house.runs.claim(2, 1, LEASE)
        assert fresh.epoch > stale.epoch
        with pytest.raises(Fenced):
            await work_slice(house.engine, house.graph, checkpoint_saver(database), stale, Control())
        assert world.calls == []
        rest = await work_slice(house.engine, house.graph, checkpoint_saver(database), fresh, Control())
        assert rest.status is RunStatus.WAITING
        assert (await house.state(run_id)).seq > 1


async def test_a_stale_resume_is_refused_and_a_resume_value_decides_nothing(database: Database, world: World) -> None:
    """Strict resume refuses ids that are not pending; the value of a good one says "look again" and no more."""
    async with a_house(database, world, [ACCOUNT, PAY]) as house:
        run_id = await _waiting(house)
        graph = house.graph.copy({"checkpointer": checkpoint_saver(database)})
        config: Any = {"configurable": {"thread_id": run_id, STRICT_RESUME: True}}
        with pytest.raises(UnknownInterruptError):
            await graph.ainvoke(Command(resume={"0" * 32: "approve"}), config)
        (pending,) = (await graph.aget_state(config)).interrupts
        with pytest.raises(Refused):  # without a claim nobody moves a run
            await graph.ainvoke(Command(resume={pending.id: "approve"}), config)
        assert "pay" not in world.calls
        (review,) = await house.reviews.list(run_id=run_id)
        await house.reviews.decide(review.card.id, approve(), by=MARY.id, at=house.clock.now())
        rest = await house.live(run_id)
        assert rest is not None
        assert rest.status is RunStatus.DONE


def test_only_one_place_interrupts_and_nothing_stands_before_it() -> None:
    """Code before ``interrupt()`` would run again at every resume."""
    calls = []
    for path in GRAPHS.glob("*.py"):
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                first = next((s for s in function.body if not _is_docstring(s)), None)
                inside = [n for n in ast.walk(function) if isinstance(n, ast.Call) and _name(n) == "interrupt"]
                calls += (
                    [(path.name, function.name, first is not None and inside[0] in set(ast.walk(first)))]
                    if inside
                    else []
                )
    assert calls == [("machine.py", "_wait", True)]


class _Raising:
    """An invoker whose one step fails by an exception nobody expected, and whose other steps are real."""

    def __init__(self, real: Invoker, error: Exception) -> None:
        self._real, self._error = real, error

    async def perform(self, order: Order, ledger: Ledger, brake: Brake) -> Outcome:
        if order.step == "desk":
            raise self._error
        return await self._real.perform(order, ledger, brake)


async def test_a_defect_in_a_tool_is_a_record_and_siblings_finish(database: Database, world: World) -> None:
    """An exception that escapes a node would cancel its siblings in flight; a tool's defect never gets that far."""

    async def broken(_call: Call, _given: ToolModel) -> ToolModel:
        raise ZeroDivisionError("a defect in a company's tool file")

    async with a_house(database, world, [ACCOUNT, DESK, step("badge2", "account", after=["account"])]) as house:
        object.__setattr__(house.engine.tools["world.desk@1"], "run", broken)
        run_id = await house.admit()
        rest = await house.live(run_id)
        assert rest is not None
        assert rest.status is RunStatus.PARKED
        state = await house.state(run_id)
        ended = {i: s.ended.status.value for i, s in state.steps.items() if s.ended}
        assert ended == {"account": "done", "badge2": "done", "desk": "failed"}


async def test_control_flow_passes_through_dispatch(database: Database, world: World) -> None:
    """``interrupt()`` travels as an exception: no wrapper of ours may swallow it."""
    async with a_house(
        database, world, [ACCOUNT, DESK], invoker=lambda real: _Raising(real, GraphInterrupt())
    ) as house:
        run_id = await house.admit()
        (claim,) = await house.runs.claim(1, 1, LEASE)
        await work_slice(house.engine, house.graph, checkpoint_saver(database), claim, Control())
        state = await house.state(run_id)
        assert state.step("desk").ended is None


def test_where_a_node_leads_to_is_total() -> None:
    """A target that is no node would lose the run silently, as a success. There are no routers, which could raise."""
    assert next_node("no such phase") == END
    assert next_node("") == END
    for name in ("understand", "wait", "report"):
        assert next_node(name) == name


def test_max_concurrency_is_never_set() -> None:
    """It would also throttle checkpoint writes."""
    code = "\n".join(path.read_text(encoding="utf-8") for path in GRAPHS.glob("*.py"))
    assert "max_concurrency" not in code


async def test_names_are_pinned(database: Database, world: World) -> None:
    """A renamed node or channel loses waiting runs silently. Changing this list needs a migration of waiting threads."""
    async with a_house(database, world, [ACCOUNT]) as house:
        graph = build_graph(house.engine)
        nodes = {"understand", "plan", "check", "dispatch", "recover", "undo", "report", "wait"}
        assert set(graph.nodes) == {"__start__", *nodes}
        assert set(State.__annotations__) == {"run", "ask", "seq", "phase", "at", "dry"}


def test_a_checkpoint_cannot_name_code_to_run(tmp_path: Path) -> None:
    """Strict msgpack: a crafted blob comes back as data. LANGGRAPH_STRICT_MSGPACK must be set before the import."""
    assert os.environ["LANGGRAPH_STRICT_MSGPACK"] == "true"
    target = tmp_path / "owned"
    serde = JsonPlusSerializer()
    kind, blob = serde.dumps_typed({"x": 1})
    assert kind == "msgpack"
    evil = _crafted("os", "system", f"touch {target}")
    assert serde.loads_typed((kind, evil)) is not None
    assert blob != evil
    assert not target.exists()


async def test_state_holds_only_json_and_nothing_personal(database: Database, world: World) -> None:
    """What is checkpointed is small and plain, and names nobody."""
    async with a_house(database, world, [ACCOUNT, PAY]) as house:
        run_id = await _waiting(house)
        graph = house.graph.copy({"checkpointer": checkpoint_saver(database)})
        state = await graph.aget_state({"configurable": {"thread_id": run_id}})
        assert set(state.values) == {"run", "seq", "phase", "at"}
        assert "Ada" not in str(state)
        assert state.values["run"] == {"id": run_id}


async def test_the_public_graph_cannot_move_a_run(database: Database, world: World) -> None:
    """Update, fork and resume on a run's own thread are refused with a way out; looking is free."""

    async def is_run(thread: str) -> bool:
        return thread == run_id

    async with a_house(database, world, [ACCOUNT, PAY]) as house:
        run_id = await _waiting(house)
        before = await house.state(run_id)
        public = build_graph(house.engine, GuardedSaver(lambda: checkpoint_saver(database), is_run))
        config: Any = {"configurable": {"thread_id": run_id}}
        history = [found async for found in public.aget_state_history(config)]
        assert len(history) > 3
        with pytest.raises(Refused) as refused:
            await public.aupdate_state(config, {"phase": "report"})
        assert "steward fork" in refused.value.hint
        with pytest.raises(Refused):
            await public.ainvoke(None, history[-2].config)
        (pending,) = history[0].interrupts
        with pytest.raises(Refused):
            await public.ainvoke(Command(resume={pending.id: "approve"}), config)
        assert len([found async for found in public.aget_state_history(config)]) == len(history)
        assert (await house.state(run_id)).seq == before.seq
        assert "pay" not in world.calls


async def test_a_lost_checkpoint_loses_nothing(database: Database, world: World) -> None:
    """The checkpoint is a copy: without it the run goes on from its journal."""
    async with a_house(database, world, [ACCOUNT, PAY]) as house:
        run_id = await _waiting(house)
        await checkpoint_saver(database).adelete_thread(run_id)
        (review,) = await house.reviews.list(run_id=run_id)
        await house.reviews.decide(review.card.id, approve(), by=MARY.id, at=house.clock.now())
        rest = await house.live(run_id)
        assert rest is not None
        assert rest.status is RunStatus.DONE
        assert world.calls == ["account", "pay"]


async def test_a_drained_slice_hands_the_run_back_at_once(database: Database, world: World) -> None:
    """A worker that shuts down finishes the call in flight, starts nothing new, and the run is due again."""
    world.gates["account"] = asyncio.Event()
    async with a_house(database, world, [ACCOUNT, DESK]) as house:
        run_id = await house.admit()
        control = Control()
        living = asyncio.create_task(house.live(run_id, control=control))
        async with asyncio.timeout(10):
            async for _ in house.hints.watch(run_id):
                if world.calls:
                    break
        control.drain()
        world.gates["account"].set()
        rest = await living
        assert rest is not None
        assert rest.again
        assert world.calls == ["account"]
        assert (await house.state(run_id)).step("account").satisfied
        rest = await house.live(run_id)
        assert rest is not None
        assert rest.status is RunStatus.DONE


def _is_docstring(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _name(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else ""


def _crafted(module: str, name: str, argument: str) -> bytes:
    """What the permissive serializer would turn into a call: an extension that names a function and its argument."""
    packed = ormsgpack.packb((module, name, argument))
    return ormsgpack.packb(ormsgpack.Ext(jsonplus.EXT_CONSTRUCTOR_SINGLE_ARG, packed))
