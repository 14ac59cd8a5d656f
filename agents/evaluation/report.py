"""An evaluation as a document: the figures, for all and for what was held out, by group; and what went wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agents.evaluation.figures import Figures, Share, figures
from agents.evaluation.trial import Result


@dataclass(frozen=True)
class Evaluation:
    """The results against something, ``offline`` or a model's name, and how long they took in seconds."""

    against: str
    results: tuple[Result, ...]
    seconds: float

    @property
    def whole(self) -> Figures:
        """The figures of all cases."""
        return figures(self.results)

    @property
    def held_out(self) -> Figures:
        """The figures of the cases that nobody looked at while rules were tuned: the ones to believe."""
        return figures(result for result in self.results if result.case.held_out)

    @property
    def groups(self) -> Mapping[str, tuple[Result, ...]]:
        """The results by group, in the order of the corpus."""
        names = dict.fromkeys(result.case.group for result in self.results)
        return {name: tuple(result for result in self.results if result.case.group == name) for name in names}

    def faults(self) -> Iterator[tuple[str, str]]:
        """Id and fault of each wrong answer that may be looked at: those of held-out cases are only counted."""
        for result in self.results:
            if result.case.held_out:
                continue
            parts = (result.heard, result.planned)
            for fault in (fault for part in parts if part is not None for fault in part.faults):
                yield result.case.id, fault


def document(evaluation: Evaluation) -> dict[str, Any]:
    """The evaluation as JSON has it. Shares are 0 to 1 or null; ``…_interval`` is at 95 %."""
    return {
        "against": evaluation.against,
        **_flat(evaluation.whole),
        "held_out": _flat(evaluation.held_out),
        "groups": {name: _group(results) for name, results in evaluation.groups.items()},
        "faults": [{"id": case, "fault": fault} for case, fault in evaluation.faults()],
        "seconds": round(evaluation.seconds, 1),
    }


def page(evaluation: Evaluation) -> str:
    """The evaluation as Markdown."""
    lines = [
        f"# Evaluation, {evaluation.against}",
        "",
        "`steward eval --report reports` writes this page, `eval.json` and `eval.svg`. Behind a share: of how many, and",
        "its 95 % interval (Wilson). What the figures mean: [the corpus](../docs/explanation/the-corpus.md).",
        "",
        "| figure | all | held out |",
        "| --- | --- | --- |",
        *(f"| {name} | {one} | {two} |" for name, one, two in compared(evaluation)),
        "",
        "![Right answers by group, and reliability](eval.svg)",
        "",
        "| group | n | right | held out, right | plans valid | optimal |",
        "| --- | --- | --- | --- | --- | --- |",
        *(f"| {' | '.join(row)} |" for row in group_rows(evaluation)),
        "",
        "## What went wrong, of what may be looked at",
        "",
        *([f"- `{case}`: {fault}" for case, fault in evaluation.faults()] or ["Nothing."]),
        "",
    ]
    return "\n".join(lines)


def compared(evaluation: Evaluation) -> list[tuple[str, str, str]]:
    """Name, value over all and value over what was held out, for each figure."""
    whole, held = evaluation.whole, evaluation.held_out
    rows: list[tuple[str, str, str]] = [("requests", str(whole.n), str(held.n))]
    for name, pick in _SHARES.items():
        rows.append((name, shown(pick(whole)), shown(pick(held))))
    for name, value in _NUMBERS.items():
        rows.append((name, value(whole), value(held)))
    return rows


def group_rows(evaluation: Evaluation) -> list[tuple[str, ...]]:
    """A row for each group: name, size, right, right of the held out, valid plans, optimal plans."""
    rows: list[tuple[str, ...]] = []
    for name, results in evaluation.groups.items():
        missing = [result for result in results if result.missing]
        if len(missing) == len(results):
            rows.append((name, str(len(results)), "not installed", "", "", ""))
            continue
        found, held = figures(results), figures(result for result in results if result.case.held_out)
        plans = (_counted(found.valid), _counted(found.optimal))
        rows.append((name, str(found.n), shown(found.triage), shown(held.triage), *plans))
    return rows


def shown(share: Share) -> str:
    """``58.8 % of 262 (53-65)``: the share, of how many, and its interval; empty for nothing."""
    if share.value is None:
        return ""
    low, high = share.interval
    return f"{100 * share.value:.1f} % of {share.n} ({100 * low:.0f}-{100 * high:.0f})"


def _counted(share: Share) -> str:
    return f"{share.right} of {share.n}" if share.n else ""


_SHARES: Mapping[str, Callable[[Figures], Share]] = {
    "right answers of triage": lambda found: found.triage,
    "right where no work should begin": lambda found: found.abstentions,
    "would begin the wrong work": lambda found: found.misled,
    "plans that pass at once": lambda found: found.at_once,
    "plans that pass after repair": lambda found: found.valid,
    "plans that are also what was meant": lambda found: found.meant,
    "optimal plans": lambda found: found.optimal,
}


def _number(value: float | None, form: str) -> str:
    return "" if value is None else format(value, form).replace("%", " %")


_NUMBERS: Mapping[str, Callable[[Figures], str]] = {
    "steps above the least, on average": lambda found: _number(found.extra_steps, ".1%"),
    "longest chain above the least": lambda found: _number(found.extra_path, ".1%"),
    "model calls for each run": lambda found: _number(found.calls_per_run, ".2f"),
    "model calls in all": lambda found: str(found.calls),
    "cost in US dollars": lambda found: f"{found.cost:.4f}",
    "Brier score": lambda found: _number(found.brier, ".3f"),
    "expected calibration error": lambda found: _number(found.ece, ".3f"),
}


def _flat(found: Figures) -> dict[str, Any]:
    shares = {
        "triage_accuracy": found.triage,
        "right_abstentions": found.abstentions,
        "wrong_starts": found.misled,
        "valid_plans_before_repair": found.at_once,
        "valid_plans": found.valid,
        "meant_plans": found.meant,
        "optimal_plans": found.optimal,
    }
    flat: dict[str, Any] = {"n": found.n}
    for name, share in shares.items():
        flat[name] = _rounded(share.value)
        flat[f"{name}_interval"] = [_rounded(end) for end in share.interval] if share.n else None
        flat[f"{name}_n"] = share.n
    return flat | {
        "extra_steps": _rounded(found.extra_steps),
        "extra_path": _rounded(found.extra_path),
        "model_calls_per_run": _rounded(found.calls_per_run),
        "model_calls": found.calls,
        "cost_usd": round(found.cost, 6),
        "brier": _rounded(found.brier),
        "ece": _rounded(found.ece),
    }


def _group(results: Sequence[Result]) -> dict[str, Any]:
    if all(result.missing for result in results):
        return {"installed": False, "requests": len(results)}
    held = figures(result for result in results if result.case.held_out)
    return {"installed": True, **_flat(figures(results)), "held_out": _flat(held)}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
