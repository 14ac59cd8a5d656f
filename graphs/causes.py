"""Causes: what makes an event the only one of its kind in a run. They outlive an erasure, so they name nobody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from governance import events as ev


def nameless(expanded: Mapping[str, Sequence[ev.ExpandedItem]], cause: str) -> str:
    """The cause with an item's number for its key, which may be a person's address: ``step:access[#2]:0:ended``."""
    head, bracket, rest = cause.partition("[")
    key, _, tail = rest.partition("]")
    items = expanded.get(head.rpartition(":")[2], ()) if bracket else ()
    number = next((number for number, item in enumerate(items, 1) if item.key == key), 0)
    return f"{head}[#{number}]{tail}" if number else cause
