"""Is what triage made of a text right? Judged by the properties that the corpus states."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agents.evaluation.corpus import Answer, Case, Expected
from agents.ports import NotUnderstood, Understood
from governance.decisions import ModelUse
from playbooks.model import Playbook


@dataclass(frozen=True)
class Heard:
    """A judged answer: ``faults`` say what is wrong with it; none: it is right. ``confidence`` is the decision's own.

    ``ready``: it left nothing to ask, so that work would begin.
    """

    playbook: str
    faults: tuple[str, ...]
    confidence: float
    ready: bool
    use: ModelUse | None = None

    @property
    def right(self) -> bool:
        """Nothing is wrong with it."""
        return not self.faults

    @property
    def misled(self) -> bool:
        """Work would begin, and not the work that was meant: the fault that no question mends."""
        return self.ready and not self.right


def judge(case: Case, found: Understood | NotUnderstood, playbooks: Mapping[str, Playbook]) -> Heard:
    """What is wrong with an answer to a case. ``playbooks`` are those installed, by id."""
    playbook = playbooks[found.playbook].name if isinstance(found, Understood) else ""
    faults, decision = tuple(_faults(case.expect, found, playbook)), found.decision
    ready = isinstance(found, Understood) and found.ready
    return Heard(playbook, faults, decision.confidence, ready, decision.use)


def _faults(expect: Expected, found: Understood | NotUnderstood, playbook: str) -> Sequence[str]:
    if expect.answer in {Answer.ABSTAIN, Answer.QUESTION}:
        return [f"taken for {playbook}"] if playbook else []
    if expect.answer is Answer.ASK:
        return _unasked(expect, found, playbook)
    if isinstance(found, NotUnderstood):
        return ["not understood"]
    if playbook != expect.playbook:
        return [f"taken for {playbook}"]
    return [*_wrong(expect, found), *_not_asked(expect, found)]


def _unasked(expect: Expected, found: Understood | NotUnderstood, playbook: str) -> list[str]:
    if isinstance(found, NotUnderstood):
        return []
    if playbook not in expect.among:
        return [f"taken for {playbook}"]
    return ["ready to start, and should have asked"] if found.ready else []


def _wrong(expect: Expected, found: Understood) -> list[str]:
    """Fields without the value that they should have, or with one that they should not."""
    faults = []
    for name, value in expect.fields.items():
        if name in _open(found):
            faults.append(f"{name}: asked for, and it is said")
        elif not same(value, found.request.get(name)):
            faults.append(f"{name}: {found.request.get(name)!r}, not {value!r}")
    for name, value in expect.either.items():
        if name not in _open(found) and not same(value, found.request.get(name)):
            faults.append(f"{name}: {found.request.get(name)!r}, neither {value!r} nor asked for")
    faults += [
        f"{name}: {value!r}, which nobody may choose"
        for name, value in expect.never.items()
        if name not in _open(found) and same(value, found.request.get(name))
    ]
    return faults


def _not_asked(expect: Expected, found: Understood) -> list[str]:
    return [
        f"{name}: {found.request.get(name)!r}, and should be asked for"
        for name in expect.asked
        if name not in _open(found)
    ]


def _open(found: Understood) -> set[str]:
    return {*found.missing, *found.doubtful}


def same(expected: Any, value: Any) -> bool:
    """Whether a value is the expected one: text in any case, ``~word`` somewhere in it, numbers by their size."""
    if isinstance(expected, str) and isinstance(value, str):
        wanted, said = expected.casefold(), " ".join(value.casefold().split())
        return wanted[1:] in said if wanted.startswith("~") else wanted == said
    if isinstance(expected, str) and expected.startswith("~"):
        return value is not None and expected[1:] in str(value)
    if isinstance(expected, bool) or isinstance(value, bool):
        return expected is value
    return bool(expected == value)
