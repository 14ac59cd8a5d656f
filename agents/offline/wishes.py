"""Goals named from a person's words, by rule: a wish is taken only if every word of it is explained by one tool.

What a clause says must be the tool's act, what the tool deals with, a value that was read, or a word without meaning of
its own. One word too many and the rules say that they do not know; two tools that fit as well, and they ask which.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from agents.offline.choices import read_choices
from agents.offline.drafting import paths
from agents.offline.passages import TAKEN, Passage, plain
from agents.offline.people import people_in
from agents.offline.planner import OfflinePlanner
from agents.offline.readings import Ground
from agents.offline.slots import Slot, slots
from agents.offline.toolwords import ToolWords, newest, words_of
from agents.offline.values import read_amounts, read_date_fields
from agents.ports import NotUnderstood, PlanningTask, Understood
from governance.decisions import Decision, DecisionKind
from governance.goals import Goal
from governance.people import Directory
from plans.language import Plan
from playbooks.model import Playbook
from playbooks.requests import closed_schema
from tools.contract import ToolSpec

DECIDER = "rule:goals"
_LONGEST = 400
_CLAUSES = re.compile(r"\band\b|\bthen\b|[;,.!?\n]", re.IGNORECASE)
_EXAMPLES = 3


@dataclass(frozen=True)
class _Meant:
    """What a clause means: the tool, and the words."""

    spec: ToolSpec
    clause: str


class _Unclear(Exception):
    """The words do not say one thing; the text is the question to ask."""


class OfflineGoalNamer:
    """Names goals by rule, and never guesses."""

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
        """The request of ``playbook`` that the words are, over ``tools``; with ``draft``, they answer what was open."""
        said = plain(text).strip()
        if draft is not None and draft.playbook == playbook.id:
            said = f"{draft.request.get('wish', '')}; {_answer(said, draft, playbook)}"
        try:
            return await _understood(said, playbook, tools, directory, today)
        except _Unclear as unclear:
            return _not_understood(str(unclear), said, tools)


async def _understood(
    said: str, playbook: Playbook, tools: Mapping[str, ToolSpec], directory: Directory, today: date
) -> Understood:
    if len(said) > _LONGEST:
        raise _Unclear(f"That is longer than {_LONGEST} characters; say it in one or two sentences.")
    ground = Ground(playbook, Passage(said), directory, today)
    _read(ground)
    meant = _meant(ground, tools)
    goals = _goals(meant)
    found = {name: reading for name, reading in ground.found.items() if reading.value is not None}
    request = {
        "wish": said,
        "goals": [goal.model_dump(include={"id", "provides", "args", "reason"}) for goal in goals],
        **{name: reading.value for name, reading in found.items()},
    }
    plan = await _planned(playbook, goals, request, tools)
    doubtful = {name: reading.question for name, reading in ground.found.items() if reading.question}
    missing = {name: question for name, question in _missing(plan, ground, tools).items() if name not in doubtful}
    used = {path.split(".")[1] for step in plan.steps for path in paths(step.args) if path.startswith("request.")}
    idle = [found[name].quote for name in found if name not in used]
    if idle and not missing:
        raise _Unclear(f"I do not know what {' and '.join(f'“{quote}”' for quote in idle)} has to do with that.")
    return Understood(
        playbook.id,
        request,
        _decision(playbook, meant, goals, open_count=len(doubtful) + len(missing)),
        missing,
        doubtful,
        {
            "wish": said,
            "goals": "; ".join(each.clause for each in meant),
            **{name: reading.quote for name, reading in ground.found.items() if reading.quote},
        },
    )


def _read(ground: Ground) -> None:
    """Take the values out of the text: people, days, amounts, choices."""
    fields = [slot.name for slot in ground.slots if slot.format == "email"]
    named = list(people_in(ground.passage.text, ground.directory))
    addresses = list(dict.fromkeys(each.email for each in named))
    for each in named:
        ground.passage.take(each.start, each.end)
    if fields and len(addresses) == 1:
        ground.set(fields[0], addresses[0], named[0].quote)
    elif addresses:
        raise _Unclear("That is about more than one person. Ask for one at a time.")
    read_date_fields(ground)
    read_amounts(ground)
    read_choices(ground)


def _meant(ground: Ground, tools: Mapping[str, ToolSpec]) -> list[_Meant]:
    """The tool that each clause means. Clauses that only hold values mean none."""
    known = [ToolWords(spec) for spec in newest(tools)]
    found: list[_Meant] = []
    start = 0
    free, text = ground.passage.free, ground.passage.text
    for end in [*(match.start() for match in _CLAUSES.finditer(free)), len(free)]:
        said = set(words_of(_CLAUSES.sub(" ", free[start:end]).replace(TAKEN, " ")))
        clause = _CLAUSES.sub(" ", text[start:end]).strip()
        if said:
            found.append(_Meant(_tool(said, _fields_in(clause, ground), known, clause), clause))
        start = end
    if not found:
        raise _Unclear("I did not find in this what shall be done.")
    return found


def _fields_in(clause: str, ground: Ground) -> set[str]:
    low = clause.lower()
    telling = {name: ground.found[name].quote.lower() for name in ground.found if not _is_person(name, ground)}
    return {name for name, quote in telling.items() if quote and quote in low}


def _is_person(name: str, ground: Ground) -> bool:
    return bool(ground.schema[name].get("format") == "email")  # whom it is about does not say what is meant


def _tool(said: set[str], fields: set[str], known: Sequence[ToolWords], clause: str) -> ToolSpec:
    able = []
    for tool in known:
        acts, things = said & tool.acts, said & tool.things
        given = fields & tool.spec.input.get("properties", {}).keys()
        if acts and (things - acts or given) and said <= tool.acts | tool.things:
            able.append((-len(things - acts) - len(given), len(tool.head - said), tool.spec))
    if not able:
        raise _Unclear(f"I do not know how to do this: “{clause}”.")
    best = min(able, key=lambda each: (each[0], each[1], each[2].id))
    rivals = [spec for score, over, spec in able if score == best[0] and (over == best[1] or best[1])]
    if len(rivals) > 1:
        choices = " or ".join(f"“{spec.summary.rstrip('.')}” ({spec.name})" for spec in rivals[:4])
        raise _Unclear(f"“{clause}” could mean {choices}. Say it in these words.")
    if not best[2].reaches:
        raise _Unclear(f"{best[2].name} is there to take something back; it cannot be asked for by itself.")
    return best[2]


def _goals(meant: Sequence[_Meant]) -> list[Goal]:
    goals: list[Goal] = []
    for each in meant:
        word = each.spec.reaches.rpartition(".")[2]
        taken = sum(goal.id.startswith(word) for goal in goals)
        goals.append(
            Goal(
                id=f"{word}_{taken + 1}" if taken else word, provides=each.spec.reaches, reason=f"asked: {each.clause}"
            )
        )
    return goals


async def _planned(
    playbook: Playbook, goals: Sequence[Goal], request: Mapping[str, object], tools: Mapping[str, ToolSpec]
) -> Plan:
    """The plan as rules would make it: it shows what is still missing, and what was said for nothing."""
    task = PlanningTask(playbook.id, goals, playbook.guidance, dict(request), closed_schema(playbook), tools)
    return Plan.model_validate((await OfflinePlanner().plan(task)).plan)


def _missing(plan: Plan, ground: Ground, tools: Mapping[str, ToolSpec]) -> dict[str, str]:
    """The fields that steps still need, each with its question."""
    missing: dict[str, str] = {}
    for step in plan.steps:
        for slot in slots(tools[step.tool].input):
            own = _own_field(slot, ground)
            elsewhere = own and own not in ground.found and not _says(step.args.get(slot.name), own)
            if slot.required and own and elsewhere:
                missing[own] = ground.ask(own)  # a site or day found in another record would be a guess
            elif slot.required and slot.name not in step.args:
                name = _field_for(slot, ground)
                if name in ground.found and ground.found[name].value is not None:
                    raise _Unclear(f"{step.tool} needs a {slot.name.replace('_', ' ')}, and I cannot find one.")
                missing[name] = ground.ask(name)
    return missing


def _own_field(slot: Slot, ground: Ground) -> str:
    """The request's field for such a value, or an empty word."""
    fields = [field for field in ground.slots if not field.many]
    typed = [field.name for field in fields if slot.semantic and field.semantic == slot.semantic]
    same = [field.name for field in fields if field.name == slot.name]
    return next(iter((*typed, *same)), "")


def _says(value: Any, field: str) -> bool:
    return f"request.{field}" in paths(value)


def _field_for(slot: Slot, ground: Ground) -> str:
    person = [field.name for field in ground.slots if field.format == "email"] if slot.semantic else []
    for found in (_own_field(slot, ground), *person):
        if found:
            return found
    raise _Unclear(f"That needs a {slot.name.replace('_', ' ')}, which I cannot take from words.")


def _answer(said: str, draft: Understood, playbook: Playbook) -> str:
    """An answer with the cue of what was asked for, where only a cue tells a number's meaning."""
    name = next(iter(draft.missing | draft.doubtful), "")
    schema = playbook.request.get("properties", {}).get(name, {})
    return f"{schema.get('x-cues', [name])[0]} {said}" if schema.get("type") == "integer" else said


def _decision(playbook: Playbook, meant: Sequence[_Meant], goals: Sequence[Goal], *, open_count: int) -> Decision:
    return Decision(
        kind=DecisionKind.TRIAGE,
        subject=playbook.id,
        choice=f"goals: {', '.join(goal.provides for goal in goals)}"
        + (f", with {open_count} open questions" if open_count else ""),
        reasoning="Each part of the text is explained, word by word, by one tool that its requester may use. By rule:"
        " 0.9 when nothing is open, 0.5 while something is missing or doubtful.",
        confidence=0.5 if open_count else 0.9,
        decider=DECIDER,
        evidence=tuple(f"“{each.clause}”: {each.spec.id}, {each.spec.summary}" for each in meant),
    )


def _not_understood(why: str, said: str, tools: Mapping[str, ToolSpec]) -> NotUnderstood:
    able = [spec.summary.rstrip(".") for spec in newest(tools) if spec.provides and spec.permission]
    examples = "; ".join(able[:: max(1, len(able) // _EXAMPLES)][:_EXAMPLES])
    way = f" With your permissions I could, for instance: {examples}." if examples else ""
    decision = Decision(
        kind=DecisionKind.TRIAGE,
        subject="text",
        choice="ask",
        reasoning=f"By rule: {why}",
        confidence=1,
        decider=DECIDER,
        evidence=(said[:200],) if said else (),
    )
    return NotUnderstood(f"{why}{way}", decision)
