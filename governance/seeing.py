"""Who may see a run: its requester, who may manage runs, and whoever was asked about it. A rule, without I/O."""

from __future__ import annotations

from collections.abc import Iterable

from governance.people import Directory, Person


def is_theirs(requester: str, person: Person) -> bool:
    """Whether a run is the person's own, or one of those that they manage."""
    return person.id == requester or person.may("runs:manage")


def may_see(requester: str, asked: Iterable[str], person: Person, directory: Directory) -> bool:
    """Whether the person may see a run. ``asked`` are the people to whom any of its questions was put, in their time.

    Whoever stands in for one of them sees what they see. Who is not in the directory any more sees nothing.
    """
    if directory.find(person.id) is None:
        return False
    if is_theirs(requester, person):
        return True
    people = set(asked)
    stand_ins = (directory.delegate_of(each) for each in people)
    return person.id in people or any(each is not None and each.id == person.id for each in stand_ins)
