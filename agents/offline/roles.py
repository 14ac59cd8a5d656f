"""Whose value it is: ``manager_id`` is an employee id as ``employee_id`` is, but somebody else's.

A role is a tuple of relation words, read outward from the person or thing that the work is about: ``()`` is the
subject, ``("manager",)`` the subject's manager, ``("manager", "manager")`` the manager's manager.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from agents.offline.slots import Slot

Role = tuple[str, ...]

RELATIONS = frozenset({"manager", "approver", "requester", "delegate", "head", "deputy", "buddy", "mentor", "previous"})
_SAME = {"supervisor": "manager", "boss": "manager", "lead": "manager", "approved": "approver", "old": "previous"}
# Words that say what a value is or name the subject itself, not another one.
_SUBJECT = frozenset(
    {
        "id", "ids", "no", "number", "code", "key", "name", "first", "last", "given", "family", "legal", "display",
        "full", "user", "person", "people", "employee", "account", "holder", "occupant", "learner", "owner", "recipient", "new", "hire",
        "mail", "email", "address", "work", "of", "the", "by", "to", "from", "date", "ref",
    }
)  # fmt: skip


@dataclass(frozen=True)
class Roles:
    """Knows the relation words of one request: the usual ones, and those that tell its fields of one type apart."""

    words: Mapping[str, frozenset[str]]

    @classmethod
    def of_request(cls, fields: Iterable[Slot]) -> Roles:
        """Two Email fields ``email`` and ``buddy_email`` make *buddy* a relation word for e-mail addresses."""
        by_type: dict[str, list[Slot]] = {}
        for field in fields:
            by_type.setdefault(field.semantic, []).append(field)
        return cls(
            {
                semantic: frozenset(
                    word for field in alike for word in name_words(field.name) - name_words(semantic) - _SUBJECT
                )
                for semantic, alike in by_type.items()
                if semantic and len(alike) > 1
            }
        )

    def of(self, slot: Slot) -> Role:
        """The role that a slot's own name says."""
        typed = name_words(slot.semantic)
        spoken = (_SAME.get(word, word) for word in ordered_words(slot.name) if word not in typed)
        return self.within(tuple(spoken), slot.semantic)

    def within(self, role: Role, semantic: str) -> Role:
        """The words of a role that mean something for values of a semantic type."""
        telling = RELATIONS | self.words.get(semantic, frozenset())
        return tuple(word for word in role if word in telling)

    def of_goal(self, goal_id: str, dealt_with: Iterable[Slot]) -> Role:
        """What a goal's id says about which of several it means: ``security_course_ended`` of two courses.

        A word counts only where the tool that reaches the goal deals with values of the type that it tells apart.
        """
        telling = {word for slot in dealt_with for word in self.words.get(slot.semantic, ())}
        return tuple(word for word in ordered_words(goal_id) if word in telling)


@lru_cache(maxsize=4096)
def name_words(name: str) -> frozenset[str]:
    """The words of a name in snake or camel case, in lower case."""
    return frozenset(ordered_words(name))


@lru_cache(maxsize=4096)
def ordered_words(name: str) -> tuple[str, ...]:
    """The words of a name, in order."""
    return tuple(word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+|\d+", name))


def meaning_words(name: str) -> frozenset[str]:
    """The words of a name that tell it from others: ``job_title`` and ``title`` share one, ``id`` says nothing."""
    return name_words(name) - _SUBJECT
