"""Both sides of the bench do the same work, and its arithmetic is right."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command
from psycopg.conninfo import conninfo_to_dict
from pydantic import SecretStr

from governance.effects import EffectClass
from governance.events import RunStatus, StepIntended
from governance.reviews import approve
from runtime.application import Application
from runtime.settings import Settings
from runtime.wiring import build
from tests.bench.bare import build_bare
from tests.bench.copies import multiply
from tests.bench.figures import quantile, spread
from tests.bench.server import Server
from tests.bench.work import (
    FINANCE,
    HR,
    ONBOARDING,
    STEPS,
    Step,
    critical_path_s,
    knowledge,
    request,
    uneven_steps,
)
from tests.conftest import DatabaseUrls
from tests.fixtures.company import until


def test_the_critical_path_is_the_longest_chain() -> None:
    """Parallel steps do not add up; steps after one another do."""
    steps = (Step("a", ms=100), Step("b", ms=300), Step("c", after=("a",), ms=250), Step("d", after=("b", "c"), ms=50))
    assert critical_path_s(steps) == 0.4


def test_every_uneven_dag_is_drawn_from_the_seed() -> None:
    """The same number gives the same DAG to both sides, another number another one."""
    assert uneven_steps(3) == uneven_steps(3) != uneven_steps(4)


def test_quantiles_and_spread() -> None:
    """A quantile is one of the values; the median is shown with the extremes."""
    values = [float(n) for n in range(1, 101)]
    assert (quantile(values, 0.5), quantile(values, 0.99), quantile([7.0], 0.99)) == (51.0, 100.0, 7.0)
    assert spread([3.0, 1.0, 2.0]) == "2.00 [1.00-3.00]"


@pytest.mark.parametrize("steps", [STEPS, uneven_steps(0)], ids=["onboarding", "uneven"])
async def test_bare_langgraph_does_every_step_and_asks_for_the_gated_ones(steps: tuple[Step, ...]) -> None:
    """One interrupt, for payroll; after the answer all steps have their results."""
    graph = build_bare([Step(s.id, s.of, s.after, gated=s.gated) for s in steps])
    graph = graph.copy({"checkpointer": InMemorySaver()})
    config: Any = {"configurable": {"thread_id": str(uuid.uuid4())}}
    state = await graph.ainvoke({"request": request(0)}, config)
    asked = [each.value["step"] for each in state.get("__interrupt__", ())]
    assert asked == [step.id for step in steps if step.gated]
    if asked:
        assert "payroll" not in state["results"]
        state = await graph.ainvoke(Command(resume=True), config)
    assert set(state["results"]) == {step.id for step in steps}


async def test_steward_does_every_step_and_copies_of_its_runs_are_whole(database_urls: DatabaseUrls) -> None:
    """The same nine steps and the same gate, as keyed effects; a copy has every row of its run."""
    settings = Settings(
        database_url=SecretStr(database_urls.app_url), database_owner_url=SecretStr(database_urls.owner_url)
    )
    async with build(settings, knowledge=knowledge()) as steward, steward.working():
        run = await _whole(steward)
        entries = [entry async for entry in steward.events(run)]
        bodies = [entry.parsed() for entry in entries]
        effects = {body.intent.effect for body in bodies if isinstance(body, StepIntended)}
        assert {entry.cause.split(":")[1] for entry in entries if entry.kind == "step.ended"} == {s.id for s in STEPS}
        assert effects == {EffectClass.KEYED}
        await multiply(Server(database_urls.owner_url, 0, {}), _name(database_urls), [run], 3)
        copies = [row for row in await steward.runs() if row.id != run]
        assert [row.status for row in copies] == [RunStatus.DONE] * 3
        for row in copies:
            copied = [entry async for entry in steward.events(row.id)]
            assert [entry.body for entry in copied] == [entry.body for entry in entries]
            assert len(await steward.reviews(run=row.id, open_only=False)) == 1


async def _whole(steward: Application) -> str:
    run = await steward.start(ONBOARDING, request(0), by=HR)
    await until(steward, run.id, "review.asked")
    (review,) = await steward.reviews(run=run.id)
    assert review.card.step == "payroll"
    await steward.decide(review.card.id, approve(), by=FINANCE)
    await until(steward, run.id, "run.ended")
    return run.id


def _name(urls: DatabaseUrls) -> str:
    return str(conninfo_to_dict(urls.owner_url)["dbname"])
