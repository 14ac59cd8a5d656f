"""Dry runs: a journal in memory, kept in the checkpoint, so that the public graph can be invoked without touching anything."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from governance import events as ev
from governance.chain import Entry, Event, from_record, to_record
from governance.errors import InvalidInput, NotFound
from governance.runs import Claim, InboxRow, SideRow
from graphs.engine import Engine
from graphs.fold import RunFold
from graphs.guard import not_yours
from graphs.live import LiveRun
from playbooks.requests import title_of, validate_request

DRY_CLAIM = Claim(run_id="dry", owner=0, epoch=0)


class DryJournal:
    """Journal, inbox and hints of a dry run: loaded from the checkpoint, saved with it, seen by nobody else."""

    def __init__(self, records: Sequence[Mapping[str, Any]] = ()) -> None:
        self._entries = [from_record(record) for record in records]

    def records(self) -> list[dict[str, Any]]:
        """The entries as plain JSON, for the checkpoint."""
        return [to_record(entry) for entry in self._entries]

    async def append(self, _claim: Claim, entries: Sequence[Entry], _rows: Sequence[SideRow] = ()) -> None:
        """Keep the entries; a dry run has no rows beside them."""
        self._entries.extend(entries)

    async def read(self, _run_id: str, after: int = 0) -> list[Entry]:
        """The entries after ``after``."""
        return [entry for entry in self._entries if entry.seq > after]

    async def open(self, _run_id: str) -> list[InboxRow]:
        """Nobody leaves anything for a dry run."""
        return []

    @contextmanager
    def attend(self, _run_id: str, _told: Callable[[], None]) -> Iterator[None]:
        """Nothing will come."""
        yield


async def open_dry(engine: Engine, state: Mapping[str, Any]) -> tuple[Engine, LiveRun]:
    """A dry run as its checkpoint has it, or a new one from ``state["ask"]``, with an engine that touches nothing.

    Raises:
        InvalidInput: ``ask`` is missing or incomplete.
        InvalidRequest: the request does not fit its playbook.
        NotFound: no such playbook or person.
        Refused: the thread is a real run's.

    """
    if state.get("run"):
        raise not_yours(str(state["run"]["id"]))
    journal = DryJournal(state.get("dry") or ())
    dry = replace(engine, journal=journal, inbox=journal, hints=journal)
    if state.get("dry"):
        return dry, await LiveRun.open(DRY_CLAIM, journal, engine.clock, engine.entropy)
    run = LiveRun(DRY_CLAIM, journal, engine.clock, engine.entropy, RunFold(DRY_CLAIM.run_id))
    await run.record(Event("admitted", _admission(engine, state.get("ask"))))
    return dry, run


def _admission(engine: Engine, ask: Any) -> ev.RunAdmitted:
    if not isinstance(ask, Mapping) or not {"playbook", "request", "by"} <= set(ask):
        raise InvalidInput(
            "A dry run needs something to do.",
            hint='Invoke the graph with {"ask": {"playbook": "onboarding", "request": {…}, "by": "you@acme.example"}}.',
        )
    playbook = engine.playbooks.get(str(ask["playbook"])) or engine.latest_playbook(str(ask["playbook"]))
    person = engine.directory.find(str(ask["by"]))
    if playbook is None or person is None:
        missing = f"playbook {ask['playbook']}" if playbook is None else f"person {ask['by']}"
        raise NotFound(f"There is no {missing}.")
    request = validate_request(playbook, dict(ask["request"]))
    return ev.RunAdmitted(
        playbook=playbook.id,
        playbook_digest=playbook.digest,
        request=request,
        requester=person.id,
        source="dry",
        title=title_of(playbook, request),
        dry=True,
    )
