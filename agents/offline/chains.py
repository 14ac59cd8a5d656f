"""Tools that could be called to find a value: searched backward from the value to what is known already."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from agents.offline.drafting import Act, Condition, Draft, DraftStep, Source
from agents.offline.roles import Role, Roles
from agents.offline.slots import Slot
from agents.offline.sources import RequestFields, fits, from_steps, passes_on, record_key

_DEEPEST = 4  # tools in a row only to find one value: beyond that a person should say it


@dataclass(frozen=True)
class Chain:
    """A tool to call and where each of its inputs comes from: a source, or another chain."""

    act: Act
    role: Role
    output: str
    inputs: Mapping[str, Source | Chain]
    rank: tuple[int, ...]
    rivals: tuple[str, ...] = ()

    @property
    def effects(self) -> int:
        """How many of the calls change something."""
        return int(self.act.is_effect) + sum(part.effects for part in self._parts())

    @property
    def length(self) -> int:
        """How many calls."""
        return 1 + sum(part.length for part in self._parts())

    def _parts(self) -> list[Chain]:
        return [part for part in self.inputs.values() if isinstance(part, Chain)]


@dataclass(frozen=True)
class Search:
    """Looks for chains over a catalog, given the request and the plan so far. Changes nothing."""

    acts: tuple[Act, ...]
    fields: RequestFields
    roles: Roles
    draft: Draft
    condition: Condition
    user: DraftStep

    def chain(self, slot: Slot, role: Role, system: str, seeking: tuple[tuple[str, Role], ...] = ()) -> Chain | None:
        """The cheapest chain to a value of the slot's type in a role: fewest effects, then fewest calls.

        Among equals: what the request names itself, the same system, the system that issues such values.
        """
        wanted = (slot.semantic or slot.name, role)
        if wanted in seeking or len(seeking) >= _DEEPEST:
            return None
        found = [
            chain
            for act in self.acts
            for output in act.outputs
            if (chain := self._through(act, output, slot, role, system, (*seeking, wanted))) is not None
        ]
        if not found:
            return None
        best, *others = sorted(found, key=lambda chain: (chain.rank, chain.act.spec.id, chain.output))
        rivals = tuple(other.act.spec.name for other in others if other.rank == best.rank)
        return Chain(best.act, best.role, best.output, best.inputs, best.rank, rivals)

    def _through(
        self, act: Act, output: Slot, slot: Slot, role: Role, system: str, seeking: tuple[tuple[str, Role], ...]
    ) -> Chain | None:
        own = self.roles.of(output)
        if not fits(slot, output) or role[len(role) - len(own) :] != own or (act.is_effect and not act.spec.provides):
            return None
        about = role[: len(role) - len(own)]
        if passes_on(act, output, self.roles) or self._yet_to_be_made(act, about):
            return None
        inputs: dict[str, Source | Chain] = {}
        for needed in (given for given in act.inputs if given.required):
            source = self.source(needed, about, act.spec.system, seeking)
            if source is None:
                return None
            inputs[needed.name] = source
        chain = Chain(act, about, output.name, inputs, ())
        rank = (chain.effects, chain.length, len(own), self._kinship(act, output, system))
        return Chain(act, about, output.name, inputs, rank)

    def source(
        self, slot: Slot, about: Role, system: str, seeking: tuple[tuple[str, Role], ...] = ()
    ) -> Source | Chain | None:
        """The best source for an input of a tool that deals with ``about``.

        In this order: the request; a planned step that is about this value; reads; whatever a planned step happens to
        answer with; effects.
        """
        role = about + self.roles.of(slot)
        planned = partial(
            from_steps, self.draft, self.roles, slot, role, user=self.user, system=system, condition=self.condition
        )
        known = self.fields.source(slot, role) or planned(own_only=True)
        if known is not None:
            return known
        chain = self.chain(slot, role, system, seeking)
        return chain if chain is not None and chain.effects == 0 else planned() or chain

    def _kinship(self, act: Act, output: Slot, system: str) -> int:
        if act.spec.system == system:
            return 0
        return 1 if act.spec.system in self._issuers(output.semantic) else 2

    def _yet_to_be_made(self, act: Act, about: Role) -> bool:
        """Whether a tool reads what this very plan is to make: it cannot be looked up before it is there."""
        key = record_key(act, self.roles)
        if key is None or act.is_effect:
            return False
        made = [(step, record_key(step.act, self.roles)) for step in self.draft.steps.values() if step.act.is_effect]
        return any(
            own is not None
            and own.semantic == key.semantic
            and step.role + self.roles.of(own) == about + self.roles.of(key)
            for step, own in made
        )

    def _issuers(self, semantic: str) -> set[str]:
        keys = [(act.spec.system, record_key(act, self.roles)) for act in self.acts if act.is_effect]
        return {system for system, key in keys if key is not None and key.semantic == semantic}
