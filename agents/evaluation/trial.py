"""The evaluation itself: every case is put to triage and, where it is whole, to the planner; each answer is judged."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from agents.evaluation.corpus import Answer, Case, Corpus
from agents.evaluation.hearing import Heard, judge
from agents.evaluation.planning import Ground, Planned, plan, request_of
from agents.ports import Planner, Triage
from governance.errors import NotFound
from governance.people import Person
from playbooks.model import Playbook


class Part(StrEnum):
    """What is measured."""

    TRIAGE = "triage"
    PLAN = "plan"


@dataclass(frozen=True)
class Bench:
    """The deciders that are measured, and what they work with. ``playbooks`` by id."""

    triage: Triage
    planner: Planner
    playbooks: Mapping[str, Playbook]
    ground: Ground


@dataclass(frozen=True)
class Result:
    """What came of a case; ``missing``: its playbook is not installed. ``heard`` and ``planned`` as far as measured."""

    case: Case
    missing: bool = False
    heard: Heard | None = None
    planned: Planned | None = None


Tick = Callable[[int, int], None]
"""Told how many cases are done, and how many there are."""


async def measure(corpus: Corpus, bench: Bench, parts: Sequence[Part], tick: Tick) -> tuple[Result, ...]:
    """One result for each case, in the corpus' order. One at a time: limits of an endpoint are kept by its adapter.

    Raises:
        NotFound: the corpus' requester is not in the directory, so nobody could start its work.

    """
    requester = bench.ground.directory.find(corpus.about.requester)
    if requester is None:
        raise NotFound(
            f"{corpus.about.requester} is not in the directory, and the corpus speaks for nobody else.",
            hint="Run the evaluation without STEWARD_HOME: it is about the people of the sandbox company",
        )
    results = []
    for number, case in enumerate(corpus.cases, 1):
        results.append(await _result(case, corpus, bench, parts, requester))
        tick(number, len(corpus.cases))
    return tuple(results)


async def _result(case: Case, corpus: Corpus, bench: Bench, parts: Sequence[Part], requester: Person) -> Result:
    playbook = _newest(bench.playbooks, case.expect.playbook)
    if case.expect.answer is Answer.WORK and playbook is None:
        return Result(case, missing=True)
    heard = await _heard(case, corpus, bench) if Part.TRIAGE in parts else None
    planned = None
    request = request_of(case, playbook) if playbook is not None and Part.PLAN in parts else None
    if playbook is not None and request is not None:
        shape = corpus.about.plans.get(case.expect.plan)
        by = _starter(playbook, requester, bench)
        planned = await plan(bench.planner, playbook, request, shape, by, bench.ground)
    return Result(case, heard=heard, planned=planned)


def _starter(playbook: Playbook, requester: Person, bench: Bench) -> Person:
    """Who plans are checked for: the corpus' requester, or whoever comes first of those who may start such work."""
    able = [one for one in (requester, *bench.ground.directory.everyone()) if one.may(playbook.permission)]
    return able[0] if able else requester


async def _heard(case: Case, corpus: Corpus, bench: Bench) -> Heard:
    found = await bench.triage.understand(
        case.text,
        playbooks=[playbook for _, playbook in sorted(bench.playbooks.items())],
        directory=bench.ground.directory,
        today=corpus.about.today,
    )
    return judge(case, found, bench.playbooks)


def _newest(playbooks: Mapping[str, Playbook], name: str) -> Playbook | None:
    versions = [playbook for playbook in playbooks.values() if playbook.name == name]
    return max(versions, key=lambda playbook: playbook.version, default=None)
