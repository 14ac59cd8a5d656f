"""Backward search: from each goal to the tool that provides it, and from its inputs to what is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agents.offline.chains import Chain, Search
from agents.offline.drafting import Act, Condition, Draft, DraftStep, Source
from agents.offline.roles import Roles, name_words
from agents.offline.slots import Slot
from agents.offline.sources import TIE, RequestFields, from_steps, wrapped
from governance.goals import Goal

_FOUND_BY_CALL = 0.96
_MADE_FOR_IT = 0.80


@dataclass(frozen=True)
class Builder:
    """Fills a draft from goals."""

    acts: tuple[Act, ...]
    fields: RequestFields
    roles: Roles
    draft: Draft

    def build(self, goals: Sequence[Goal]) -> list[Goal]:
        """Plan for the goals; returns those that no tool reaches."""
        unreached = [goal for goal in goals if not self._provider(goal, frozenset(other.id for other in goals))]
        for step in [step for step in self.draft.steps.values() if not step.support]:
            for slot in step.act.inputs:
                if slot.name not in step.args and (slot.required or self._worth_filling(step, slot)):
                    self._fill(step, slot, step.when)
        return unreached

    def _provider(self, goal: Goal, goal_ids: frozenset[str]) -> bool:
        """Add the step that reaches a goal, or share one that does exactly the same."""
        able = [act for act in self.acts if act.spec.reaches == goal.provides]
        if not able:
            return False
        ranked = sorted(able, key=lambda act: (*_provider_rank(act, goal), act.spec.id))
        best, *others = ranked
        for step in self.draft.steps.values():
            if (
                step.act is best
                and step.args == goal.args
                and (step.when, step.decide) == (goal.when, goal.decide)
                and not self._told_apart(step, goal)
            ):
                step.goals.append(goal)
                return True
        step = DraftStep(
            id=self.draft.free_id(goal.id, goal_ids - {goal.id}),
            act=best,
            role=self.roles.of_goal(goal.id, (*best.inputs, *best.outputs)),
            goals=[goal],
            when=goal.when,
            decide=goal.decide,
        )
        equal = [other.spec.name for other in others if _provider_rank(other, goal) == _provider_rank(best, goal)]
        if equal:
            step.sources["(tool)"] = Source(None, TIE)
            step.notes.append(f"{best.spec.name} was taken and {', '.join(equal)} would do as well")
        for name, value in goal.args.items():
            step.take(name, Source(value, 1.0))
        self.draft.steps[step.id] = step
        return True

    def _told_apart(self, step: DraftStep, goal: Goal) -> bool:
        return step.role != self.roles.of_goal(goal.id, (*step.act.inputs, *step.act.outputs))

    def _worth_filling(self, step: DraftStep, slot: Slot) -> bool:
        """An optional input is filled when its value is at hand, or the request names whose value it is.

        Its name must say its type or a role: ``account_id`` does, ``cc`` is a wish that nobody had.
        """
        role = step.role + self.roles.of(slot)
        if not slot.semantic:
            return self.fields.source(slot, role, exact=True) is not None
        if not role and not name_words(slot.name) & name_words(slot.semantic):
            return False
        if self.fields.source(slot, role) is not None:
            return True
        if role and self.fields.names_role(role):
            chain = self._search(step, step.when).chain(slot, role, step.act.spec.system)
            return chain is not None and chain.effects == 0
        there = from_steps(
            self.draft, self.roles, slot, role, user=step, system=step.act.spec.system, condition=step.when
        )
        return there is not None

    def _fill(self, step: DraftStep, slot: Slot, condition: Condition) -> None:
        """Find one argument; what cannot be found stays out, and the checker names it."""
        source = self._search(step, condition).source(slot, step.role, step.act.spec.system)
        if isinstance(source, Chain):
            self._take(step, slot, source, condition)
        elif source is not None:
            step.take(slot.name, source)

    def _take(self, step: DraftStep, slot: Slot, chain: Chain, condition: Condition) -> None:
        found = self._commit(chain, condition)
        note = f"{chain.act.spec.name} was asked and {', '.join(chain.rivals)} could be as well" if chain.rivals else ""
        trust = _MADE_FOR_IT if chain.act.is_effect else _FOUND_BY_CALL
        value = wrapped(slot, {"$ref": f"{found.id}.{chain.output}"})
        step.take(slot.name, Source(value, TIE if note else trust, note))

    def _commit(self, chain: Chain, condition: Condition) -> DraftStep:
        """Put a chain's calls into the plan, sharing a call that is there with the very same arguments."""
        name = "_".join([*chain.role, chain.act.spec.name.rpartition(".")[2]])
        step = DraftStep(id="", act=chain.act, role=chain.role)
        for slot in step.act.inputs:
            source = chain.inputs.get(slot.name)
            if isinstance(source, Chain):
                self._take(step, slot, source, condition)
            elif source is not None:
                step.take(slot.name, source)
        for there in self.draft.steps.values():
            if there.act is step.act and there.args == step.args and self.draft.surely_runs(there, condition):
                return there
        step.id = self.draft.free_id(name if name not in self.draft.steps else f"{chain.act.spec.system}_{name}")
        self.draft.steps[step.id] = step
        return step

    def _search(self, user: DraftStep, condition: Condition) -> Search:
        return Search(self.acts, self.fields, self.roles, self.draft, condition, user)


def _provider_rank(act: Act, goal: Goal) -> tuple[int, ...]:
    """Fits the goal's own arguments, can be undone, needs little."""
    names = {slot.name for slot in act.inputs}
    return (len(set(goal.args) - names), int(bool(act.spec.irreversible)))
