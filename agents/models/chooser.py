"""Choosing at run time, by a model: one of the options that the plan declares, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agents.models.desk import Answered, Desk, NoAnswer, Question
from agents.models.prompts import fenced, prompt
from agents.models.voice import confidence, others, others_schema, sentence
from governance.decisions import Decision, DecisionKind, ModelUse
from tools.choosing import Choosing

KIND = "choice"
_LONGEST_FACT = 300


@dataclass(frozen=True)
class ModelChooser:
    """Asks a model. It is told the plan's question, its options and the step's facts; its words lead to nothing but a choice."""

    desk: Desk

    async def choose(self, *, step: str, given: Choosing, run: str = "") -> Decision | None:
        """What the model takes, and how sure it is; without an answer ``ask``, with why there is none and what trying took."""
        told = "\n".join([fenced("question", given.question), fenced("facts", given.facts)])
        found = await self.desk.ask(Question(KIND, prompt("choice@1"), told, _schema(given.options), run))
        if isinstance(found, NoAnswer):
            return _left(step, f"{found.why} So a person chooses.", found.use)
        return _decision(step, given, found)


def _schema(options: tuple[str, ...]) -> Mapping[str, Any]:
    return {
        "type": "object",
        "properties": {
            "choice": {"enum": list(options)},
            "reasoning": {"type": "string", "minLength": 1},
            "confidence": {"type": "number", "minimum": 0, "maximum": 1},
            "evidence": {"type": "array", "items": {"type": "string"}},
            "alternatives": others_schema(),
        },
        "required": ["choice", "reasoning", "confidence", "evidence"],
        "additionalProperties": False,
    }


def _decision(step: str, given: Choosing, found: Answered) -> Decision:
    named = [name for name in found.value["evidence"] if name in given.facts]
    taken = found.value["choice"]
    return Decision(
        kind=DecisionKind.CHOICE,
        subject=step,
        choice=taken,
        reasoning=sentence(found.value["reasoning"]),
        confidence=confidence(found.value),
        decider=f"model:{found.use.model}",
        alternatives=tuple(
            each for each in others(found.value) if each.choice in given.options and each.choice != taken
        ),
        evidence=tuple(sentence(f"{name} is {given.facts[name]}")[:_LONGEST_FACT] for name in named),
        use=found.use,
    )


def _left(step: str, why: str, use: ModelUse | None) -> Decision:
    return Decision(
        kind=DecisionKind.CHOICE,
        subject=step,
        choice="ask",
        reasoning=why,
        confidence=0,
        decider="rule:no-answer",
        use=use,
    )
