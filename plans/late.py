"""The policy's word on a step whose arguments are known by now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from governance.policy import Ruling
from plans.checked import Premises
from plans.gates import rule_known
from plans.language import written_id
from plans.outline import Unreadable
from plans.prepared import prepare


def rule_late(
    document: Mapping[str, Any], premises: Premises, step_id: str, args: Mapping[str, Any], *, known_as: str = ""
) -> Ruling | None:
    """The ruling on ``step_id`` with these arguments; None where the policy's word alone would not do.

    That is where something speaks against it: nobody could answer, or what would go may not go unseen. ``known_as``: the
    document's digest, where that is known.
    """
    prepared = prepare(document, premises, known_as=known_as)
    if isinstance(prepared, Unreadable):
        return None
    subject = prepared.under(premises)
    written = written_id(step_id)
    if written not in subject.tools:
        return None
    return rule_known(subject, written, args)
