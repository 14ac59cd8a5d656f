"""Forks: what would happen from an event of a run on, simulated, on a thread of its own. The run is not touched."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from governance import events as ev
from governance.chain import GENESIS, SALT_BYTES, Entry, Event, from_record, seal, to_record
from governance.errors import InvalidInput
from governance.events import RunStatus
from governance.runs import RunRow
from graphs.dry import DRY_CLAIM
from graphs.live import Entropy
from graphs.machine import Graph
from graphs.transitions import fold


async def fork(
    graph: Graph, row: RunRow, entries: Sequence[Entry], at: int, entropy: Entropy
) -> tuple[RunRow, list[Entry]]:
    """Replay ``entries`` up to the event number ``at`` as a dry run, and let it go on by simulation.

    Returns the fork's row (its id is the new thread's) and its whole journal.

    Raises:
        InvalidInput: there is no such event, or its run was erased.

    """
    if not 1 <= at <= len(entries):
        raise InvalidInput(f"Run {row.id[:13]} has events 1 to {len(entries)}, not {at}.")
    copied = _dry_copy(entries[:at], entropy)
    thread = f"fork-{row.id}-{at}-{secrets.token_hex(3)}"
    config: Any = {"configurable": {"thread_id": thread}}
    final = await graph.ainvoke({"dry": [to_record(entry) for entry in copied]}, config)
    journal = [from_record(record) for record in final["dry"]]
    state = fold(DRY_CLAIM.run_id, journal)
    status = RunStatus(state.ended.status) if state.ended else RunStatus.PARKED if state.parked else RunStatus.WAITING
    return replace(row, id=thread, status=status, waiting_for="", source="fork"), journal


def _dry_copy(entries: Sequence[Entry], entropy: Entropy) -> list[Entry]:
    """The same events, sealed anew as a dry run's."""
    copied: list[Entry] = []
    for entry in entries:
        body = entry.parsed()
        if body is None:
            raise InvalidInput("This run was erased, so nothing can be tried from its events.")
        if isinstance(body, ev.RunAdmitted):
            body = body.model_copy(update={"dry": True})
        head = copied[-1].hash if copied else GENESIS
        event = Event(entry.cause, body)
        salt = entropy(SALT_BYTES)
        copied.append(seal(DRY_CLAIM.run_id, event, seq=entry.seq, at=entry.at, prev_hash=head, salt=salt))
    return copied
