"""The corpus: requests in words, each with what a right answer satisfies. Data beside this file, read whole and checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from enum import StrEnum
from pathlib import Path
from random import Random
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from governance.errors import InvalidSettings
from governance.findings import Finding
from playbooks.documents import misfits, read_document

SHIPPED = Path(__file__).parent / "corpus"
_ABOUT = "about.yaml"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Answer(StrEnum):
    """What a right answer is: a request of a playbook, a question that reading answers, an open question, or none."""

    WORK = "work"
    QUESTION = "question"
    ASK = "ask"
    ABSTAIN = "abstain"


class Expected(_Part):
    """What a right answer satisfies; properties, never texts.

    ``fields`` have these values (``~word``: contain it, in any case), ``either`` have them or are asked for, ``asked``
    are asked for, ``never`` do not have them. What is not named is not judged. ``among`` (for ASK) are playbooks whose
    open draft is as good as no draft. ``answers`` is what the person says when asked, so that the request can be planned. ``reads`` (for QUESTION) are tools of which one answers ``about`` something.
    ``plan`` names a shape.
    """

    answer: Answer
    playbook: str = ""
    fields: Mapping[str, Any] = Field(default_factory=dict)
    either: Mapping[str, Any] = Field(default_factory=dict)
    asked: tuple[str, ...] = ()
    never: Mapping[str, Any] = Field(default_factory=dict)
    among: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    about: str = ""
    answers: Mapping[str, Any] = Field(default_factory=dict)
    plan: str = ""


class Case(_Part):
    """One request. ``tags`` say what is hard about it."""

    id: str
    group: str
    text: str
    expect: Expected
    channel: str = ""
    by: str = ""
    tags: tuple[str, ...] = ()
    held_out: bool = False


class Shape(_Part):
    """What a right plan satisfies: goals it reaches, tools it does not use, tools that a person decides on, its size."""

    goals: tuple[str, ...]
    gates: tuple[str, ...] = ()
    forbidden: tuple[str, ...] = ()
    max_steps: int = Field(gt=0)


class About(_Part):
    """What all cases share."""

    today: date
    requester: str
    channel: str
    held_out_seed: int
    plans: Mapping[str, Shape]


class Corpus(_Part):
    """All cases, in the order of their ids, and what they share."""

    about: About
    cases: tuple[Case, ...]

    def sample(self, count: int, seed: int) -> Corpus:
        """At most ``count`` cases, drawn from every group by its share and always the same ones for a seed."""
        rng, kept = Random(seed), list[Case]()  # noqa: S311 - a draw that can be repeated
        part = count / max(1, len(self.cases))
        for group in dict.fromkeys(case.group for case in self.cases):
            cases = [case for case in self.cases if case.group == group]
            kept += rng.sample(cases, min(len(cases), max(1, round(part * len(cases)))))
        return Corpus(about=self.about, cases=tuple(sorted(kept, key=lambda case: case.id)))


def load_corpus(folder: Path = SHIPPED) -> Corpus:
    """The corpus of a folder.

    Raises:
        InvalidSettings: a file cannot be used, an id is given twice, or a case names a shape that is not there.

    """
    findings: list[Finding] = []
    about: About | None = None
    cases: list[Case] = []
    for path in sorted(folder.glob("*.yaml")):
        value, wrong = read_document(path)
        findings += wrong
        if wrong:
            continue
        try:
            if path.name == _ABOUT:
                about = About.model_validate(value)
            else:
                cases += [Case.model_validate(one) for one in value]
        except ValidationError as error:
            findings += misfits(path, error)
    findings += _inconsistent(folder, about, cases)
    if findings or about is None:
        raise InvalidSettings("The corpus of requests cannot be used.", findings=findings)
    return Corpus(about=about, cases=tuple(sorted(cases, key=lambda case: case.id)))


def _inconsistent(folder: Path, about: About | None, cases: Sequence[Case]) -> list[Finding]:
    place = str(folder)
    if about is None:
        return [Finding(code="corpus", place=place, sentence=f"there is no {_ABOUT} that can be used")]
    ids = [case.id for case in cases]
    twice = sorted({one for one in ids if ids.count(one) > 1})
    shapes = sorted({case.expect.plan for case in cases if case.expect.plan} - set(about.plans))
    sentences = [f"the id {one} is given twice" for one in twice]
    sentences += [f"no shape of a plan is called {one}" for one in shapes]
    return [Finding(code="corpus", place=place, sentence=sentence) for sentence in sentences]
