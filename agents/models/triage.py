"""Words to requests: rules first; what they cannot read is asked of a model, whose every field must stand in the text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from agents.models.desk import Answered, Desk, NoAnswer, Question
from agents.models.grounding import doubt, quoted
from agents.models.prompts import fenced, prompt
from agents.models.voice import by_rule, confidence, sentence
from agents.offline.answers import read_answer
from agents.offline.passages import Passage, plain
from agents.offline.readings import Ground, Reading
from agents.offline.triage import read_all, understood
from agents.ports import NotUnderstood, Triage, Understood
from governance.decisions import Decision, DecisionKind
from governance.people import Directory
from playbooks.model import Playbook

KIND = "triage"
NONE = "none"
_LONGEST = 4_000
_MOST_PEOPLE = 20


@dataclass(frozen=True)
class ModelTriage:
    """Asks a model where the rules leave something open.

    The model only ever adds fields that nothing was read for; a field whose quote does not stand in the text, or does
    not say its value, is dropped and asked for. What rules read in another way than the model is asked, too.
    """

    desk: Desk
    rules: Triage

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
        ruled = await self.rules.understand(text, playbooks=playbooks, directory=directory, today=today, draft=draft)
        if not text.strip() or not playbooks or (isinstance(ruled, Understood) and _is_enough(ruled, draft)):
            return ruled
        text = plain(text[:_LONGEST])
        told = _told(text, playbooks, directory, today, draft)
        found = await self.desk.ask(Question(KIND, prompt("triage@1"), told, _schema(playbooks)))
        if isinstance(found, NoAnswer):
            return _by_rule(ruled, found)
        chosen = next((playbook for playbook in playbooks if playbook.id == found.value["playbook"]), None)
        if chosen is None or (isinstance(ruled, Understood) and ruled.playbook != chosen.id):
            return _unclear(ruled, found, chosen)
        return _read(Ground(chosen, Passage(text), directory, today), draft, found)


def _is_enough(ruled: Understood, draft: Understood | None) -> bool:
    """Nothing is open, or an answer to a question closed something: the next one follows."""
    if ruled.ready:
        return True
    before = {*draft.missing, *draft.doubtful} if draft and draft.playbook == ruled.playbook else set()
    return len({*ruled.missing, *ruled.doubtful}) < len(before)


def _schema(playbooks: Sequence[Playbook]) -> dict[str, Any]:
    field = {
        "type": "object",
        "properties": {"name": {"type": "string"}, "value": {}, "quote": {"type": "string"}},
        "required": ["name", "value", "quote"],
        "additionalProperties": False,
    }
    properties = {
        "playbook": {"enum": [*(playbook.id for playbook in playbooks), NONE]},
        "fields": {"type": "array", "items": field},
        "question": {"type": "string"},
        "reasoning": {"type": "string"},
        "confidence": {"type": "number", "minimum": 0, "maximum": 1},
    }
    return {"type": "object", "properties": properties, "required": [*properties], "additionalProperties": False}


def _told(text: str, playbooks: Sequence[Playbook], directory: Directory, today: date, draft: Understood | None) -> str:
    known = [{"id": p.id, "what": p.summary, "fields": p.request.get("properties", {})} for p in playbooks]
    parts = [fenced("today", today.isoformat()), fenced("playbooks", known), fenced("people", _people(text, directory))]
    if draft is not None:
        asked = {**draft.missing, **draft.doubtful}
        parts.append(fenced("so_far", {"playbook": draft.playbook, "request": draft.request, "asked": asked}))
    return "\n".join([*parts, fenced("text", text)])


def _people(text: str, directory: Directory) -> list[dict[str, str]]:
    """Those whose name the text has a part of: nobody else's is told."""
    said = text.casefold()
    named = [
        p for p in directory.everyone() if any(part.casefold() in said for part in p.name.split() if len(part) > 2)
    ]
    return [{"name": person.name, "email": person.id} for person in named[:_MOST_PEOPLE]]


def _read(ground: Ground, draft: Understood | None, found: Answered) -> Understood:
    """The rules' reading, with what the model read besides where its quotes bear it out."""
    mine = draft if draft is not None and draft.playbook == ground.playbook.id else None
    if mine is not None:
        ground.open, ground.earlier = frozenset({*mine.missing, *mine.doubtful}), mine.quotes
    read_all(ground)
    if mine is not None:
        read_answer(ground, mine)
    dropped = [name for name in map(_added(ground), found.value["fields"]) if name]
    result = understood(ground, mine)
    open_count = len(result.missing) + len(result.doubtful)
    noted = f" Not taken, for the text does not say it: {', '.join(dropped)}." if dropped else ""
    decision = result.decision.model_copy(
        update={
            "reasoning": f"{sentence(found.value['reasoning'])}{noted}",
            "confidence": min(confidence(found.value), 0.5) if open_count else confidence(found.value),
            "decider": f"model:{found.use.model}",
            "use": found.use,
        }
    )
    return Understood(result.playbook, result.request, decision, result.missing, result.doubtful, result.quotes)


def _added(ground: Ground) -> Any:
    """What takes a field into the ground, and returns its name if it was dropped."""

    def add(given: Mapping[str, Any]) -> str:
        name, value = given["name"], given["value"]
        if name not in ground.schema or value is None:
            return "" if value is None else sentence(name)[:40]
        quote = quoted(ground.passage.text, given["quote"])
        asked = doubt(ground, name, value, quote) if quote else None
        known = ground.found.get(name)
        if known is not None:
            if not known.question and known.value != value and asked is not None:
                both = f"Is the {name.replace('_', ' ')} {known.value} or {value}?"
                ground.found[name] = Reading(known.value, known.quote, both)
            return ""
        if asked is None:
            return str(name)
        ground.set(name, value, quote, asked)
        return ""

    return add


def _by_rule(ruled: Understood | NotUnderstood, silence: NoAnswer) -> Understood | NotUnderstood:
    decision = by_rule(ruled.decision, silence)
    if isinstance(ruled, NotUnderstood):
        return NotUnderstood(ruled.question, decision)
    return Understood(ruled.playbook, ruled.request, decision, ruled.missing, ruled.doubtful, ruled.quotes)


def _unclear(ruled: Understood | NotUnderstood, found: Answered, chosen: Playbook | None) -> Understood | NotUnderstood:
    """No playbook, by the model; or another than by rule. A draft by rule with open questions stands: it asks anyway."""
    if isinstance(ruled, Understood) and chosen is None:
        return ruled
    question = sentence(found.value["question"]) or (ruled.question if isinstance(ruled, NotUnderstood) else "")
    if isinstance(ruled, Understood) and chosen is not None:
        question = f"Is it {ruled.playbook.partition('@')[0]} or {chosen.name} that you want?"
    decision = Decision(
        kind=DecisionKind.TRIAGE,
        subject="text",
        choice="ask",
        reasoning=sentence(found.value["reasoning"]) or "The model found no playbook in the text.",
        confidence=confidence(found.value),
        decider=f"model:{found.use.model}",
        use=found.use,
    )
    return NotUnderstood(question or "What shall be done, and for whom?", decision)
