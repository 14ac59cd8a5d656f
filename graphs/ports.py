"""What the graph needs kept, as ports; ``memory`` satisfies them and ``runtime.wiring`` joins the two."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

from governance.autonomy import AutonomyRule
from governance.chain import Entry
from governance.decisions import Corrected, Decision
from governance.runs import Claim, InboxRow, SideRow
from governance.templates import Template, TemplateFailure


class JournalStore(Protocol):
    """The journal of all runs."""

    async def append(self, claim: Claim, entries: Sequence[Entry], rows: Sequence[SideRow] = ()) -> None:
        """Make a run's entries, and the rows that belong to them, durable together: all or none.

        Appends of all runs that arrive together share one round trip and one commit.

        Raises:
            Fenced: owner or epoch do not match.
            TailMoved: ``prev_hash`` of the first entry is not the tail, a cause is there already, an earned rule that the
                rows rely on does not hold, or the commit's result is unknown.
            DatabaseUnavailable: nothing is known to be written.

        """
        ...

    async def read(self, run_id: str, after: int = 0) -> list[Entry]:
        """The entries with ``seq`` greater than ``after``, in order."""
        ...


class Inbox(Protocol):
    """What others left for a run."""

    async def open(self, run_id: str) -> list[InboxRow]:
        """The rows that no event has taken up yet, oldest first."""
        ...


class Hints(Protocol):
    """Says, soon but not surely, that something is new. Polling is the truth."""

    def attend(self, run_id: str, told: Callable[[], None]) -> AbstractContextManager[None]:
        """Call ``told`` after each wake of the run, while the block runs. Nothing from its beginning on is missed."""
        ...


class Templates(Protocol):
    """Kept plans, by key. Only ``find`` waits for the database; what is said to the others is written soon after."""

    async def find(self, key: str) -> Template | None:
        """The plan that is kept under a key. Raises DatabaseUnavailable."""
        ...

    def keep(self, template: Template) -> None:
        """Keep a plan, unless there is one under its key or a person dropped the very same."""
        ...

    def used(self, template: str) -> None:
        """A run took its plan from a template."""
        ...

    def missed(self, playbook: str, why: str) -> None:
        """A plan did not come from a template, or did not become one."""
        ...

    def failed(self, failure: TemplateFailure) -> None:
        """A run failed by its template; each run counts once."""
        ...


class Autonomy(Protocol):
    """What past decisions say, and the rules that people ratified because of them."""

    async def refresh(self, now: datetime) -> None:
        """Look again, unless that was done a moment ago. What follows answers from the last look."""
        ...

    def corrected(self, decision: Decision, playbook: str) -> Corrected | None:
        """What experience makes of a decision's confidence; None when there is too little of it."""
        ...

    def rules(self, playbook: str, now: datetime) -> tuple[AutonomyRule, ...]:
        """The earned rules that bind plans of this playbook at ``now``."""
        ...

    async def holds(self, rule: str, now: datetime) -> bool:
        """Whether an earned rule, by its id, holds at this very moment; looked up each time."""
        ...


class NoAutonomy:
    """Nothing is known and nothing was earned: people are asked."""

    async def refresh(self, now: datetime) -> None:
        """There is nothing to look at."""

    def corrected(self, _decision: Decision, _playbook: str) -> Corrected | None:
        """No experience."""
        return None

    def rules(self, _playbook: str, _now: datetime) -> tuple[AutonomyRule, ...]:
        """No rules."""
        return ()

    async def holds(self, _rule: str, _now: datetime) -> bool:
        """Never."""
        return False
