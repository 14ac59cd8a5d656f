"""Makespan of a DAG of uneven steps against its critical path, and a wave engine beside it.

Both sides count from the first step's start to the last step's end. For Steward these are the times in its journal:
the first intent, noted before its call, and the last outcome. The whole run (admission, plan, check, report) is shown
beside it, as the database committed it.
"""

from __future__ import annotations

import time
from contextlib import AsyncExitStack
from typing import Any

from tests.bench.driver import Driver, driving
from tests.bench.figures import Plan, Section, columns, median, spread, table
from tests.bench.plots import strips
from tests.bench.server import Server
from tests.bench.sides import application, bare_side, worker
from tests.bench.work import UNEVEN, critical_path_s, uneven_steps

OURS, THEIRS = "makespan_steward", "makespan_bare"
_SPAN = b"""
SELECT extract(epoch FROM max(at) FILTER (WHERE kind = 'step.ended')
                        - min(at) FILTER (WHERE kind = 'step.intended'))::float8 AS seconds
FROM journal WHERE run_id = ANY (%s::uuid[])"""


async def measure(server: Server, plan: Plan) -> Section:
    """One run of each side in turn."""
    await server.make(OURS)
    await server.make(THEIRS, migrated=False)
    section = Section("makespan", "A DAG of uneven steps")
    async with AsyncExitStack() as stack:
        bare = await stack.enter_async_context(bare_side(server, THEIRS))
        steward = await stack.enter_async_context(application(server, OURS))
        await stack.enter_async_context(worker(server, OURS))
        driver = await stack.enter_async_context(driving(steward, server, OURS))
        await driver.whole(2)
        for _ in range(plan.size(12, 3)):
            number = driver.number
            waves = (await bare.ask("uneven", number=number))["seconds"]
            path = critical_path_s(uneven_steps(number))
            section.rounds.append({"dag": number, "critical_path_s": path, **await _ours(driver), "waves_s": waves})
    _compare(section)
    return section


async def _ours(driver: Driver) -> dict[str, Any]:
    began = time.time()
    runs = await driver.start(1, playbook=UNEVEN)
    await driver.until_ended(runs)
    seconds = (await driver.look(_SPAN, (runs,)))[0]["seconds"]
    return {"steps_s": seconds, "whole_s": await driver.last_commit(runs) - began}


def _compare(section: Section) -> None:
    ratios = {
        key: [each[key] / each["critical_path_s"] for each in section.rounds]
        for key in ("steps_s", "whole_s", "waves_s")
    }
    section.figures.update(
        makespan_ratio=median(ratios["steps_s"]),
        makespan_whole_ratio=median(ratios["whole_s"]),
        makespan_waves_ratio=median(ratios["waves_s"]),
    )
    paths = spread(columns(section.rounds, "critical_path_s"))
    section.lines += [
        f"{len(section.rounds)} DAGs drawn from the seed: three lanes of four steps of 50 to 400 ms; critical path {paths} s.",
        "",
    ]
    named = {"steward, steps": "steps_s", "steward, whole run": "whole_s", "bare, in waves": "waves_s"}
    paces = {name: ratios[key] for name, key in named.items()}
    section.plots["makespan"] = strips("Makespan over the critical path", "times the critical path", paces)
    rows = [
        ("steward, first step to last", spread(ratios["steps_s"], 3), "at most 1.05"),
        ("steward, the whole run", spread(ratios["whole_s"], 3), ""),
        ("bare LangGraph, a wave engine", spread(ratios["waves_s"], 3), ""),
    ]
    section.lines += table(("makespan over the critical path", "median [least-most]", "target"), rows)
