"""Latency of one run alone, without the wait for the person.

Counted on both sides: from the start until all that needs no person is durably done, and from the answer until the run
is durably at its end. So work that Steward does while the person thinks counts in full, as it does for bare LangGraph,
which does it before it asks.
"""

from __future__ import annotations

import time
from contextlib import AsyncExitStack
from typing import Any

from tests.bench.driver import Driver, driving
from tests.bench.figures import Plan, Section, columns, median, spread, table
from tests.bench.plots import strips
from tests.bench.server import Server
from tests.bench.sides import BareSide, application, bare_side, worker

OURS, THEIRS = "latency_steward", "latency_bare"
WARM = 3


async def measure(server: Server, plan: Plan) -> Section:
    """One run of each side in turn; the ratio of each pair."""
    pairs = plan.size(40, 6)
    await server.make(OURS)
    await server.make(THEIRS, migrated=False)
    section = Section("latency", "One run alone")
    async with AsyncExitStack() as stack:
        bare = await stack.enter_async_context(bare_side(server, THEIRS))
        steward = await stack.enter_async_context(application(server, OURS))
        await stack.enter_async_context(worker(server, OURS))
        driver = await stack.enter_async_context(driving(steward, server, OURS))
        for number in range(-WARM, pairs):
            pair = {"round": number, **await _ours(driver), **await _theirs(bare)}
            if number >= 0:
                section.rounds.append(pair)
    _compare(section)
    return section


async def _ours(driver: Driver) -> dict[str, Any]:
    began = time.time()
    runs = await driver.start(1)
    await driver.until_waiting(runs)
    at_rest = await driver.last_commit(runs)
    found = await driver.questions(runs)
    answered = time.time()
    await driver.decide(found)
    await driver.until_ended(runs)
    to_question, to_end = at_rest - began, await driver.last_commit(runs) - answered
    return {
        "ours_ms": 1000 * (to_question + to_end),
        "ours_to_question_ms": 1000 * to_question,
        "ours_to_end_ms": 1000 * to_end,
    }


async def _theirs(bare: BareSide) -> dict[str, Any]:
    answer = await bare.ask("one")
    to_question, to_end = 1000 * answer["to_question"], 1000 * answer["to_end"]
    return {"bare_ms": to_question + to_end, "bare_to_question_ms": to_question, "bare_to_end_ms": to_end}


def _compare(section: Section) -> None:
    rounds = section.rounds
    ratios = [each["ours_ms"] / each["bare_ms"] for each in rounds]
    section.figures.update(latency_ratio=median(ratios), latency_ms=median(columns(rounds, "ours_ms")))
    paces = {"steward": columns(rounds, "ours_ms"), "bare": columns(rounds, "bare_ms")}
    section.plots["latency"] = strips("Latency of one run alone, without the wait", "ms", paces)
    rows = [
        (name, *(spread(columns(rounds, f"{side}_{part}"), 1) for part in ("to_question_ms", "to_end_ms", "ms")))
        for side, name in (("ours", "steward"), ("bare", "bare"))
    ]
    section.lines += table(("side", "start to rest, ms", "answer to end, ms", "both, ms"), rows)
    section.lines += [
        f"Ratio within a pair: {spread(ratios)} of {len(rounds)} pairs; target at most 0.6 (goal 0.3).",
        "",
    ]
