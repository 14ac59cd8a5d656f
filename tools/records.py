"""Judging the records that a system's search answers with: which one is meant, and whether it is ours."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from governance.effects import LookupAnswer
from governance.errors import Permanent
from tools.contract import Found, ToolModel

Record = Mapping[str, Any]


def the_only(found: Sequence[Record], *, what: str, name: str) -> Record:
    """The one record found. ``what`` says what was looked for, ``name`` is the field that tells records apart.

    Raises:
        Permanent: there is none (``not_found``) or more than one (``several``): never guess which was meant.

    """
    if not found:
        raise Permanent(f"There is no {what}.", code="not_found", hint="Check the value, or leave this step out.")
    if len(found) > 1:
        names = ", ".join(str(record[name]) for record in found)
        raise Permanent(f"There are {len(found)} of {what}: {names}.", code="several", hint="Say which one is meant.")
    return found[0]


def judged(
    found: Sequence[Record],
    *,
    key: str,
    reference: str,
    name: str,
    read: Callable[[Record], ToolModel],
    live: Callable[[Record], bool],
) -> Found:
    """A lookup's answer from what its search found.

    OURS: a record carries our key in its field ``reference``, whatever became of it since. FOREIGN: one that is
    ``live`` does not. NONE: neither. ``name`` is the field with the record's id, ``read`` makes the tool's output.
    """
    ours = [record for record in found if record[reference] == key]
    if ours:
        evidence = " and ".join(str(record[name]) for record in ours) + f" carries our key in {reference}"
        return Found(LookupAnswer.OURS, read(ours[0]), evidence)
    others = [record for record in found if live(record)]
    if others:
        theirs = others[0][reference]
        return Found(
            LookupAnswer.FOREIGN, read(others[0]), f"{others[0][name]} has {reference} {theirs!r}, not our key"
        )
    return Found(
        LookupAnswer.NONE, evidence=f"nothing carries our key in {reference}, and nothing else is in its place"
    )
