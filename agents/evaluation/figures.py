"""From results to figures: shares with their intervals, calibration, calls and cost."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from agents.evaluation.corpus import Answer
from agents.evaluation.planning import Planned
from agents.evaluation.trial import Result
from governance.calibration import Bin, Claim, brier, expected_error, reliability, wilson
from governance.decisions import ModelUse


@dataclass(frozen=True)
class Share:
    """``right`` of ``n``, with the 95 % interval of the share (Wilson)."""

    right: int
    n: int

    @property
    def value(self) -> float | None:
        """The share; None of nothing."""
        return self.right / self.n if self.n else None

    @property
    def interval(self) -> tuple[float, float]:
        """0 to 1 of nothing."""
        return wilson(self.right, self.n)


@dataclass(frozen=True)
class Figures:
    """What a set of results says.

    ``triage``: right answers of all; ``abstentions``: right ones where no work should begin; ``misled``: answers that
    would begin the wrong work. Of the plans: those that
    passed the checker at once, after repair, that are also what was meant, and that are optimal. ``extra_steps`` and
    ``extra_path``: how much larger than the least they are on average (0.1 is a tenth); None without a plan.
    ``calls_per_run`` counts triage and plan of each request that was planned; cost in US dollars for all.
    """

    n: int
    triage: Share
    abstentions: Share
    misled: Share
    at_once: Share
    valid: Share
    meant: Share
    optimal: Share
    extra_steps: float | None
    extra_path: float | None
    calls: int
    calls_per_run: float | None
    cost: float
    brier: float | None
    ece: float | None
    bins: tuple[Bin, ...]


def figures(results: Iterable[Result]) -> Figures:
    """The figures of some results; those whose playbook is not installed do not count."""
    kept = [result for result in results if not result.missing]
    heard = [(result.case, result.heard) for result in kept if result.heard is not None]
    plans = [result.planned for result in kept if result.planned is not None]
    claims: list[Claim] = [(one.confidence, one.right) for _, one in heard]
    bins = reliability(claims) if claims else ()
    uses = [use for result in kept for use in _uses(result)]
    runs = [result for result in kept if result.planned is not None]
    run_calls = sum(use.calls for result in runs for use in _uses(result))
    return Figures(
        n=len(kept),
        triage=_share(one.right for _, one in heard),
        abstentions=_share(one.right for case, one in heard if case.expect.answer is not Answer.WORK),
        misled=_share(one.misled for _, one in heard),
        at_once=_share(plan.at_once for plan in plans),
        valid=_share(plan.valid for plan in plans),
        meant=_share(plan.right for plan in plans),
        optimal=_share(plan.optimal for plan in plans),
        extra_steps=_extra(plans, lambda plan: (plan.steps, plan.least.steps)),
        extra_path=_extra(plans, lambda plan: (plan.path, plan.least.path)),
        calls=sum(use.calls for use in uses),
        calls_per_run=run_calls / len(runs) if runs else None,
        cost=sum(use.cost_microusd for use in uses) / 1_000_000,
        brier=brier(claims) if claims else None,
        ece=expected_error(bins) if claims else None,
        bins=bins,
    )


def _uses(result: Result) -> list[ModelUse]:
    heard = [result.heard.use] if result.heard and result.heard.use else []
    return [*heard, *(result.planned.uses if result.planned else ())]


def _share(marks: Iterable[bool]) -> Share:
    found = list(marks)
    return Share(sum(found), len(found))


def _extra(plans: Sequence[Planned], sizes: Callable[[Planned], tuple[int, int]]) -> float | None:
    ratios = [size / least - 1 for plan in plans if plan.valid for size, least in [sizes(plan)] if least]
    return math.fsum(ratios) / len(ratios) if ratios else None
