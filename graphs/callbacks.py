"""Callbacks: what an answer from outside makes of the deferred step that it is for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from governance import events as ev
from governance.chain import Event
from governance.effects import Failure, FailureClass, StepStatus
from governance.runs import InboxRow
from governance.text import legible
from graphs.engine import Engine
from graphs.fold import RunFold, StepFold
from tools.arguments import given_output, output_problems

MOST_ERROR = 1_000


@dataclass(frozen=True)
class Settled:
    """The events by which a callback ends its step; the first takes up the inbox row."""

    step: str
    events: tuple[Event, ...]


def settle(engine: Engine, state: RunFold, row: InboxRow) -> Settled | str:
    """What a callback means: the end of its step, or why it is dropped.

    The row's body is ``{step, by}`` with ``output`` (an object), ``error`` (a text) or ``stopped`` (a text).
    """
    step_id = str(row.body.get("step", ""))
    known = state.step(step_id)
    why = closed_why(state, known)
    if why or known.intent is None:
        return why
    tool = engine.tools.get(known.intent.tool)
    if tool is None:
        return f"the tool {known.intent.tool} is not installed any more"
    output: dict[str, Any] | None = None
    if "output" in row.body:
        problems = output_problems(tool, row.body["output"])
        if problems:
            return f"it is not what {tool.id} gives: {'; '.join(problems)}"
        output = given_output(tool, row.body["output"])
    answered = Event(row.cause, ev.StepAnswered(step=step_id, by=str(row.body.get("by", "callback"))))
    ended = Event(f"step:{step_id}:{known.life}:ended", _end(state, step_id, known, row.body, output))
    return Settled(step_id, (answered, ended))


def closed_why(state: RunFold, known: StepFold) -> str:
    """Why no answer is taken for a step any more; empty while one is."""
    if state.ended is not None or state.erased:
        return "the run had ended"
    if known.intent is None:
        return "no step waits for it"
    return "the step had ended" if known.ended is not None else ""


def _end(
    state: RunFold, step_id: str, known: StepFold, body: dict[str, Any], output: dict[str, Any] | None
) -> ev.StepEnded:
    intent = known.intent
    if intent is None:
        raise ValueError(f"step {step_id} has no intent")
    status, failure, why = StepStatus.DONE, None, "its answer came"
    if output is None and "stopped" in body and state.failing:
        status, why = StepStatus.STOPPED, legible(str(body["stopped"]))[:MOST_ERROR]
    elif output is None:
        message = legible(str(body.get("error") or body.get("stopped") or "no reason given"))[:MOST_ERROR]
        status, why = StepStatus.FAILED, ""
        failure = Failure(failure=FailureClass.PERMANENT, code="answered_no", message=f"{intent.tool}: {message}")
    return ev.StepEnded(
        step=step_id, tool=intent.tool, status=status, args=intent.args, output=output, failure=failure, why=why
    )
