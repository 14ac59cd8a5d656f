"""The least that any plan needs for its goals: a bound found by exhaustive search, whoever the planner is.

The world is narrowed to what types say. A fact is a type and whose value it is: the manager's ``EmployeeId`` is not
the colleague's. The request gives facts, a call takes some and surely gives others, and each goal needs a call that provides
it. What types do not say (texts, formats, policy) is taken to be at hand, so no right plan is below the bound.
What a goal's own call makes anew, such as an account's id, cannot be looked up before.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any

from agents.offline.roles import RELATIONS, Role, Roles
from agents.offline.slots import Slot, slots
from governance.effects import EffectClass
from governance.goals import Goal
from tools.contract import ToolSpec

Fact = tuple[str, Role]
_MOST_READS = 16


@dataclass(frozen=True)
class Bound:
    """The fewest steps, and the fewest on the longest chain of a plan of so few steps. 0 and 0: no plan was found."""

    steps: int
    path: int


@dataclass(frozen=True)
class _Call:
    name: str
    takes: frozenset[Fact]
    gives: frozenset[Fact]
    makes: Fact | None
    after: frozenset[str] = frozenset()
    last: bool = False


def bound(
    goals: Sequence[Goal],
    request: Mapping[str, Any],
    request_schema: Mapping[str, Any],
    tools: Mapping[str, ToolSpec],
) -> Bound:
    """The bound for the goals that hold for this request."""
    fields = slots(request_schema)
    owners = _Owners.of(Roles.of_request(fields), tools)
    given = frozenset(owners.fact(field, ()) for field in fields if request.get(field.name) is not None)
    holding = frozenset(goal.id for goal in goals)
    ways = product(*([_goal_call(goal, spec, owners, holding) for spec in _providers(goal, tools)] for goal in goals))
    found = [best for way in ways if (best := _Search(way, given, tuple(_reads(tools, owners, way))).best())]
    return min(found, key=lambda best: (best.steps, best.path), default=Bound(0, 0))


def _providers(goal: Goal, tools: Mapping[str, ToolSpec]) -> list[ToolSpec]:
    return [spec for spec in tools.values() if spec.provides == goal.provides]


@dataclass(frozen=True)
class _Owners:
    """Says whose value a slot holds. ``words``: by type, the relation words that tell its values apart.

    A type that is found only from another one is told apart as that one is: an enrolment as its course.
    """

    roles: Roles
    words: Mapping[str, frozenset[str]]

    @classmethod
    def of(cls, roles: Roles, tools: Mapping[str, ToolSpec]) -> _Owners:
        """Relation words follow the reads from what they take to what they find, until nothing more follows."""
        words = dict(roles.words)
        reads = [spec for spec in tools.values() if spec.effect is EffectClass.READ]
        while True:
            before = dict(words)
            for spec in reads:
                takes = {slot.semantic for slot in slots(spec.input) if slot.required and slot.semantic}
                told = frozenset[str]().union(*(words.get(semantic, frozenset()) for semantic in takes))
                for slot in slots(spec.output):
                    if slot.semantic and slot.semantic not in takes:
                        words[slot.semantic] = words.get(slot.semantic, frozenset()) | told
            if words == before:
                return cls(roles, words)

    def fact(self, slot: Slot, role: Role) -> Fact:
        """What a slot of a call in a role holds: a type or, where it has none, its name; and whose."""
        telling = RELATIONS | self.words.get(slot.semantic, frozenset())
        said = (*role, *(self.roles.of(slot) if slot.semantic else ()))
        return slot.semantic or slot.name, tuple(word for word in said if word in telling)


def _goal_call(goal: Goal, spec: ToolSpec, owners: _Owners, holding: frozenset[str]) -> _Call:
    takes, gives = slots(spec.input), slots(spec.output)
    role = owners.roles.of_goal(goal.id, (*takes, *gives))
    wanted = frozenset(owners.fact(slot, role) for slot in takes if slot.required and slot.name not in goal.args)
    return _Call(
        goal.id,
        wanted,
        frozenset(owners.fact(slot, role) for slot in gives if slot.required and not slot.nullable),
        _made(takes, gives, role, owners),
        frozenset((*goal.after, *_referred((goal.args, goal.when)))) & holding,
        last=bool(spec.irreversible),
    )


def _referred(value: Any) -> Iterator[str]:
    """What the references in a value begin with: ``request``, or another goal whose answer is used."""
    if isinstance(value, Mapping):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"].partition(".")[0]
        value = list(value.values())
    if isinstance(value, list | tuple):
        for one in value:
            yield from _referred(one)


def _reads(tools: Mapping[str, ToolSpec], owners: _Owners, way: Sequence[_Call]) -> Iterator[_Call]:
    """Every read in every role that somebody needs; not those that would find what a goal has yet to make."""
    made = {call.makes for call in way}
    wanted = sorted({(), *(role for call in way for _, role in call.takes)})
    for spec in tools.values():
        if spec.effect is not EffectClass.READ:
            continue
        takes, gives = slots(spec.input), slots(spec.output)
        seen: set[tuple[frozenset[Fact], frozenset[Fact]]] = set()
        for role in wanted:
            taken = frozenset(owners.fact(slot, role) for slot in takes if slot.required)
            given = frozenset(owners.fact(slot, role) for slot in gives if slot.required and not slot.nullable) - taken
            if given and not given & made and (taken, given) not in seen:
                seen.add((taken, given))
                yield _Call(" ".join((spec.id, *role)), taken, given, None)


def _made(takes: Sequence[Slot], gives: Sequence[Slot], role: Role, owners: _Owners) -> Fact | None:
    """What a call makes anew: the value that its output names first, unless it was handed in."""
    if not gives or not gives[0].semantic or gives[0].name in {slot.name for slot in takes}:
        return None
    return owners.fact(gives[0], role)


@dataclass(frozen=True)
class _Search:
    """Adds reads one by one, always for a fact that nobody else gives, until every goal's call can be made."""

    way: tuple[_Call, ...]
    given: frozenset[Fact]
    reads: tuple[_Call, ...]

    @cached_property
    def known(self) -> frozenset[Fact]:
        """Facts that anybody can give; others are texts and the like, taken to be at hand."""
        return self.given.union(*(call.gives for call in (*self.way, *self.reads)))

    def best(self) -> Bound | None:
        """The bound; the search deepens, so that the first plans found have the fewest reads."""
        for size in range(min(len(self.reads), _MOST_READS) + 1):
            seen: set[frozenset[_Call]] = set()
            paths = [path for path in self._paths(frozenset(), size, seen) if path]
            if paths:
                return Bound(len(self.way) + size, min(paths))
        return None

    def _paths(self, chosen: frozenset[_Call], left: int, seen: set[frozenset[_Call]]) -> Iterator[int]:
        """The longest chain of each plan with exactly ``left`` more reads."""
        if chosen in seen:
            return
        seen.add(chosen)
        calls = (*self.way, *chosen)
        there = self.given.union(*(call.gives for call in calls))
        missing = sorted({fact for call in calls for fact in call.takes & self.known} - there)
        if not missing:
            levels = self._levels(calls)
            if len(levels) == len(calls):
                if left == 0:
                    yield max(levels.values(), default=0)
                return
            stuck = {fact for call in calls if call.name not in levels for fact in call.takes & self.known}
            missing = sorted(stuck - self._reached(calls, levels))
        if left == 0 or len(missing) == 0:
            return
        wanted = missing if len(missing) > 1 and not (set(missing) - there) else missing[:1]
        for read in self.reads:
            if read not in chosen and read.gives & set(wanted):
                yield from self._paths(chosen | {read}, left - 1, seen)

    def _reached(self, calls: Sequence[_Call], levels: Mapping[str, int]) -> frozenset[Fact]:
        return self.given.union(*(call.gives for call in calls if call.name in levels))

    def _levels(self, calls: Sequence[_Call]) -> dict[str, int]:
        """How far down its longest chain each call stands; calls that cannot be made have no level."""
        levels: dict[str, int] = {}
        for round_ in range(1, len(calls) + 1):
            reached = self._reached(calls, levels)
            ready = [
                call.name
                for call in calls
                if call.name not in levels
                and call.takes & self.known <= reached
                and call.after <= levels.keys()
                and (not call.last or self._others_done(levels))
            ]
            if not ready:
                break
            levels |= dict.fromkeys(ready, round_)
        return levels

    def _others_done(self, levels: Mapping[str, int]) -> bool:
        """Whatever cannot be taken back waits for all effects that can."""
        return all(call.name in levels for call in self.way if not call.last)
