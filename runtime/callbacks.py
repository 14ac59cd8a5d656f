"""Callbacks at the door: is this an address of ours, does the answer fit, and was it the first?"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

from governance.addresses import is_among, mark, run_and_step
from governance.errors import InvalidInput, NotFound, Refused
from governance.runs import InboxRow, InputKind
from governance.text import text_problem, value_problem
from graphs.callbacks import MOST_ERROR, closed_why
from graphs.engine import Engine
from graphs.transitions import fold
from runtime.ports import Store
from tools.arguments import output_problems

NOBODY = "No step is answered at this address."


@dataclass(frozen=True)
class Answered:
    """What became of a callback. ``first``: it counts; otherwise ``answer`` is the one that does."""

    first: bool
    answer: dict[str, Any]


async def call_back(store: Store, engine: Engine, address: str, body: Any) -> Answered:
    """Leave an answer for the step that the address belongs to (see ``Application.call_back``)."""
    run_id, step = run_and_step(address)
    if not run_id or text_problem(address, most=1_000):
        raise NotFound(NOBODY)
    try:
        state = fold(run_id, await store.journal.read(run_id))
    except NotFound:
        raise NotFound(NOBODY) from None
    known = state.step(step)
    if not is_among(address, known.addresses):
        raise NotFound(NOBODY)
    dedupe = f"callback:{mark(address)}"
    before = await store.inbox.left(run_id, dedupe)
    if before is not None:
        return Answered(first=False, answer=_answer(before))
    why = closed_why(state, known)
    if why:
        raise Refused(f"This answer comes too late: {why}.")
    told = _told(engine, known.intent.tool if known.intent else "", body)
    delivery = secrets.token_hex(8)
    row = await store.inbox.put(
        run_id,
        InputKind.CALLBACK,
        {"step": step, "by": "callback", "delivery": delivery, **told},
        dedupe=dedupe,
    )
    return Answered(first=row.body.get("delivery") == delivery, answer=_answer(row))


def _told(engine: Engine, tool_id: str, body: Any) -> dict[str, Any]:
    """The answer as the inbox keeps it. Raises InvalidInput."""
    if not isinstance(body, dict):
        raise InvalidInput("An answer is a JSON object.")
    problem = value_problem(body)
    if problem:
        raise InvalidInput(f"The answer {problem}.")
    if set(body) == {"error"} and isinstance(body["error"], str):
        return {"error": body["error"][:MOST_ERROR]}
    tool = engine.tools.get(tool_id)
    problems = output_problems(tool, body) if tool else ()
    if problems:
        raise InvalidInput(
            f"That is not what {tool_id} gives: {'; '.join(problems)}.",
            hint='Send its output, or {"error": "why not"}',
        )
    return {"output": body}


def _answer(row: InboxRow) -> dict[str, Any]:
    output = row.body.get("output")
    return output if isinstance(output, dict) else {"error": str(row.body.get("error", ""))}
