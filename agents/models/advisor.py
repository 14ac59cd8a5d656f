"""Advice on a review by a model: it may be more careful than the rules, and never less where they see a contradiction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agents.models.desk import Desk, NoAnswer, Question
from agents.models.prompts import fenced, prompt
from agents.models.voice import by_rule, confidence, others, others_schema, sentence
from agents.ports import NOTHING_KNOWN, Advisor, Background
from governance.decisions import Decision, DecisionKind
from governance.people import Person
from governance.policy import Ruling
from tools.contract import ToolSpec

KIND = "advice"
_CHOICES = ("approve", "reject", "look")


@dataclass(frozen=True)
class ModelAdvisor:
    """Asks a model, with the rules' own advice among the facts."""

    desk: Desk
    rules: Advisor

    async def advise(
        self,
        *,
        step: str,
        tool: ToolSpec,
        args: Mapping[str, Any],
        ruling: Ruling,
        request: Mapping[str, Any],
        requester: Person,
        background: Background = NOTHING_KNOWN,
        run: str = "",
    ) -> Decision:
        """``approve``, ``reject`` or ``look``. Where the rules say ``reject``, a model's ``approve`` becomes ``look``."""
        ruled = await self.rules.advise(
            step=step,
            tool=tool,
            args=args,
            ruling=ruling,
            request=request,
            requester=requester,
            background=background,
            run=run,
        )
        found_before = {f"read.{name}": values for name, values in background.facts.items()}
        facts = (
            found_before
            | _facts(tool, args, ruling, request, requester)
            | {"by_rule": f"{ruled.choice}: {ruled.reasoning}"}
        )
        found = await self.desk.ask(Question(KIND, prompt("advice@1"), fenced("facts", facts), _SCHEMA, run))
        if isinstance(found, NoAnswer):
            return by_rule(ruled, found)
        choice, said = found.value["choice"], sentence(found.value["reasoning"])
        if ruled.choice == "reject" and choice == "approve":
            choice, said = "look", f"{ruled.reasoning} The model would approve all the same: {said}"
        return Decision(
            kind=DecisionKind.ADVICE,
            subject=step,
            choice=choice,
            reasoning=said or ruled.reasoning,
            confidence=confidence(found.value),
            decider=f"model:{found.use.model}",
            alternatives=tuple(each for each in others(found.value) if each.choice in _CHOICES),
            evidence=tuple(f"{name}: {facts[name]}"[:300] for name in found.value["evidence"] if name in facts),
            use=found.use,
        )


_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "choice": {"enum": list(_CHOICES)},
        "reasoning": {"type": "string"},
        "confidence": {"type": "number", "minimum": 0, "maximum": 1},
        "evidence": {"type": "array", "items": {"type": "string"}},
        "alternatives": others_schema(),
    },
    "required": ["choice", "reasoning", "confidence", "evidence"],
    "additionalProperties": False,
}


def _facts(
    tool: ToolSpec, args: Mapping[str, Any], ruling: Ruling, request: Mapping[str, Any], requester: Person
) -> dict[str, Any]:
    """All that the advice may rest on, by name."""
    facts = {
        "action": f"{tool.id}: {tool.summary}",
        "asked_because": ruling.because,
        "cannot_be_undone": tool.irreversible,
        "requester": f"{requester.name}, {', '.join(sorted(requester.roles)) or 'no roles'}",
        **{f"argument.{name}": value for name, value in args.items()},
        **{f"request.{name}": value for name, value in request.items()},
    }
    return {name: value for name, value in facts.items() if value not in ("", None)}
