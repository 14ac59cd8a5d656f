"""Plans by a model. The checker is the judge; what it finds comes back here as the next task, from the graph."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pydantic import ValidationError

from agents.models.catalogs import narrowed
from agents.models.desk import Answered, Desk, NoAnswer, Question
from agents.models.prompts import Prompt, fenced, prompt
from agents.models.voice import by_rule, confidence, others, others_schema, sentence
from agents.offline.revising import joined
from agents.ports import Planner, PlanningTask, Proposal
from governance.decisions import Decision, DecisionKind
from governance.findings import Severity
from plans.documents import document_schema
from plans.language import SCHEMA, Plan
from tools.contract import ToolSpec

KIND = "plan"
_WITHHELD = {"withheld": True}


@dataclass(frozen=True)
class ModelPlanner:
    """Asks a model for a plan; where none answers, the rules plan and say so."""

    desk: Desk
    rules: Planner

    async def plan(self, task: PlanningTask) -> Proposal:
        """A plan, right or wrong: the checker says. The playbook that it is for is ours to write, not the model's."""
        found = await self.desk.ask(Question(KIND, self._prompt, _told(task), self._schema, task.run, _is_plan))
        if isinstance(found, NoAnswer):
            proposal = await self.rules.plan(task)
            return Proposal(proposal.plan, by_rule(proposal.decision, found))
        document: dict[str, Any] = {**found.value["plan"], "schema": SCHEMA, "playbook": task.playbook}
        return Proposal(_with_what_stands(document, task), _decision(task, document, found))

    @property
    def identity(self) -> str:
        """The models that may be asked, in their order, and the prompt: what plans that are kept are kept under."""
        return f"model:{', '.join(model.name for model in self.desk.models)}, {self._prompt.id}"

    @cached_property
    def _prompt(self) -> Prompt:
        return prompt("plan@2")

    @cached_property
    def _schema(self) -> dict[str, Any]:
        return answer_schema()


def answer_schema() -> dict[str, Any]:
    """The JSON Schema of an answer: a plan document, and what is said about it."""
    plan = document_schema()
    definitions = plan.pop("$defs", {})
    del plan["$schema"]
    plan["properties"] = {name: plan["properties"][name] for name in ("goal_steps", "steps")}
    plan["required"] = ["goal_steps", "steps"]
    return {
        "type": "object",
        "properties": {
            "reasoning": {"type": "string"},
            "confidence": {"type": "number", "minimum": 0, "maximum": 1},
            "alternatives": others_schema(),
            "plan": plan,
        },
        "required": ["reasoning", "confidence", "plan"],
        "additionalProperties": False,
        "$defs": definitions,
    }


def _is_plan(value: Mapping[str, Any]) -> str:
    """Only that there is a plan with steps: what is wrong inside, the checker says better."""
    plan = value.get("plan")
    if not isinstance(plan, Mapping):
        return "the answer has no `plan`, which is an object"
    return "" if isinstance(plan.get("steps"), list) else "`plan.steps` is not a list"


def _told(task: PlanningTask) -> str:
    tools = narrowed(task)
    parts = [
        fenced("playbook", task.playbook),
        fenced("goals", [goal.model_dump(mode="json", exclude_defaults=True) for goal in task.goals]),
        fenced("guidance", task.guidance),
        fenced("request_schema", task.request_schema),
        fenced("request", _shown(task)),
        fenced("tools", [_contract(spec) for spec in tools]),
    ]
    if task.standing is not None:
        parts += [
            fenced("standing", task.standing.document()),
            fenced("done", [{"id": d.id, "tool": d.tool, "output": dict(d.output)} for d in task.done]),
            fenced("failed", [{"id": f.id, "tool": f.tool, "failure": f.failure} for f in task.failed]),
        ]
    wrong = [str(finding) for finding in task.findings if finding.severity is Severity.ERROR]
    if wrong:
        rejected = task.rejected if task.rejected is not None else task.previous and task.previous.document()
        parts += [fenced("rejected", rejected), fenced("findings", wrong)]
    return "\n".join(parts)


def _shown(task: PlanningTask) -> dict[str, Any]:
    """The request without what came from untrusted text: a plan refers to that, and need not know it."""
    properties = task.request_schema.get("properties", {})
    return {
        name: _WITHHELD if properties.get(name, {}).get("x-untrusted") else value
        for name, value in task.request.items()
    }


def _contract(spec: ToolSpec) -> dict[str, Any]:
    """What a planner must know of a tool."""
    said = {
        "id": spec.id,
        "does": spec.summary,
        "provides": spec.provides,
        "effect": spec.effect.value,
        "input": spec.input,
        "output": spec.output,
        "irreversible": spec.irreversible,
    }
    return {name: value for name, value in said.items() if value}


def _with_what_stands(document: dict[str, Any], task: PlanningTask) -> dict[str, Any]:
    """After a failure: what was done stays in the plan, whatever the model did with it."""
    if task.standing is None:
        return document
    try:
        plan = Plan.model_validate(document)
        return joined(plan, task)[0].document()
    except (ValidationError, KeyError):
        return document  # the checker says what is wrong


def _decision(task: PlanningTask, document: Mapping[str, Any], found: Answered) -> Decision:
    goals = document.get("goal_steps")
    reached = goals if isinstance(goals, Mapping) else {}
    steps = document["steps"]
    return Decision(
        kind=DecisionKind.PLAN,
        subject=task.playbook,
        choice=f"{len(steps)} steps for {len(reached)} goals",
        reasoning=sentence(found.value.get("reasoning")) or "The model gave no reason.",
        confidence=confidence(found.value),
        decider=f"model:{found.use.model}",
        alternatives=others(found.value),
        evidence=tuple(f"{goal} is reached by {step}" for goal, step in list(reached.items())[:40]),
        use=found.use,
    )
