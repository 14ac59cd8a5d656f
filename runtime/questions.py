"""Questions: answered from what tools read, with sources, and without a run. Nothing is changed by asking.

What may be called is closed: tools that only read, that the asker may use, at most so many, within a time. The call goes
through the same door as any other (limits, breakers, credentials). What a tool answers with is data.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import structlog

from agents.ports import Answered, Answerer, Look, Looked, NotKnown, Question
from governance.canonical import digest
from governance.clock import Clock
from governance.decisions import Decision, DecisionKind
from governance.effects import EffectClass, Failure, Intent, LookupAnswer
from governance.errors import InvalidInput, NotPermitted, Refused
from governance.people import Directory, Person
from governance.text import text_problem
from playbooks.model import Playbook
from runtime.views import Source, Statement, Told
from tools.contract import Done, Failed, Invoker, Later, Order, Outcome, Tool, ToolSpec, Unknown
from tools.semantic import KEYWORD

MOST_LOOKS = 8
MOST_CHARACTERS = 500
_SECONDS = 45.0
_log = structlog.get_logger("steward.questions")


class Questions:
    """Answers questions of people who are logged in."""

    def __init__(
        self,
        answerer: Answerer,
        tools: Mapping[str, Tool],
        invoker: Invoker,
        directory: Directory,
        playbooks: Iterable[Playbook],
        clock: Clock,
    ) -> None:
        self._answerer = answerer
        self._tools = tools
        self._invoker = invoker
        self._directory = directory
        self._words = words_of_company(playbooks)
        self._clock = clock

    async def ask(self, text: str, *, by: Person) -> Told:
        """Answer a question.

        Raises:
            InvalidInput: an empty text, or one that cannot be kept or is too long.

        """
        problem = "is empty" if not text.strip() else text_problem(text, most=MOST_CHARACTERS)
        if problem:
            raise InvalidInput(f"The question {problem}.", hint='For instance: steward ask "How many desks are free?"')
        question = Question(text.strip(), readable(self._tools, by), self._directory, self._today(), self._words)
        looked: list[Looked] = []
        moments: list[datetime] = []
        try:
            async with asyncio.timeout(_SECONDS):
                told = await self._told(question, looked, moments, by)
        except TimeoutError:
            told = _not_known(f"The systems did not answer within {_SECONDS:g} seconds. Ask again later.")
        calls = [each.look.tool for each in looked]
        _log.info("asked", by=by.id, question=digest({"text": text})[:12], calls=calls, answered=bool(told.statements))
        return told

    async def read(self, tool: str, args: Mapping[str, Any], *, by: Person) -> Looked:
        """One call of a tool that only reads. Raises NotPermitted: no such tool for a question of this person."""
        if tool not in readable(self._tools, by):
            raise NotPermitted(f"{by.name} may not read with {tool}.", hint="`steward tools` says what it takes.")
        return await self._look(Look(tool, dict(args)), by)

    async def _told(self, question: Question, looked: list[Looked], moments: list[datetime], by: Person) -> Told:
        while True:
            said = await self._answerer.answer(question, tuple(looked))
            if isinstance(said, NotKnown):
                return Told((), said.why, said.decision)
            if isinstance(said, Answered):
                return self._answered(said, looked, moments)
            refusal = _refusal(said, question, looked)
            if refusal:
                return _not_known(refusal)
            moments.append(self._clock.now())
            looked.append(await self._look(said, by))

    def _answered(self, said: Answered, looked: Sequence[Looked], moments: Sequence[datetime]) -> Told:
        statements = []
        for sentence in said.sentences:
            places = [at for at in dict.fromkeys(sentence.sources) if 0 <= at < len(looked)]
            if not places:  # whoever answers must say from what
                return _not_known("The answer that was found names no source, so it is not shown.")
            calls = ((looked[at].look, moments[at]) for at in places)
            sources = tuple(Source(look.tool, dict(look.args), at) for look, at in calls)
            statements.append(Statement(sentence.text, sources))
        return Told(tuple(statements), "" if statements else "Nothing was found.", said.decision)

    async def _look(self, look: Look, by: Person) -> Looked:
        key = digest({"by": by.id, "tool": look.tool, "args": dict(look.args)})
        order = Order(run_id="", step="question", tool=self._tools[look.tool], args=dict(look.args), key=key)
        return _looked(look, await self._invoker.perform(order, _NoLedger(), _NoBrake()))

    def _today(self) -> Any:
        return self._clock.now().date()


def readable(tools: Mapping[str, Tool], by: Person) -> dict[str, ToolSpec]:
    """The tools that a question may call: they only read, they answer at once, and the person may use them."""
    specs = (tool.spec for tool in tools.values() if tool.effect is EffectClass.READ and tool.deferred is None)
    # Without a permission it is one of Steward's own, or one that nobody thought about: deny by default.
    return {spec.id: spec for spec in specs if spec.permission and by.may(spec.permission)}


def words_of_company(playbooks: Iterable[Playbook]) -> dict[str, dict[str, str]]:
    """The values that playbooks have names for: semantic type to words in lower case to value."""
    known: dict[str, dict[str, str]] = {}
    for playbook in playbooks:
        for field in playbook.request.get("properties", {}).values():
            if isinstance(field, Mapping) and KEYWORD in field and isinstance(field.get("enum"), list):
                names = known.setdefault(str(field[KEYWORD]), {})
                spelled = field.get("x-words") if isinstance(field.get("x-words"), Mapping) else {}
                for value in map(str, field["enum"]):
                    names |= {str(word).lower(): value for word in (value, *(spelled or {}).get(value, ()))}
    return known


def _refusal(look: Look, question: Question, looked: Sequence[Looked]) -> str:
    """Why a call is not made: whoever answers may be wrong, or may have been told to by what it read."""
    if look.tool not in question.tools:
        return f"To answer that, {look.tool} would have to be called, which a question of yours may not do."
    if any(each.look.tool == look.tool and dict(each.look.args) == dict(look.args) for each in looked):
        return "I looked it up and came no further."
    if len(looked) >= MOST_LOOKS:
        return f"That takes more than {MOST_LOOKS} look-ups. Ask for less at once."
    return ""


def _looked(look: Look, outcome: Outcome) -> Looked:
    match outcome:
        case Done(output=output):
            return Looked(look, output)
        case Failed(failure=failure) | Unknown(failure=failure):
            return Looked(look, None, failure.message, failure.code)
        case Later(why=why):
            return Looked(look, None, why, "later")
    return Looked(look, None, "it did not answer at once", "later")


def _not_known(why: str) -> Told:
    decision = Decision(
        kind=DecisionKind.ANSWER,
        subject="question",
        choice="not known",
        reasoning=why,
        confidence=1,
        decider="rule:questions",
    )
    return Told((), why, decision)


class _NoLedger:
    """Reads leave no trace in any journal; whatever would have an effect has no business here."""

    async def intended(self, intent: Intent) -> None:
        raise Refused(f"A question has no effects, and {intent.tool} has one.")

    async def trying(self, step: str) -> None:
        raise Refused(f"A question sends nothing again ({step}).")

    async def attempted(self, step: str, number: int, failure: Failure, retry_at: datetime | None) -> None:
        """Nobody keeps it: the person waits, and sees what came of it."""

    async def reconciled(self, step: str, answer: LookupAnswer, evidence: str) -> None:
        """Reads are never in doubt."""


class _NoBrake:
    """A question is over soon: nothing stops it but its time."""

    pulled = False

    async def wait(self) -> None:
        await asyncio.Event().wait()
