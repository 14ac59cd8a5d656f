"""The compiled graph as a program uses it: dry without a claim, streamed, with its history."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from governance.errors import InvalidInput, InvalidRequest, NotPermitted
from tests.conftest import DatabaseUrls
from tests.fixtures.company import ADA, FINANCE, HR, person, steward_on, until
from tests.sandbox.running import Company

ASK = {"playbook": "onboarding", "request": ADA, "by": HR}


async def test_a_dry_run_goes_to_its_end_and_touches_nothing(
    database_urls: DatabaseUrls, home: Path, company: Company
) -> None:
    """Plan, check, gates and steps as in a real run, all simulated and labelled so; no system hears of it."""
    async with steward_on(database_urls, home) as steward:
        config: Any = {"configurable": {"thread_id": "dry-1"}}
        final = await steward.graph.ainvoke({"ask": ASK}, config)
        assert final["phase"] == "end"
        kinds = [record["kind"] for record in final["dry"]]
        assert kinds[-1] == "run.ended"
        assert kinds.count("review.asked") == kinds.count("review.decided") == 2
        ended = [record["body"] for record in final["dry"] if record["kind"] == "step.ended"]
        assert len(ended) == 14
        assert all('"simulated":true' in body for body in ended)
        assert await steward.runs() == []
        assert company["control"].get("/effects").json()["effects"] == []
        history = [found async for found in steward.graph.aget_state_history(config)]
        assert len(history) >= 5


async def test_steps_are_streamed(database_urls: DatabaseUrls, home: Path) -> None:
    """A caller of ``astream`` sees every event, not one opaque node."""
    async with steward_on(database_urls, home) as steward:
        config: Any = {"configurable": {"thread_id": "dry-2"}}
        seen = [chunk async for chunk in steward.graph.astream({"ask": ASK}, config, stream_mode="custom")]
        causes = [event["cause"] for event in seen]
        assert "step:account:0:intended" in causes
        assert causes[-1] == "ended"


async def test_a_wrong_ask_is_a_clear_error(database_urls: DatabaseUrls, home: Path) -> None:
    """Nothing to do, or a request that does not fit: a sentence, and every problem at once."""
    async with steward_on(database_urls, home) as steward:
        config: Any = {"configurable": {"thread_id": "dry-3"}}
        with pytest.raises(InvalidInput, match="something to do"):
            await steward.graph.ainvoke({"ask": {}}, config)
        with pytest.raises(InvalidRequest) as invalid:
            await steward.graph.ainvoke({"ask": {**ASK, "request": {"first_name": 3}}}, config)
        assert len(invalid.value.findings) >= 5


async def test_a_fork_goes_on_by_itself_and_leaves_its_run_alone(
    database_urls: DatabaseUrls, home: Path, company: Company
) -> None:
    """From any event of a waiting run: the rest is simulated on another thread; run, reviews and systems stay as they were."""
    async with steward_on(database_urls, home) as steward:
        hr = person(steward, HR)
        async with steward.working():
            run = await steward.start("onboarding", ADA, by=hr)
            await until(steward, run.id, "review.asked", count=2)
        before = await steward.show(run.id)
        effects = company["control"].get("/effects").json()["effects"]
        forked = await steward.fork(run.id, by=hr)
        assert forked.row.id.startswith(f"fork-{run.id}")
        assert {step.state for step in forked.steps} == {"done"}
        early = await steward.fork(run.id, by=hr, at=1)
        assert early.timeline[-1].kind == "run.ended"
        assert replace(await steward.show(run.id), seen_at=before.seen_at) == before
        assert company["control"].get("/effects").json()["effects"] == effects
        with pytest.raises(InvalidInput, match="not 999"):
            await steward.fork(run.id, by=hr, at=999)
        with pytest.raises(NotPermitted):
            await steward.fork(run.id, by=person(steward, FINANCE))
