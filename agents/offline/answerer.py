"""Answers by rule: a question is answered only when one tool that reads explains every word of it.

The way from the values in the question to that tool is planned as any other work is, and its reads are made one after
the other. What a tool answers with is shown, and never read as an instruction: nothing in it chooses another tool.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agents.offline.enquiry import EMAIL, Enquiry, schema_of, take_apart
from agents.offline.facts import Facts, facts_of
from agents.offline.planner import OfflinePlanner
from agents.offline.saying import examples, say, say_nothing_found
from agents.offline.slots import slots
from agents.offline.toolwords import ToolWords, newest
from agents.ports import Answered, Look, Looked, NotKnown, PlanningTask, Question, Sentence
from governance.decisions import Decision, DecisionKind
from governance.effects import EffectClass
from governance.goals import Goal
from plans.language import Plan
from plans.resolve import Unresolved, resolve_args
from tools.contract import ToolSpec
from tools.semantic import KEYWORD

DECIDER = "rule:answers"
_GOAL = "asked"


class _Next(Exception):
    """A call has to be made first."""

    def __init__(self, look: Look) -> None:
        super().__init__(look.tool)
        self.look = look


class _Lost(Exception):
    """There is no answer; the text says why."""


@dataclass(frozen=True)
class _Way:
    """A tool that could answer, the facts in its output that are asked for, and the reads that lead to it."""

    spec: ToolSpec
    facts: Facts
    plan: Plan
    rank: tuple[int, ...]


class OfflineAnswerer:
    """Answers by rule; says that it does not know rather than guess."""

    async def answer(self, question: Question, looked: Sequence[Looked]) -> Look | Answered | NotKnown:
        """The next call, the answer, or why there is none. The same calls so far lead to the same next one."""
        enquiry = take_apart(question)
        try:
            sentences = await _answer(question, enquiry, list(looked))
        except _Next as call:
            return call.look
        except _Lost as lost:
            return NotKnown(f"{lost} {examples(question.tools)}".strip(), _decision(question, "not known", str(lost)))
        used = ", ".join(dict.fromkeys(each.look.tool for each in looked))
        why = f"Every word of the question is explained by what was read: {used}."
        return Answered(tuple(sentences), _decision(question, "answered", why))


async def _answer(question: Question, enquiry: Enquiry, looked: list[Looked]) -> list[Sentence]:
    if len(enquiry.several) > 1:
        raise _Lost("That asks about several people at once; ask about one of them.")
    enquiry = await _acquainted(question, enquiry, looked)
    way = await _best(question, enquiry)
    scope: dict[str, Any] = {"request": schema_of(enquiry.values)[1]}
    for step in way.plan.steps:
        spec = question.tools[step.tool]
        try:
            args = resolve_args(step, scope, spec)
        except Unresolved:
            raise _Lost("What is known about that does not lead any further.") from None
        at = _read(looked, Look(step.tool, args))
        found = looked[at]
        if found.output is None:
            if found.code not in {"not_found", "http_404"}:
                raise _Lost(f"{spec.system} did not answer: {found.problem}")
            return [Sentence(say_nothing_found(enquiry, spec, found.problem), (at,))]
        scope[step.id] = found.output
        last = at
    people = await _people(question, way, scope[way.plan.goal_steps[_GOAL]], enquiry, looked)
    sources = (last, *(at for _, at in people.values()))
    names = {value: name for value, (name, _) in people.items()}
    lines = say(enquiry, way.facts, scope[way.plan.goal_steps[_GOAL]], names)
    if not lines:
        raise _Lost(f"{way.spec.id} holds nothing about that.")
    return [Sentence(line, sources) for line in lines]


def _read(looked: Sequence[Looked], look: Look) -> int:
    for at, each in enumerate(looked):
        if each.look.tool == look.tool and dict(each.look.args) == dict(look.args):
            return at
    raise _Next(look)


async def _best(question: Question, enquiry: Enquiry) -> _Way:
    ways = [way for spec in newest(question.tools) if (way := await _way(question, enquiry, spec)) is not None]
    if not ways:
        said = ", ".join(sorted(enquiry.words)) or "what is asked"
        raise _Lost(f"I do not know: nothing that I can read for you says anything about {said}.")
    return min(ways, key=lambda way: (way.rank, way.spec.id))


async def _way(question: Question, enquiry: Enquiry, spec: ToolSpec) -> _Way | None:
    words, facts = ToolWords(spec), facts_of(spec, enquiry)
    if not enquiry.words <= words.things | facts.words or not (enquiry.words or facts.asked):
        return None
    if enquiry.counts and not any(fact.within or fact.slot.kind in {"integer", "number"} for fact in facts.asked):
        return None
    plan = await _planned(question, enquiry, spec)
    if plan is None:
        return None
    loose = [semantic for semantic in enquiry.values if semantic not in _used(plan, enquiry)]
    if any(semantic not in facts.semantics for semantic in loose):
        return None
    told = len(enquiry.words & facts.own)
    rank = (-told, len(plan.steps), len(words.head - enquiry.words), len(loose), int(not facts.asked))
    return _Way(spec, facts, plan, rank)


async def _planned(question: Question, enquiry: Enquiry, spec: ToolSpec) -> Plan | None:
    """The reads that lead to a tool, if the question's own values are enough for it."""
    schema, request = schema_of(enquiry.values)
    reads = {tool_id: each for tool_id, each in question.tools.items() if each.effect is EffectClass.READ}
    goal = Goal(id=_GOAL, provides=spec.reaches, reason="asked")
    plan = Plan.model_validate(
        (await OfflinePlanner().plan(PlanningTask("ask", (goal,), "", request, schema, reads))).plan
    )
    if _GOAL not in plan.goal_steps:
        return None
    for step in plan.steps:
        for slot in slots(question.tools[step.tool].input):
            given = step.args.get(slot.name)
            if slot.required and (given is None or (slot.semantic in question.words and not _from_question(given))):
                return None
    return plan


def _from_question(given: Any) -> bool:
    return isinstance(given, Mapping) and str(given.get("$ref", "")).startswith("request.")


def _used(plan: Plan, enquiry: Enquiry) -> set[str]:
    names = schema_of(enquiry.values)[0]["properties"]
    refs = {str(arg.get("$ref", "")) for step in plan.steps for arg in step.args.values() if isinstance(arg, Mapping)}
    return {field[KEYWORD] for name, field in names.items() if f"request.{name}" in refs}


async def _acquainted(question: Question, enquiry: Enquiry, looked: list[Looked]) -> Enquiry:
    """The question with the address of whoever is named in it and not in the directory, looked for in the org chart."""
    if not enquiry.strangers or EMAIL in enquiry.values:
        if enquiry.strangers:
            raise _Lost(f"I do not know what {', '.join(enquiry.strangers)} is.")
        return enquiry
    name = enquiry.strangers[0].removesuffix("'s")
    if len(enquiry.strangers) > 1:
        raise _Lost(f"I do not know {' or '.join(each.removesuffix(chr(39) + 's') for each in enquiry.strangers)}.")
    found: dict[str, str] = {}
    for look in _registers(question):
        at = _read(looked, look)
        for row in _rows(looked[at].output):
            known = str(row.get("display_name", ""))
            if name.casefold() in {known.casefold(), *known.casefold().split()} and isinstance(row.get("email"), str):
                found[row["email"]] = known
    if len(found) != 1:
        how = "more than one" if found else "nobody"
        raise _Lost(f"I know {how} called {name}; if it is a person, ask with the e-mail address.")
    ((email, known),) = found.items()
    return Enquiry(
        **{
            **vars(enquiry),
            "values": {**enquiry.values, EMAIL: email},
            "said": {**enquiry.said, EMAIL: known},
            "strangers": (),
        }
    )


def _registers(question: Question) -> list[Look]:
    """Calls that list people by values that the company has names for, such as its departments."""
    found = []
    for spec in newest(question.tools):
        needed = [slot for slot in slots(spec.input) if slot.required]
        listed = facts_of(spec, None).semantics
        if len(needed) == 1 and needed[0].semantic in question.words and {"PersonName", EMAIL} <= listed:
            values = dict.fromkeys(question.words[needed[0].semantic].values())
            found += [Look(spec.id, {needed[0].name: value}) for value in values]
    return found


def _rows(output: Mapping[str, Any] | None) -> list[Mapping[str, Any]]:
    lists = [value for value in (output or {}).values() if isinstance(value, list)]
    return [row for value in lists for row in value if isinstance(row, Mapping)]


async def _people(
    question: Question, way: _Way, output: Mapping[str, Any], enquiry: Enquiry, looked: list[Looked]
) -> dict[str, tuple[str, int]]:
    """Names of those whom the answer knows only by an id, each with the call that told it."""
    names: dict[str, tuple[str, int]] = {}
    for fact in way.facts.asked:
        value = output.get(fact.name) if not fact.within else None
        if not isinstance(value, str) or not fact.is_somebody:
            continue
        for spec in newest(question.tools):
            needed = [slot for slot in slots(spec.input) if slot.required]
            if [slot.semantic for slot in needed] == [fact.semantic] and "PersonName" in facts_of(
                spec, enquiry
            ).semantics:
                at = _read(looked, Look(spec.id, {needed[0].name: value}))
                known = (looked[at].output or {}).get("display_name")
                if isinstance(known, str):
                    names[value] = (known, at)
                    break
    return names


def _decision(question: Question, choice: str, why: str) -> Decision:
    return Decision(
        kind=DecisionKind.ANSWER,
        subject="question",
        choice=choice,
        reasoning=f"By rule: {why}",
        confidence=0.9 if choice == "answered" else 1,
        decider=DECIDER,
        evidence=(question.text[:200],),
    )
