"""``people.yaml``: who is who, as a :class:`governance.people.Directory`."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from governance.errors import InvalidSettings
from governance.findings import Finding
from governance.people import Person
from playbooks.documents import misfits, place, read_document

DEMO = Path(__file__).parent / "demo" / "people.yaml"


class _Entry(BaseModel):
    """One person as written in the file; the e-mail address is the key above it."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1)
    roles: frozenset[str] = frozenset()
    permissions: frozenset[str] = frozenset()
    manager: str | None = None
    delegate: str | None = None


class PeopleDirectory:
    """People kept in memory. E-mail addresses are found in any case."""

    def __init__(self, people: Sequence[Person]) -> None:
        self._people: Mapping[str, Person] = {person.id: person for person in sorted(people, key=lambda p: p.id)}

    def find(self, person_id: str) -> Person | None:
        """The person of that e-mail address, or None."""
        return self._people.get(person_id.strip().casefold())

    def members_of(self, role: str) -> Sequence[Person]:
        """Everybody with the role, ordered by id."""
        return tuple(person for person in self._people.values() if role in person.roles)

    def manager_of(self, person_id: str) -> Person | None:
        """The manager, or None."""
        person = self.find(person_id)
        return self.find(person.manager) if person and person.manager else None

    def delegate_of(self, person_id: str) -> Person | None:
        """Who stands in, or None."""
        person = self.find(person_id)
        return self.find(person.delegate) if person and person.delegate else None

    def everyone(self) -> Sequence[Person]:
        """All people, ordered by id."""
        return tuple(self._people.values())


def load_people(home: Path | None = None) -> PeopleDirectory:
    """The directory of ``home/people.yaml``; without that file, the demo's people.

    Raises:
        InvalidSettings: with all findings.

    """
    directory, findings = read_people(people_file(home))
    if findings:
        raise InvalidSettings("people.yaml cannot be used", hint="mend the places named", findings=findings)
    return directory


def people_file(home: Path | None) -> Path:
    """The file that holds: a company's, if it has one."""
    own = home / "people.yaml" if home else None
    return own if own and own.exists() else DEMO


def read_people(path: Path) -> tuple[PeopleDirectory, list[Finding]]:
    """The people that could be read, and everything that is wrong with the file."""
    value, findings = read_document(path)
    entries = value.get("people") if isinstance(value, dict) else None
    if not findings and not (isinstance(entries, dict) and entries):
        findings.append(
            Finding(
                code="people-form",
                place=str(path),
                sentence="the file needs `people:` with one entry for each e-mail address",
            )
        )
    if findings or not isinstance(entries, dict):
        return PeopleDirectory(()), findings
    people: dict[str, Person] = {}
    for address, entry in entries.items():
        person, problems = _person(path, str(address), entry)
        findings.extend(problems)
        if person is not None and person.id in people:
            findings.append(_said(path, f"people.{address}", "this person is there twice (case does not matter)"))
        elif person is not None:
            people[person.id] = person
    findings.extend(_unknown_references(path, people))
    return PeopleDirectory(tuple(people.values())), findings


def _person(path: Path, address: str, entry: object) -> tuple[Person | None, list[Finding]]:
    under = f"people.{address}"
    if "@" not in address.strip("@"):
        return None, [_said(path, under, "a person's key is an e-mail address")]
    try:
        fields = _Entry.model_validate(entry)
    except ValidationError as error:
        return None, list(misfits(path, error, under))
    person = Person(
        id=address.strip().casefold(),
        name=fields.name,
        roles=fields.roles,
        permissions=fields.permissions,
        manager=fields.manager.strip().casefold() if fields.manager else None,
        delegate=fields.delegate.strip().casefold() if fields.delegate else None,
    )
    return person, []


def _unknown_references(path: Path, people: Mapping[str, Person]) -> list[Finding]:
    findings = []
    for person in people.values():
        for field, other in (("manager", person.manager), ("delegate", person.delegate)):
            where = f"people.{person.id}.{field}"
            if other == person.id:
                findings.append(_said(path, where, f"nobody is their own {field}"))
            elif other is not None and other not in people:
                near = difflib.get_close_matches(other, people, 1)
                fix = f"did you mean {near[0]}?" if near else "add that person"
                findings.append(_said(path, where, f"{other} is not in this file", fix))
    return findings


def _said(path: Path, where: str, sentence: str, fix: str = "") -> Finding:
    return Finding(code="people-form", place=place(path, where), sentence=sentence, fix=fix)
