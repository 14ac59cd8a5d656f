"""The decisions of a run as one HTML page: no script, nothing loaded from elsewhere, every text escaped."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from governance.record import DecisionRecord
from runtime.views import RunDecisions
from surfaces.decided import Namer, decider, dollars, took, total

_KINDS = {
    "triage": "understood",
    "plan": "planned",
    "ruling": "policy",
    "advice": "advised",
    "diagnosis": "diagnosed",
    "verdict": "answered",
    "escalation": "silence",
    "intervention": "stepped in",
}


def decision_html(decided: RunDecisions, name: Namer, named: Callable[[str], str]) -> str:
    """The page. ``name`` gives a person's name for an id; ``named`` puts names for ids in a text."""

    def who(record: DecisionRecord) -> str:
        return decider(record, name)

    return _page("decisions.html", named).render(
        row=decided.row,
        decided=decided,
        who=who,
        name=name,
        took=took,
        total=total(decided.spent),
        cost=dollars(decided.spent.cost_microusd),
        kinds=_KINDS,
    )


def refusal_html(title: str, sentence: str, *, log_in: bool = False) -> str:
    """A page that says why there is nothing to see."""
    return _page("refused.html", str).render(title=title, sentence=sentence, log_in=log_in)


def _page(name: str, named: Callable[[str], str]) -> Template:
    folder = Path(__file__).with_name("pages")
    environment = Environment(loader=FileSystemLoader(folder), autoescape=True, undefined=StrictUndefined)
    environment.filters |= {"named": named, "moment": _moment, "iso": _iso, "percent": _percent}
    return environment.get_template(name)


def _moment(at: datetime) -> str:
    """UTC: whoever reads the page may be elsewhere."""
    return at.astimezone(UTC).strftime("%-d %B %Y, %H:%M:%S")


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()


def _percent(confidence: float) -> int:
    return round(confidence * 100)
