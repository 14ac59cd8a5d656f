"""Choices at run time: a rule of the plan chooses and says why, or an agent does, or a person is asked. Journaled once.

An agent is asked where the step says ``decide`` and no rule holds. What it takes counts if it is one of the options and it is
sure enough; otherwise a person chooses, with the agent's word on the form. Either way its decision is in the journal, so
that it is asked once in the life of a step.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from governance import events as ev
from governance.chain import Event
from governance.decisions import Alternative, Decide, Decision, DecisionKind
from governance.effects import StepStatus
from graphs.engine import Engine
from graphs.fold import RunFold
from graphs.forms import AskForm, ask_form, form_of, was_put
from graphs.live import LiveRun
from plans.language import Step
from tools.choosing import Choosing, Chosen

DECIDER = "rule:plan"


@dataclass(frozen=True)
class Choose:
    """Journal this choice, and with it the end of its step."""

    step: Step
    args: dict[str, Any]
    chosen: Chosen
    decision: Decision


@dataclass(frozen=True)
class AskAgent:
    """Ask the agent, which takes its time, and see what comes of it."""

    step: Step
    args: dict[str, Any]
    given: Choosing
    decide: Decide


def by_rule(step: Step, args: dict[str, Any], given: Choosing) -> Choose | None:
    """What the first rule that holds chooses; None: no rule holds, and a person has to say."""
    rule = given.first()
    if rule is None:
        return None
    others = given.passed_over()
    because = f"{rule.because}; it goes before the standard: {others[0].because}" if others else rule.because
    decision = Decision(
        kind=DecisionKind.CHOICE,
        subject=step.id,
        choice=rule.choose,
        reasoning=f"{because[:1].upper()}{because[1:]}.",
        confidence=1,
        decider=DECIDER,
        alternatives=tuple(
            Alternative(choice=other.choose, why_not=f"{other.because}, but a rule before it holds") for other in others
        ),
        evidence=tuple(f"{name} is {given.facts[name]}" for name in rule.where),
    )
    return Choose(step, args, Chosen(choice=rule.choose, because=rule.because, by="rule"), decision)


def asking(state: RunFold, step: Step, args: dict[str, Any], given: Choosing) -> AskAgent | None:
    """The question to the agent; None where the step wants none asked, or one was: then a form is there, or was."""
    if step.decide is None or was_put(state, step, form_args(given)):
        return None
    return AskAgent(step, args, given, step.decide)


def by_agent(move: AskAgent, decision: Decision | None) -> Choose | None:
    """What an agent chooses; None: it does not, or not surely enough.

    Its reasoning stays in the decision. What goes on from step to step are words of ours: a text that the agent was shown
    cannot have itself repeated.
    """
    if decision is None or decision.choice not in move.given.options:
        return None
    if decision.confidence < move.decide.confidence_at_least:
        return None
    because = f"an agent chose it, {decision.confidence:.0%} sure"
    return Choose(move.step, move.args, Chosen(choice=decision.choice, because=because, by=decision.decider), decision)


async def ask_agent(engine: Engine, run: LiveRun, move: AskAgent) -> str:
    """Ask the agent and journal what comes of it: the choice, or a form for a person. Why nobody can be asked, or nothing.

    A run that is stopping puts no form: there is nothing to choose any more. What the agent said is then lost.
    """
    decision = await engine.chooser.choose(step=move.step.id, given=move.given, run=run.state.run_id)
    chosen = by_agent(move, decision)
    if chosen is not None:
        note_choice(run, chosen)
        return ""
    if run.state.failing:
        return ""
    found = form_of(engine, run.state, move.step, form_args(move.given), decision)
    if isinstance(found, AskForm):
        ask_form(run, found)
    return found if isinstance(found, str) else ""


def form_args(given: Choosing) -> dict[str, Any]:
    """The form by which a person chooses."""
    field = {"enum": list(given.options), "title": "choice"}
    schema = {"type": "object", "properties": {"choice": field}, "required": ["choice"]}
    return {"to": given.to, "question": given.question, "schema": schema, "facts": given.facts}


def note_choice(run: LiveRun, move: Choose) -> None:
    """The decision and the end of the step, together."""
    step, life = move.step, run.state.step(move.step.id).life
    ended = ev.StepEnded(
        step=step.id,
        tool=step.tool,
        status=StepStatus.DONE,
        args=move.args,
        output=move.chosen.model_dump(mode="json"),
    )
    run.note(
        Event(f"step:{step.id}:{life}:chosen", ev.StepChosen(step=step.id, decision=move.decision)),
        Event(f"step:{step.id}:{life}:ended", ended),
    )
