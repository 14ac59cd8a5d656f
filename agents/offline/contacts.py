"""E-mail addresses and people that the directory knows, read from a sentence."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping

from agents.offline.names import name_at
from agents.offline.passages import cue_pattern
from agents.offline.readings import Ground
from agents.offline.roles import Role
from agents.offline.slots import Slot
from governance.people import Person

_EMAIL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._%+'-]*@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
_AROUND: Mapping[Role, tuple[str, str]] = {
    ("manager",): (
        r"under|works? for|working for|chief(?: is)?|mgr|team of|answers? to|line manager,",
        r"\s+(?:will\s+)?(?:manages?|supervises?|leads?)\b|'s\s+(?:team|group)\b|\s+as\s+(?:her|his|their\s+)?manager\b",
    )
}
"""Words before and after a known person that say a relation, beside the playbook's own cues."""


def read_contacts(ground: Ground) -> None:
    """Fill the fields that are e-mail addresses: by the cue beside an address, then by a person's name."""
    fields = [slot.name for slot in ground.slots if slot.format == "email"]
    if not fields:
        return
    uncued = []
    for match in _EMAIL.finditer(ground.passage.text):
        name = _cued(ground, fields, match.start(), match.end())
        cue = ground.passage.cue_before(match.start(), ground.cues(name)) if name else None
        ground.passage.take(match.start() if cue is None else cue, match.end())
        if name:
            _keep_address(ground, name, match[0])
        else:
            uncued.append(match)
    for name in fields:
        if name not in ground.found and ground.roles.of(_slot(ground, name)):
            _read_person(ground, name)
    for match in uncued:
        _place_uncued(ground, fields, match)


def person_named(ground: Ground, name: str, words: str, quote: str) -> None:
    """Fill a field with a person of the directory called ``words``, or ask."""
    said = words.casefold().split()
    everyone = ground.directory.everyone()
    exact = [person for person in everyone if person.name.casefold().split() == said]
    partly = [person for person in everyone if set(said) <= set(person.name.casefold().split())] if said else []
    if len(exact) == 1:
        ground.set(name, exact[0].id, quote)
    elif len(exact or partly) > 1:
        listed = " or ".join(f"{person.name} ({person.id})" for person in exact or partly)
        ground.set(name, None, quote, f"Which one do you mean by {quote}: {listed}?")
    elif partly:
        ground.set(name, partly[0].id, quote, f"By {quote}, do you mean {partly[0].name} ({partly[0].id})?")
    else:
        ground.set(name, None, quote, f"I do not know a {words}. {ground.ask(name)}")


def _slot(ground: Ground, name: str) -> Slot:
    return next(slot for slot in ground.slots if slot.name == name)


def _cued(ground: Ground, fields: list[str], start: int, end: int) -> str:
    """The field whose cue stands nearest before the address, or right after it."""
    before = {name: ground.passage.cue_before(start, ground.cues(name)) for name in fields if name not in ground.found}
    near = {name: at for name, at in before.items() if at is not None}
    if near:
        return max(near, key=lambda name: (near[name], bool(ground.roles.of(_slot(ground, name)))))
    return next((name for name in before if ground.passage.cue_after(end, ground.cues(name))), "")


def _keep_address(ground: Ground, name: str, address: str) -> None:
    """Keep an address; one that is nearly a known person's is doubtful."""
    known = [person.id for person in ground.directory.everyone()]
    lowered = address.casefold()
    near = difflib.get_close_matches(lowered, known, 1, 0.9)
    related = ground.roles.of(_slot(ground, name))
    if related and lowered not in known and near:
        ground.set(name, lowered, address, f"I do not know {address}. Do you mean {near[0]}, or is {address} right?")
    else:
        ground.set(name, lowered, address)


def _read_person(ground: Ground, name: str) -> None:
    """A person by name after the field's cue, or before "… will be her manager"."""
    cues = cue_pattern(ground.cues(name))
    text = ground.passage.free
    for match in (
        re.finditer(rf"{cues}(?:\s|[:=,(]|\bis\b|\bwill be\b|\bto be\b|\bto\b)*", text, re.IGNORECASE) if cues else ()
    ):
        known = next(_known_at(ground, match.end()), None)
        if known:
            person, end = known
            ground.set(name, person.id, ground.passage.take(match.end(), end))
            ground.passage.take(match.start(), match.end())
            return
        written = name_at(text, match.end())
        if written is not None and written.sure:
            quote = ground.passage.take(written.start, written.end)
            ground.passage.take(match.start(), match.end())
            person_named(ground, name, quote, quote)
            return
    for person in ground.directory.everyone():
        for match in re.finditer(rf"\b{re.escape(person.name)}\b", text, re.IGNORECASE):
            after = ground.passage.cue_after(match.end(), ground.cues(name))
            if after or _relates(ground, name, match):
                ground.set(name, person.id, ground.passage.take(*match.span()))
                ground.passage.take(match.end(), max(after, match.end()))
                return


def _relates(ground: Ground, name: str, match: re.Match[str]) -> bool:
    """Whether the words around a known person say the field's relation: "under …", "… manages her"."""
    before, after = _AROUND.get(ground.roles.of(_slot(ground, name)), ("", ""))
    text = ground.passage.free
    said_before = before and re.search(rf"\b(?:{before})[\s:=]+$", text[: match.start()], re.IGNORECASE)
    return bool(said_before or (after and re.match(after, text[match.end() :], re.IGNORECASE)))


def _known_at(ground: Ground, start: int) -> Iterator[tuple[Person, int]]:
    rest = ground.passage.free[start:]
    for person in ground.directory.everyone():
        match = re.match(rf"{re.escape(person.name)}(?!\w)", rest, re.IGNORECASE)
        if match is not None:
            yield person, start + match.end()


def _place_uncued(ground: Ground, fields: list[str], match: re.Match[str]) -> None:
    """An address without a cue: for the one field still open, or the subject's own when nothing speaks against it."""
    left = [name for name in fields if name not in ground.found]
    asked = [name for name in left if name in ground.open]
    subjects = [name for name in left if not ground.roles.of(_slot(ground, name))]
    person = ground.directory.find(match[0])
    if len(asked) == 1:
        _keep_address(ground, asked[0], match[0])
    elif len(left) == 1 and not subjects:
        _keep_address(ground, left[0], match[0])
    elif person is not None and len(left) > 1:
        related = [name for name in left if name not in subjects]
        if related:
            question = f"Is {person.name} ({person.id}) the {related[0].replace('_', ' ')}?"
            ground.set(related[0], person.id, match[0], question)
    elif subjects:
        ground.set(subjects[0], match[0].casefold(), match[0])
