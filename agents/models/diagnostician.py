"""What a failure leads to, by a model: it explains and recommends; whatever has effects of its own, people choose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agents.models.desk import Answered, Desk, NoAnswer, Question
from agents.models.prompts import fenced, prompt
from agents.models.voice import by_rule, confidence, sentence
from agents.ports import Diagnosis, Diagnostician
from governance.decisions import Alternative, Decision, DecisionKind
from governance.effects import Failure, FailureClass
from governance.events import Recovery
from tools.contract import ToolSpec

KIND = "diagnosis"


@dataclass(frozen=True)
class ModelDiagnostician:
    """Asks a model about failures for which no rule knows a way on.

    It is bound: what may have happened is never tried or planned again before a person has found out; a model takes
    nothing back, it recommends that; and it plans anew only where another tool is there.
    """

    desk: Desk
    rules: Diagnostician

    async def diagnose(
        self,
        *,
        step: str,
        tool: ToolSpec | None,
        failure: Failure | None,
        refused: bool,
        attempts: int,
        alternatives: Sequence[str] = (),
        run: str = "",
    ) -> Diagnosis:
        """A diagnosis; total: where no model answers it is the rules'."""
        ruled = await self.rules.diagnose(
            step=step,
            tool=tool,
            failure=failure,
            refused=refused,
            attempts=attempts,
            alternatives=alternatives,
            run=run,
        )
        if failure is None or refused or ruled.choice is Recovery.REPLAN:
            return ruled
        facts = {
            "step": step,
            "tool": f"{tool.id}: {tool.summary}" if tool else step,
            "effect": tool.effect.value if tool else "unknown",
            "failure": failure.failure.value,
            "code": failure.code,
            "attempts": attempts,
            "alternatives": list(alternatives),
        }
        told = "\n".join([fenced("facts", facts), fenced("said_by_the_system", [failure.message, failure.fix])])
        found = await self.desk.ask(Question(KIND, prompt("diagnosis@1"), told, _SCHEMA, run))
        if isinstance(found, NoAnswer):
            return Diagnosis(ruled.choice, ruled.explanation, by_rule(ruled.decision, found))
        return _diagnosis(step, failure, ruled, found, alternatives)


_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "failure": {"enum": [kind.value for kind in FailureClass]},
        "choice": {"enum": [choice.value for choice in Recovery]},
        "explanation": {"type": "string", "minLength": 1},
        "fix": {"type": "string"},
        "confidence": {"type": "number", "minimum": 0, "maximum": 1},
    },
    "required": ["failure", "choice", "explanation", "fix", "confidence"],
    "additionalProperties": False,
}


def _diagnosis(
    step: str, failure: Failure, ruled: Diagnosis, found: Answered, alternatives: Sequence[str]
) -> Diagnosis:
    wished = Recovery(found.value["choice"])
    choice, why_not = _bound(wished, failure, alternatives)
    taken = found.value["failure"]
    said = [sentence(found.value["explanation"])]
    if sentence(found.value["fix"]):
        said.append(f"What may help: {sentence(found.value['fix'])}")
    if taken != failure.failure.value:
        said.append(f"(The model takes the failure for {taken}; the system's answer was {failure.failure.value}.)")
    explanation = f"{step} failed. {' '.join(said)}"
    decision = Decision(
        kind=DecisionKind.DIAGNOSIS,
        subject=step,
        choice=choice.value,
        reasoning=explanation,
        confidence=confidence(found.value),
        decider=f"model:{found.use.model}",
        alternatives=(Alternative(choice=wished.value, why_not=why_not),) if why_not else ruled.decision.alternatives,
        evidence=(failure.message,),
        use=found.use,
    )
    return Diagnosis(choice, explanation, decision)


def _bound(wished: Recovery, failure: Failure, alternatives: Sequence[str]) -> tuple[Recovery, str]:
    """What may be done of what the model would do, and why not the rest."""
    if wished is Recovery.COMPENSATE:
        return Recovery.ASK, "the model recommends it, and only a person has it done"
    if wished in {Recovery.RETRY, Recovery.REPLAN} and failure.failure is FailureClass.AMBIGUOUS:
        return Recovery.ASK, "it may have happened, so a person finds that out first"
    if wished is Recovery.REPLAN and not alternatives:
        return Recovery.ASK, "no other tool provides the same"
    return wished, ""
