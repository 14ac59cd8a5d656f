"""Choices at run time: a rule of the plan chooses and says why, or a person is asked. Journaled as a decision, once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from governance import events as ev
from governance.chain import Event
from governance.decisions import Alternative, Decision, DecisionKind
from governance.effects import StepStatus
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
