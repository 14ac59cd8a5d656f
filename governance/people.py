"""People, and the directory that knows them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from pydantic import BaseModel, ConfigDict


class Person(BaseModel):
    """Somebody who may ask, decide or be named. ``id`` is the e-mail address, in lower case."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    name: str
    roles: frozenset[str] = frozenset()
    permissions: frozenset[str] = frozenset()
    manager: str | None = None
    delegate: str | None = None

    def __str__(self) -> str:
        return self.name

    def may(self, permission: str) -> bool:
        """Whether the person has ``permission`` (``area:act``), by itself, by ``area:*`` or by ``*``."""
        area = permission.partition(":")[0]
        return bool(self.permissions & {"*", permission, f"{area}:*"})


class Directory(Protocol):
    """Who is who. ``people.yaml`` in the demo; later OIDC groups or SCIM."""

    def find(self, person_id: str) -> Person | None:
        """The person of that e-mail address (any case), or None."""
        ...

    def members_of(self, role: str) -> Sequence[Person]:
        """Everybody with the role, ordered by id."""
        ...

    def manager_of(self, person_id: str) -> Person | None:
        """The manager, or None when there is none or the person is unknown."""
        ...

    def delegate_of(self, person_id: str) -> Person | None:
        """Who stands in at present, or None."""
        ...

    def everyone(self) -> Sequence[Person]:
        """All people, ordered by id."""
        ...
