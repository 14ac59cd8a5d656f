"""Sentences to typed requests, by rule: what stands in the text is taken, with its words; nothing is invented."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from jsonschema import Draft202012Validator

from agents.offline.answers import read_answer
from agents.offline.choices import all_choices, read_choices
from agents.offline.companies import read_company
from agents.offline.contacts import read_contacts
from agents.offline.letters import asked_part
from agents.offline.marked import read_patterns, read_verbatim, without_verbatim
from agents.offline.mentions import asked_for, spoken_phrases
from agents.offline.names import NameReading, read_name
from agents.offline.passages import TAKEN, Passage, plain
from agents.offline.readings import Ground, Reading
from agents.offline.subjects import labelled_name, only_name
from agents.offline.titles import read_title
from agents.offline.values import read_amounts, read_apposition, read_date_fields, read_words
from agents.ports import NotUnderstood, Understood
from governance.decisions import Decision, DecisionKind
from governance.people import Directory
from playbooks.model import Playbook
from playbooks.requests import complete

DECIDER = "rule:triage"
_LONGEST = 4_000  # characters; a sentence is a few hundred


class OfflineTriage:
    """Reads requests by rule. Each filled field is quoted; a default or a derived value says that it is one.

    What is missing is asked with the playbook's own question; what can be read in two ways, is past, or is not known
    is doubtful and asked as well. Later texts complete a draft.
    """

    async def understand(
        self,
        text: str,
        *,
        playbooks: Sequence[Playbook],
        directory: Directory,
        today: date,
        draft: Understood | None = None,
    ) -> Understood | NotUnderstood:
        """The request in ``text``, or what to ask; with ``draft``, ``text`` answers what was open in it."""
        whole = plain(text[:_LONGEST])
        text = asked_part(whole)
        named = _named(playbooks, text)
        drafted = next((playbook for playbook in playbooks if draft and playbook.id == draft.playbook), None)
        if draft is not None and drafted is not None and not _starts_anew(named, text, draft):
            still = frozenset({*draft.missing, *draft.doubtful})
            ground = Ground(drafted, Passage(text), directory, today, still, phrases=drafted.phrases)
            ground.earlier = draft.quotes
            read_all(ground)
            read_answer(ground, draft)
            return understood(ground, draft)
        newest = {playbook.name: playbook for playbook in sorted(named, key=lambda playbook: playbook.version)}
        if len(newest) != 1:
            return _not_understood(text, playbooks, list(newest.values()))
        playbook = next(iter(newest.values()))
        phrases = spoken_phrases(playbook, playbooks, text)
        # Where a field wants somebody else's words, all of them are kept: they are data there.
        verbatim = any(isinstance(one, dict) and one.get("x-verbatim") for one in _properties(playbook))
        ground = Ground(playbook, Passage(whole if verbatim else text), directory, today, phrases=phrases)
        read_all(ground)
        return understood(ground, None)


def _named(playbooks: Sequence[Playbook], text: str) -> list[Playbook]:
    """The playbooks that the text asks for. Of several, those that it names in its own words and not in a quotation."""
    named = asked_for(playbooks, text)
    own = asked_for(named, without_verbatim(text))
    return own if len(named) > 1 and own else named


def _properties(playbook: Playbook) -> Iterable[Any]:
    properties = playbook.request.get("properties", {})
    return properties.values() if isinstance(properties, dict) else ()


def _starts_anew(named: Sequence[Playbook], text: str, draft: Understood) -> bool:
    """A whole new sentence in the middle of a draft: a playbook's phrase, and another person than the drafted one."""
    for playbook in named:
        name = read_name(Passage(text), playbook.phrases)
        drafted = (draft.request.get("first_name"), draft.request.get("last_name"))
        if name is not None and name.last and drafted not in {(None, None), (name.first, name.last)}:
            return True
    return bool(named) and draft.playbook not in {playbook.id for playbook in named}


def read_all(ground: Ground) -> None:
    """Every reader in turn; each takes the words that it used. Names go last, when little else is left to mistake."""
    read_verbatim(ground)
    read_patterns(ground)
    read_contacts(ground)
    read_date_fields(ground)
    read_amounts(ground)
    name = _name(ground) if {"first_name", "last_name"} & ground.schema.keys() else None
    if name is not None:
        _keep_name(ground, name)
    read_words(ground)
    if name is not None:
        for field, schema in ground.schema.items():
            if schema.get("x-cues") and schema.get("type") == "string" and not {"format", "x-semantic"} & schema.keys():
                read_apposition(ground, field, name.end)
                break
    read_title(ground)
    read_company(ground)
    read_choices(ground)


def _name(ground: Ground) -> NameReading | None:
    """The subject's name: by a form's labels, after a phrase, or as the only name there is.

    Where the words that led to it are taken already, it is looked for in the whole text.
    """
    labelled = labelled_name(ground.passage)
    if labelled is not None:
        return labelled
    name = read_name(ground.passage, ground.phrases)
    if name is not None and name.last:
        return name
    whole = read_name(Passage(ground.passage.text), ground.phrases)
    if whole is not None and whole.sure and TAKEN not in ground.passage.free[whole.start : whole.end]:
        return whole
    if ground.open:
        return name
    known = [person.name for person in ground.directory.everyone()]
    barred = frozenset(word for choice in all_choices(ground) for word in choice.split())
    return only_name(ground.passage, known, barred) or name


def _keep_name(ground: Ground, name: NameReading) -> None:
    question = ""
    if name.another:
        question = f"One request is for one person. Is this one for {name.first} {name.last}, and not {name.another}?"
    elif not name.sure:
        question = f"Is {' '.join(part for part in (name.first, name.last) if part)} the name?"
    parts = {"first_name": name.first, "last_name": name.last}
    for field, value in parts.items():
        if field in ground.schema and value:
            ground.set(field, value, name.quote, question)
    ground.passage.take(name.start, name.end)


@dataclass(frozen=True)
class _Outcome:
    request: dict[str, Any]
    quotes: dict[str, str]
    doubtful: dict[str, str]


def understood(ground: Ground, draft: Understood | None) -> Understood:
    """Join what was read with the draft, add defaults and derived fields, and name what is missing."""
    outcome = _joined(ground, draft)
    whole, added = complete(ground.playbook, outcome.request)
    for name in outcome.doubtful.keys() & added.keys():
        del whole[name], added[name]  # something was said about it: a default would pass over that
    required = ground.playbook.request.get("required", ())
    missing = {
        name: ground.ask(name)
        for name in ground.schema
        if name in required and name not in whole and name not in outcome.doubtful
    }
    open_count = len(missing) + len(outcome.doubtful)
    evidence = [f"{name}: '{quote}'" for name, quote in outcome.quotes.items()]
    evidence += [f"{name}: {whole[name]} ({how})" for name, how in added.items()]
    decision = Decision(
        kind=DecisionKind.TRIAGE,
        subject=ground.playbook.id,
        choice=f"a request for {ground.playbook.id}" + (f" with {open_count} open questions" if open_count else ""),
        reasoning="The text names this work, and each field was read from the words quoted. By rule: 0.95 when nothing"
        " is open, 0.8 while something is missing or doubtful, as `steward eval` bears out.",
        confidence=0.8 if open_count else 0.95,
        decider=DECIDER,
        evidence=tuple(evidence),
    )
    return Understood(ground.playbook.id, whole, decision, missing, outcome.doubtful, outcome.quotes)


def _joined(ground: Ground, draft: Understood | None) -> _Outcome:
    request = {name: value for name, value in draft.request.items() if name in draft.quotes} if draft else {}
    quotes = dict(draft.quotes) if draft else {}
    doubtful = dict(draft.doubtful) if draft else {}
    for name, reading in ground.found.items():
        request.pop(name, None)
        doubtful.pop(name, None)
        quotes[name] = reading.quote
        question = reading.question or _misfit(ground, name, reading)
        if question:
            doubtful[name] = question
        if reading.value is not None and not (question and not reading.question):
            request[name] = reading.value
    return _Outcome(request, {name: quote for name, quote in quotes.items() if quote}, doubtful)


def _misfit(ground: Ground, name: str, reading: Reading) -> str:
    """A question when the value does not fit the field's schema."""
    if reading.value is None or Draft202012Validator(dict(ground.schema[name])).is_valid(reading.value):
        return ""
    return f"{reading.quote} cannot be the {name.replace('_', ' ')}. {ground.ask(name)}"


def _not_understood(text: str, playbooks: Sequence[Playbook], named: Sequence[Playbook]) -> NotUnderstood:
    if named:
        question = f"Is it {' or '.join(playbook.name for playbook in named)} that you want?"
        why = "the text names more than one kind of work"
    else:
        known = {playbook.name: playbook.summary for playbook in playbooks}
        listed = "; ".join(f"{name}: {summary.rstrip('.')}" for name, summary in known.items())
        question = (
            f"I did not find work that I know in this. What I can do: {listed or 'nothing yet'}. What shall it be?"
        )
        why = "no playbook's phrases are in the text, or they are denied there"
    decision = Decision(
        kind=DecisionKind.TRIAGE,
        subject="text",
        choice="ask",
        reasoning=f"By rule: {why}.",
        confidence=0.9,
        decider=DECIDER,
        evidence=(text[:200],) if text.strip() else (),
    )
    return NotUnderstood(question, decision)
