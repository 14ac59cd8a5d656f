"""Where an argument can come from without a new step: the request, or the output of a step already in the plan.

Trust, the rule: 0.99 the only request field of that semantic type, 0.97 one of several, chosen by name; 0.98 a planned
step that makes such a value, 0.95 one that only passes it on; 0.95 a plain field of the same name, 0.85 one like it;
0.60 when two sources are equally good.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from agents.offline.drafting import Act, Condition, Draft, DraftStep, Source
from agents.offline.roles import Role, Roles, meaning_words
from agents.offline.slots import Slot

TIE = 0.60
_PASSED_ON = 2


@dataclass(frozen=True)
class Option:
    """One possible source; the lowest ``rank`` is the best."""

    rank: tuple[int, ...]
    name: str
    value: Any
    trust: float


def choose(options: Sequence[Option]) -> Source | None:
    """The best option; of two equally good ones the first by name, distrusted and noted."""
    if not options:
        return None
    best, *others = sorted(options, key=lambda option: (option.rank, option.name))
    equal = [other.name for other in others if other.rank == best.rank]
    if equal:
        return Source(best.value, TIE, f"{best.name} was taken and {', '.join(equal)} would fit as well")
    return Source(best.value, best.trust)


def fits(slot: Slot, output: Slot) -> bool:
    """Whether an output can be meant: by its semantic type, or by its very name where the input has no such type."""
    return slot.takes(output) and bool(slot.semantic or slot.name == output.name)


def wrapped(slot: Slot, value: Any) -> Any:
    """The value as the slot takes it: in a list when it takes many."""
    return [value] if slot.many else value


@dataclass(frozen=True)
class RequestFields:
    """The fields of the request that surely have a value."""

    fields: tuple[Slot, ...]
    roles: Roles

    def source(self, slot: Slot, role: Role, *, exact: bool = False) -> Source | None:
        """The field for an input in a role; ``exact``: only one of the same name will do (optional plain inputs)."""
        options = self._typed(slot, role) if slot.semantic else self._plain(slot, exact=exact)
        return choose(options)

    def names_role(self, role: Role) -> bool:
        """Whether the request itself has something to say about whoever is in this role."""
        return any(self.roles.of(field) == role for field in self.fields)

    def _typed(self, slot: Slot, role: Role) -> list[Option]:
        meant = self.roles.within(role, slot.semantic)
        fitting = [field for field in self.fields if slot.takes(field) and self.roles.of(field) == meant]
        alone = len([field for field in self.fields if field.semantic == slot.semantic]) == 1
        return [
            Option(
                (int(field.name != slot.name),),
                f"request.{field.name}",
                self._ref(slot, field),
                0.99 if alone else 0.97,
            )
            for field in fitting
        ]

    def _plain(self, slot: Slot, *, exact: bool) -> list[Option]:
        fitting = [field for field in self.fields if slot.takes(field)]
        same = [field for field in fitting if field.name == slot.name]
        if same or exact:
            return [Option((0,), f"request.{field.name}", self._ref(slot, field), 0.95) for field in same]
        words = meaning_words(slot.name)
        alike = [field for field in fitting if words & meaning_words(field.name)]
        if not alike and slot.format:
            alike = [field for field in fitting if field.format == slot.format]
        return [Option((1,), f"request.{field.name}", self._ref(slot, field), 0.85) for field in alike]

    @staticmethod
    def _ref(slot: Slot, field: Slot) -> Any:
        return wrapped(slot, {"$ref": f"request.{field.name}"})


def from_steps(
    draft: Draft,
    roles: Roles,
    slot: Slot,
    role: Role,
    *,
    user: DraftStep,
    system: str,
    condition: Condition,
    own_only: bool = False,
) -> Source | None:
    """The output of a planned step for an input: of the right type and role, surely there, and making no cycle.

    ``user`` is the planned step that, in the end, wants it. ``own_only``: only what the step is about, that is the id
    of its record or something that it reads; an effect that merely mentions a value should not be waited for.
    """
    options = []
    for step in draft.steps.values():
        if draft.reaches(step.id, user.id):
            continue
        if not draft.surely_runs(step, condition):
            continue
        for output in step.act.outputs:
            if fits(slot, output) and step.role + roles.of(output) == role:
                origin = _origin(step.act, output, roles)
                if origin == _PASSED_ON and (own_only or not _knows(step, output)):
                    continue
                if origin and own_only and step.act.is_effect:
                    continue
                rank = (origin, int(step.act.spec.system != system), int(step.support), int(output.name != slot.name))
                value = wrapped(slot, {"$ref": f"{step.id}.{output.name}"})
                options.append(Option(rank, f"{step.id}.{output.name}", value, 0.95 if origin == _PASSED_ON else 0.98))
    return choose(options)


def passes_on(act: Act, output: Slot, roles: Roles) -> bool:
    """Whether a tool's output only repeats an input of the same type (or name, where it has no type) and role."""
    mine = roles.of(output)
    alike = [
        given
        for given in act.inputs
        if (given.semantic == output.semantic if output.semantic else given.name == output.name)
    ]
    return any(roles.of(given) == mine for given in alike)


def record_key(act: Act, roles: Roles) -> Slot | None:
    """The output that names the record a tool answers with: its first one of a semantic type, unless it was given."""
    first = next((output for output in act.outputs if output.semantic), None)
    return first if first and not passes_on(act, first, roles) else None


def _origin(act: Act, output: Slot, roles: Roles) -> int:
    """How near an output is to where its value comes from: 0 the record's own id, 1 in the record, 2 passed on."""
    if passes_on(act, output, roles):
        return _PASSED_ON
    return int(output != record_key(act, roles))


def _knows(step: DraftStep, output: Slot) -> bool:
    """Whether a step that passes a value on has been given it: where it comes from is not known before."""
    return any(
        given.name in step.args
        for given in step.act.inputs
        if (given.semantic == output.semantic if output.semantic else given.name == output.name)
    )
