"""Admission: a typed ask becomes a run, once. Chat, command line, programs and every later trigger come through here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from governance import events as ev
from governance.chain import GENESIS, SALT_BYTES, Entry, Event, seal
from governance.clock import Clock
from governance.decisions import Decision
from governance.errors import InvalidInput, NotPermitted, Refused
from governance.people import Person
from governance.priority import Priority
from governance.runs import RunRow
from governance.text import text_problem
from graphs.live import Entropy
from playbooks.model import Playbook
from playbooks.requests import title_of, validate_request

IN_PERSON = frozenset({"api", "chat", "cli"})
"""The doors behind which a person stands who has logged in. What comes by any other never names goals of its own."""


class Register(Protocol):
    """Where runs are entered: the row and its first journal entry, in one transaction."""

    async def admit(self, first: Entry, *, dedupe: str | None = None) -> RunRow:
        """Make the run, due now; the same ``dedupe`` again gives the run that it gave before."""
        ...


class NewId(Protocol):
    """Gives each run its id, a UUIDv7."""

    def __call__(self) -> str:
        """The next id."""
        ...


@dataclass(frozen=True)
class Ask:
    """Somebody's ask. ``source`` says through which door; ``dedupe`` is the trigger's own key for it, if it has one.

    ``parent`` and ``parent_step``: the run and its step that started this one; ``depth``: how many runs stand above it.
    Without a ``priority`` the run has its playbook's.
    """

    playbook: Playbook
    request: dict[str, Any]
    by: Person
    source: str
    dedupe: str | None = None
    understanding: Decision | None = None
    priority: Priority | None = None
    parent: str = ""
    parent_step: str = ""
    depth: int = 0


@dataclass(frozen=True)
class Admission:
    """Admits asks."""

    register: Register
    clock: Clock
    entropy: Entropy
    new_id: NewId

    async def admit(self, ask: Ask) -> RunRow:
        """Validate the ask and make its run.

        Raises:
            NotPermitted: the person may not start this playbook.
            Refused: its goals are open, and the ask did not come from a person who is logged in.
            InvalidInput: a source or key that cannot be kept.
            InvalidRequest: every problem of the request at once.

        """
        playbook = ask.playbook
        if not may_start(ask.by, playbook):
            raise NotPermitted(
                f"{ask.by.name} may not start {playbook.id}.",
                hint=f"It takes the permission {playbook.permission} in people.yaml.",
            )
        if playbook.open_goals and ask.source not in IN_PERSON:
            raise Refused(
                f"{playbook.id} takes requests from people who are logged in, and this one came by {ask.source}.",
                hint="Name a playbook with fixed goals for what comes by itself, or let a person ask",
            )
        for name, text in (("source", ask.source), ("dedupe", ask.dedupe or "")):
            if problem := text_problem(text, most=500):
                raise InvalidInput(f"The {name} {problem}.")
        request = validate_request(playbook, ask.request)
        body = ev.RunAdmitted(
            playbook=playbook.id,
            playbook_digest=playbook.digest,
            request=request,
            requester=ask.by.id,
            source=ask.source,
            title=title_of(playbook, request),
            understanding=ask.understanding,
            priority=(ask.priority or playbook.priority).level,
            parent=ask.parent,
            parent_step=ask.parent_step,
            depth=ask.depth,
        )
        salt = self.entropy(SALT_BYTES)
        event = Event("admitted", body)
        first = seal(self.new_id(), event, seq=1, at=self.clock.now(), prev_hash=GENESIS, salt=salt)
        return await self.register.admit(first, dedupe=ask.dedupe)


def may_start(by: Person, playbook: Playbook) -> bool:
    """Whether the person has the playbook's permission."""
    return not playbook.permission or by.may(playbook.permission)
