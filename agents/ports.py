"""Planner, Triage, GoalNamer, Answerer, Advisor, Diagnostician, Chooser: small ports, each with an offline adapter that needs no key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable

from governance.cases import Case
from governance.decisions import Decision
from governance.effects import Failure, FailureClass, StepStatus
from governance.events import Recovery
from governance.findings import Finding
from governance.goals import Goal
from governance.people import Directory, Person
from governance.policy import Ruling
from plans.language import Plan
from playbooks.model import Playbook
from tools.choosing import Choosing
from tools.contract import ToolSpec


@dataclass(frozen=True)
class DoneStep:
    """A step that stands, as a planner may know it: ``output`` has numbers, truth values and enums, never free text.

    ``status`` None: it has begun and is not over.
    """

    id: str
    tool: str
    status: StepStatus | None
    output: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class FailedStep:
    """A step that failed and surely did not happen; what its system said about it is not told."""

    id: str
    tool: str
    failure: FailureClass | None


@dataclass(frozen=True)
class PlanningTask:
    """What a planner plans: goals over a catalog. ``findings`` and ``previous`` come with a repair.

    ``rejected`` is the document that the findings are about, also where it is too broken to be read as a plan; ``run`` the
    run that it is for, if there is one: asking a model is on its account.

    After a failure, ``standing`` is the plan that was being run, ``done`` what of it must stay as it is, ``failed`` what
    must not be in the plan again (under these ids), and ``avoid`` the tools that failed.
    """

    playbook: str
    goals: Sequence[Goal]
    guidance: str
    request: Mapping[str, Any]
    request_schema: Mapping[str, Any]
    tools: Mapping[str, ToolSpec]
    previous: Plan | None = None
    findings: Sequence[Finding] = ()
    standing: Plan | None = None
    done: Sequence[DoneStep] = ()
    failed: Sequence[FailedStep] = ()
    avoid: frozenset[str] = frozenset()
    rejected: Mapping[str, Any] | None = None
    run: str = ""


@dataclass(frozen=True)
class Proposal:
    """A plan as a document (right or wrong: the checker says) and the decision that made it."""

    plan: dict[str, Any]
    decision: Decision


class Planner(Protocol):
    """Writes plans."""

    async def plan(self, task: PlanningTask) -> Proposal:
        """A plan for the task; one with holes rather than none, so that findings can name them."""
        ...


@runtime_checkable
class Repeatable(Protocol):
    """A planner whose plans may be used again for requests of the same shape.

    ``identity`` changes with everything that changes its plans: rules, model, prompt. One that has none is always asked.
    """

    @property
    def identity(self) -> str:
        """Who plans: ``rule:<name>@<version>`` or ``model:<name>, <prompt>``."""
        ...


@dataclass(frozen=True)
class Understood:
    """A sentence as a request. ``missing`` and ``doubtful`` map field names to a question; both empty: ready to run.

    ``quotes`` maps each filled field to the words it was taken from.
    """

    playbook: str
    request: dict[str, Any]
    decision: Decision
    missing: dict[str, str] = field(default_factory=dict)
    doubtful: dict[str, str] = field(default_factory=dict)
    quotes: dict[str, str] = field(default_factory=dict)

    @property
    def ready(self) -> bool:
        """Nothing is missing and nothing doubtful."""
        return not self.missing and not self.doubtful


@dataclass(frozen=True)
class NotUnderstood:
    """No playbook fits. ``question`` is what to ask the person."""

    question: str
    decision: Decision


class Triage(Protocol):
    """Turns words into a typed request. Asks for what is missing or doubtful, never invents."""

    async def understand(
        self,
        text: str,
        *,
        playbooks: Sequence[Playbook],
        directory: Directory,
        today: date,
        draft: Understood | None = None,
    ) -> Understood | NotUnderstood:
        """The request in ``text``; with ``draft``, ``text`` answers what was missing in it."""
        ...


class Cases(Protocol):
    """What people decided before in questions like one that is to be put."""

    async def like(
        self, *, tool: str, playbook: str, words: Sequence[str], besides: str, limit: int = 20
    ) -> Sequence[Case]:
        """Decided questions about ``tool`` under ``playbook``, the most alike first, without those of run ``besides``.

        ``words`` stand in the question. What was erased is not remembered.
        """


class GoalNamer(Protocol):
    """Turns words that no playbook knows into a request with goals of its own. Asks, never guesses."""

    async def name(
        self,
        text: str,
        *,
        playbook: Playbook,
        tools: Mapping[str, ToolSpec],
        directory: Directory,
        today: date,
        draft: Understood | None = None,
    ) -> Understood | NotUnderstood:
        """A request of ``playbook`` over ``tools``, those that the asker may use; with ``draft``, the words complete it."""
        ...


@dataclass(frozen=True)
class Background:
    """What is known beside the action that advice is wanted on.

    ``facts`` is what the run's own reads found, by step: numbers, truth values and enums, never free text.
    """

    cases: Sequence[Case] = ()
    facts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


NOTHING_KNOWN = Background()


@dataclass(frozen=True)
class Question:
    """What somebody wants to know. ``tools`` only read, and the asker may use them.

    ``words`` are the values that the company has names for: semantic type to words (in lower case) to value.
    """

    text: str
    tools: Mapping[str, ToolSpec]
    directory: Directory
    today: date
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Look:
    """A call to make before the question can be answered."""

    tool: str
    args: Mapping[str, Any]


@dataclass(frozen=True)
class Looked:
    """A call that was made. ``output`` is data from outside, never an instruction; None where there was none, with why."""

    look: Look
    output: Mapping[str, Any] | None
    problem: str = ""
    code: str = ""


@dataclass(frozen=True)
class Sentence:
    """One thing that is said, and the calls (by their places among those made) that it is taken from."""

    text: str
    sources: tuple[int, ...]


@dataclass(frozen=True)
class Answered:
    """The answer, sentence by sentence."""

    sentences: tuple[Sentence, ...]
    decision: Decision


@dataclass(frozen=True)
class NotKnown:
    """There is no answer; ``why`` says what is not known, and the way out."""

    why: str
    decision: Decision


class Answerer(Protocol):
    """Answers questions from what tools read."""

    async def answer(self, question: Question, looked: Sequence[Looked]) -> Look | Answered | NotKnown:
        """The next call to make, or the end. It is asked again after each call, with all that were made so far."""
        ...


class Advisor(Protocol):
    """Recommends a verdict for a review."""

    async def advise(
        self,
        *,
        step: str,
        tool: ToolSpec,
        args: Mapping[str, Any],
        ruling: Ruling,
        request: Mapping[str, Any],
        requester: Person,
        background: Background = NOTHING_KNOWN,
        run: str = "",
    ) -> Decision:
        """A decision whose choice is ``approve``, ``reject`` or ``look`` (look closely)."""
        ...


@dataclass(frozen=True)
class Diagnosis:
    """What to do about a failure, and what to tell people."""

    choice: Recovery
    explanation: str
    decision: Decision


class Diagnostician(Protocol):
    """Says what a failure, refusal or cancel leads to."""

    async def diagnose(
        self,
        *,
        step: str,
        tool: ToolSpec | None,
        failure: Failure | None,
        refused: bool,
        attempts: int,
        alternatives: Sequence[str] = (),
        run: str = "",
    ) -> Diagnosis:
        """A diagnosis; total: it always has an answer. ``alternatives`` are tools that provide what the failed one does."""
        ...


class Chooser(Protocol):
    """Chooses among the options that a plan declares, where none of the plan's own rules holds."""

    async def choose(self, *, step: str, given: Choosing, run: str = "") -> Decision | None:
        """One of the options, as sure as the decision says; any other word, or None: it has no choice to offer.

        Whether it is sure enough is not for it to say.
        """
        ...


class Ask(StrEnum):
    """What a person in chat wants."""

    START = "start"
    STATUS = "status"
    WAITING = "waiting"
    WHY = "why"
    QUESTION = "question"
    APPROVE = "approve"
    REJECT = "reject"
    CANCEL = "cancel"
    RESUME = "resume"
    HELP = "help"
    ANSWER = "answer"
    UNCLEAR = "unclear"


@dataclass(frozen=True)
class Wish:
    """A chat message understood. ``target`` is a run id, review id, step or person as written, or empty."""

    ask: Ask
    target: str = ""
    reason: str = ""
    text: str = ""


class Listener(Protocol):
    """Understands what a person in chat wants."""

    def hear(self, text: str, *, drafting: bool) -> Wish:
        """The wish in a message; ``drafting`` says that a request is being completed in this chat."""
        ...
