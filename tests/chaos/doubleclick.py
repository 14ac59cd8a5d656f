"""B7: a hundred people answer one question at the same moment. Exactly one wins, and the run goes on once."""

from __future__ import annotations

import asyncio
import json
from collections import Counter

from governance.errors import AlreadyDecided
from governance.reviews import approve
from governance.runs import ReviewRow
from tests.chaos.ground import Ground, Scene, a_scene
from tests.chaos.patience import until
from tests.chaos.people import asker
from tests.chaos.results import Result, equal, zero
from tests.fixtures.company import person

_CLICKS = 100
_BATCH = 25


async def doubleclick(ground: Ground) -> Result:
    """B7."""
    questions = ground.size(50, 1000)
    result = Result("B7", "Double click", f"{_CLICKS} verdicts at once on one question, {questions:,} times")
    winners: dict[str, list[str]] = {}
    late: Counter[str] = Counter()
    async with a_scene(ground, "doubleclick") as scene:
        await scene.workers.keep(2)
        for first in range(0, questions, _BATCH):
            for number in range(first, min(first + _BATCH, questions)):
                await scene.steward.start("chaos-decided", {"subject": f"q{number}"}, by=asker(scene.steward))
            for row in await _open(scene, min(_BATCH, questions - first)):
                winners[row.card.run_id] = await _click(scene, row, late)
        await scene.rest(120)
        counts, resumed = await _count(scene, winners, questions)
    result.measures = [
        equal("questions with exactly one winner", questions, sum(len(w) == 1 for w in winners.values())),
        equal("verdicts told that they were too late", questions * (_CLICKS - 1), late["late"]),
        equal("runs that went on once, by the winner's word", questions, resumed),
        *(zero(what.replace("_", " "), counts[what]) for what in ("lost", "duplicated", "stuck", "stale_writes")),
    ]
    result.counts = counts
    result.facts = {"questions": questions, "verdicts": questions * _CLICKS}
    return result


async def _open(scene: Scene, number: int) -> list[ReviewRow]:
    async def asked() -> bool:
        return len(await scene.steward.reviews()) >= number

    await until(asked)
    return await scene.steward.reviews()


async def _click(scene: Scene, row: ReviewRow, late: Counter[str]) -> list[str]:
    """The reasons of those who won."""
    by = person(scene.steward, row.card.approvers[0])

    async def one(number: int) -> str:
        try:
            await scene.steward.decide(row.card.id, approve(reason=f"click {number}"), by=by)
        except AlreadyDecided:
            late["late"] += 1
            return ""
        return f"click {number}"

    return [won for won in await asyncio.gather(*(one(number) for number in range(_CLICKS))) if won]


async def _count(scene: Scene, winners: dict[str, list[str]], questions: int) -> tuple[dict[str, int], int]:
    """What the witness and the journals say."""
    query = "SELECT run_id, body FROM journal WHERE kind = 'review.decided'"
    decided: dict[str, list[str]] = {}
    for run_id, body in await scene.seen.ask(query):
        decided.setdefault(str(run_id), []).append(json.loads(body)["verdict"]["reason"])
    charged = (await scene.witness.says()).effects.get("charge", {})
    done = (await scene.seen.statuses()).get("done", 0)
    counts = {
        "runs": questions,
        "lost": questions - len(charged),
        "duplicated": sum(charged.values()) - len(charged),
        "stuck": questions - done,
        "stale_writes": await scene.seen.stale_writes(),
    }
    return counts, sum(decided.get(run_id) == won for run_id, won in winners.items())
