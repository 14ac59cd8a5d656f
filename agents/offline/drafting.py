"""The plan in the making: steps whose arguments are being found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from agents.offline.roles import Role
from agents.offline.slots import Slot, slots
from governance.conditions import references
from governance.decisions import Decide
from governance.effects import EffectClass
from governance.goals import Goal
from plans.language import RESERVED
from tools.contract import ToolSpec

Condition = dict[str, Any] | None


@dataclass(frozen=True)
class Source:
    """Where an argument's value comes from. ``trust`` is 0 to 1; ``note`` says what is doubtful, or is empty."""

    value: Any
    trust: float
    note: str = ""


@dataclass(frozen=True, eq=False)
class Act:
    """A tool as the planner sees it, its schemas read once."""

    spec: ToolSpec
    inputs: tuple[Slot, ...]
    outputs: tuple[Slot, ...]

    @classmethod
    def of(cls, spec: ToolSpec) -> Act:
        """Read a tool's schemas."""
        return cls(spec, slots(spec.input), slots(spec.output))

    @property
    def is_effect(self) -> bool:
        """Whether the tool changes anything."""
        return self.spec.effect is not EffectClass.READ


@dataclass
class DraftStep:
    """A step in the making. A support step has no goals; ``role`` is whose data it deals with."""

    id: str
    act: Act
    role: Role = ()
    goals: list[Goal] = field(default_factory=list)
    args: dict[str, Any] = field(default_factory=dict)
    sources: dict[str, Source] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    when: Condition = None
    after: list[str] = field(default_factory=list)
    decide: Decide | None = None

    @property
    def support(self) -> bool:
        """There for other steps only."""
        return not self.goals

    def needs(self) -> set[str]:
        """The steps whose outputs the arguments refer to."""
        return {path.partition(".")[0] for path in paths(self.args)} - RESERVED

    def take(self, name: str, source: Source) -> None:
        """Set an argument."""
        self.args[name] = source.value
        self.sources[name] = source
        if source.note:
            self.notes.append(f"{name}: {source.note}")


@dataclass
class Draft:
    """All steps so far, by id, in the order in which they were found."""

    steps: dict[str, DraftStep] = field(default_factory=dict)

    def free_id(self, wanted: str, taken: frozenset[str] = frozenset()) -> str:
        """``wanted``, or with a number when that is taken or reserved."""
        number, name = 1, wanted
        while name in self.steps or name in RESERVED or name in taken:
            number += 1
            name = f"{wanted}_{number}"
        return name

    def reaches(self, start: str, target: str) -> bool:
        """Whether ``start`` is, or waits for, ``target``, over any number of steps."""
        seen: set[str] = set()
        waiting = [start]
        while waiting:
            step_id = waiting.pop()
            if step_id == target:
                return True
            if step_id not in seen and step_id in self.steps:
                seen.add(step_id)
                waiting.extend(self.steps[step_id].needs() | set(self.steps[step_id].after))
        return False

    def surely_runs(self, step: DraftStep, condition: Condition) -> bool:
        """Whether ``step`` runs whenever ``condition`` holds. Support steps run whenever somebody needs them."""
        if not step.support:
            return step.when is None or step.when == condition
        return all(self.surely_runs(self.steps[other], condition) for other in step.needs() if other in self.steps)


def paths(value: Any) -> list[str]:
    """All paths that an argument refers to, in ``$ref`` and in ``$text``."""
    return [*references(value), *_text_paths(value)]


def _text_paths(value: Any) -> list[str]:
    if isinstance(value, Mapping):
        if set(value) == {"$text"} and isinstance(value["$text"], str):
            return [hole.partition("}")[0].strip() for hole in value["$text"].split("{")[1:]]
        return [path for part in value.values() for path in _text_paths(part)]
    if isinstance(value, list | tuple):
        return [path for part in value for path in _text_paths(part)]
    return []
