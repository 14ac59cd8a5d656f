"""From the plan of one request to a plan for all requests of its shape, or why there is none.

What is kept is made of the playbook's and the catalog's own words only: names that they declare, literals that stand in
them, references. So a template holds nothing of the request that it was made for, whoever planned it: it is not searched
for personal data, there is no way in for them. A literal from elsewhere may have been worked out from a value of that
request, and an effect that no goal needs may have been the planner's idea for it. Both would be wrong for the next one, and
no check could see it; that is the other half of the reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from agents.offline.repair import free_id, with_ids
from agents.vocabulary import Vocabulary
from governance.conditions import OPERATORS
from governance.goals import Goal
from plans.expressions import FORMS, Ref, Text, parse
from plans.language import RESERVED, ForEach, Plan, Step
from plans.recall import step_references

_SIGNS = OPERATORS | set(FORMS)
_LITERAL = "a literal that is neither the playbook's nor a tool's"
_BY_CHANCE = "a literal that a value of the request is equal to"
_IDEA = "an effect that no goal of the playbook needs"
_NAME = "a name that neither the playbook nor a tool declares"


def generalised(
    plan: Plan, goals: Mapping[str, Goal], vocabulary: Vocabulary, free: frozenset[str | int | float]
) -> Plan | str:
    """The plan for every request of the shape; or, in a few words, what keeps it from being one.

    ``free`` are the values of the request that are not in its shape. Ids of steps that are not made of the vocabulary's
    words are replaced, and so are reasons: by those of the goals that a step reaches, or by what it is there for.
    Confidences are rounded to hundredths.
    """
    plan = with_ids(plan, _new_ids(plan, vocabulary))
    why = _unfit(plan, goals, vocabulary, free)
    if why:
        return why
    steps = tuple(
        step.model_copy(
            update={"reason": _reason(step, plan, goals, vocabulary), "confidence": round(step.confidence, 2)}
        )
        for step in plan.steps
    )
    return plan.model_copy(update={"steps": steps})


def _unfit(plan: Plan, goals: Mapping[str, Goal], vocabulary: Vocabulary, free: frozenset[str | int | float]) -> str:
    if not plan.goal_steps.keys() <= goals.keys():
        return _NAME
    needed = _needed(plan)
    if any(step.tool in vocabulary.effects and step.id not in needed for step in plan.steps):
        return _IDEA
    own = _Own(vocabulary.names | {step.id for step in plan.steps} | RESERVED, vocabulary.literals, free)
    asking = replace(own, literals=own.literals | vocabulary.answers)
    found = (why for step in plan.steps for why in (*own.misses(_values(step)), *asking.misses([step.when])))
    return next(found, "")


def _needed(plan: Plan) -> set[str]:
    """The steps that reach a goal, and those whose outputs they refer to, over any number of steps."""
    refers = {step.id: step_references(step) for step in plan.steps}
    needed: set[str] = set()
    waiting = list(plan.goal_steps.values())
    while waiting:
        step_id = waiting.pop()
        if step_id not in needed:
            needed.add(step_id)
            waiting += refers.get(step_id, ())
    return needed


def _new_ids(plan: Plan, vocabulary: Vocabulary) -> dict[str, str]:
    reached = {step_id: goal for goal, step_id in plan.goal_steps.items()}
    taken = {step.id for step in plan.steps} | set(RESERVED)
    renamed: dict[str, str] = {}
    for step in plan.steps:
        if not vocabulary.says(step.id):
            wanted = reached.get(step.id) or step.tool.partition("@")[0].rpartition(".")[2]
            renamed[step.id] = wanted if wanted not in taken else free_id(wanted, taken)
            taken.add(renamed[step.id])
    return renamed


def _values(step: Step) -> Iterator[Any]:
    yield from (step.args, step.not_before)
    if step.decide is not None:
        yield step.decide.model_dump(exclude_defaults=True)
    if step.for_each is not None:
        yield from (step.for_each.items, step.for_each.key)
        if step.for_each.max != ForEach.model_fields["max"].default:
            yield step.for_each.max


@dataclass(frozen=True)
class _Own:
    """What may stand in a value: names, literals; ``free`` may not, even where they are literals too."""

    names: frozenset[str]
    literals: frozenset[str | int | float]
    free: frozenset[str | int | float]

    def misses(self, values: Iterable[Any]) -> list[str]:
        """What stands in the values and may not."""
        return [why for value in values for why in self._foreign(value)]

    def _foreign(self, value: Any) -> Iterator[str]:
        match value:
            case None | bool() | "":
                return
            case {"$ref": str(path), **rest} if not rest:
                yield from self._path(path)
            case {"$text": str(template), **rest} if not rest:
                yield from self._text(template)
            case Mapping():
                yield from (_NAME for name in value if name not in self.names and name not in _SIGNS)
                yield from self.misses(value.values())
            case list() | tuple():
                yield from self.misses(value)
            case _ if value not in self.literals:
                yield _LITERAL
            case _ if value in self.free:
                yield _BY_CHANCE

    def _text(self, template: str) -> Iterator[str]:
        """A template is the playbook's, or its words are all references."""
        if template in self.literals:
            return
        parsed = parse({"$text": template})
        for part in parsed.parts if isinstance(parsed, Text) else (template,):
            if isinstance(part, Ref):
                yield from self._path(part.path)
            elif any(character.isalnum() for character in part):
                yield _LITERAL

    def _path(self, path: str) -> Iterator[str]:
        yield from (_NAME for part in path.split(".") if part not in self.names)


def _reason(step: Step, plan: Plan, goals: Mapping[str, Goal], vocabulary: Vocabulary) -> str:
    if vocabulary.says(step.reason):
        return step.reason
    reached = [goals[goal].reason for goal, step_id in plan.goal_steps.items() if step_id == step.id]
    if reached:
        return "; ".join(dict.fromkeys(reached))
    users = [other.id for other in plan.steps if f"{step.id}." in str((other.args, other.when, other.for_each))]
    return f"for {' and '.join(users)}" if users else f"calls {step.tool}"
