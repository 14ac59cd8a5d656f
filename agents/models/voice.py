"""What all decisions of models share: their words made fit to be kept, and what is said when rules decided instead."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agents.models.desk import NoAnswer
from governance.decisions import Alternative, Decision
from governance.text import legible

_LONGEST = 1_000
_MOST_OTHERS = 5


def sentence(value: Any) -> str:
    """Words of a model, on one line and not without end; anything else is no words."""
    text = " ".join(legible(value).split()) if isinstance(value, str) else ""
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def confidence(value: Mapping[str, Any]) -> float:
    """The confidence that a model names, 0 to 1; one that names none is not sure at all."""
    named = value.get("confidence")
    sound = isinstance(named, int | float) and not isinstance(named, bool)
    return min(1.0, max(0.0, float(named))) if sound and named is not None else 0.0


def others_schema() -> dict[str, Any]:
    """The JSON Schema of what was not chosen."""
    item = {
        "type": "object",
        "properties": {"choice": {"type": "string"}, "why_not": {"type": "string"}},
        "required": ["choice", "why_not"],
        "additionalProperties": False,
    }
    return {"type": "array", "items": item}


def others(value: Mapping[str, Any]) -> tuple[Alternative, ...]:
    """What a model says that it did not choose; what is not of the form is left out."""
    listed = value.get("alternatives")
    found = [
        Alternative(choice=sentence(each.get("choice")), why_not=sentence(each.get("why_not")))
        for each in (listed if isinstance(listed, list) else ())
        if isinstance(each, Mapping)
    ]
    return tuple(each for each in found if each.choice)[:_MOST_OTHERS]


def by_rule(decision: Decision, silence: NoAnswer) -> Decision:
    """A rule's decision that was made because no model answered, and says so."""
    reasoning = f"{silence.why} So the offline rules decided. {decision.reasoning}"
    return decision.model_copy(update={"reasoning": reasoning, "use": silence.use})
