"""What a failure, refusal or cancel leads to, by rule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agents.ports import Diagnosis
from governance.decisions import Alternative, Decision, DecisionKind
from governance.effects import Failure, FailureClass
from governance.events import Recovery
from tools.contract import ToolSpec


@dataclass(frozen=True)
class _Rule:
    name: str
    choice: Recovery
    because: str
    instead: tuple[tuple[Recovery, str], ...] = ()


_CANCELLED = _Rule("cancel", Recovery.COMPENSATE, "somebody asked to stop, so what was done is to be taken back")
_REFUSED = _Rule(
    "refusal",
    Recovery.ASK,
    "a person said no: another person decides whether to go on without this step or to take back what was done",
    ((Recovery.REPLAN, "the same goals would lead to the same step"),),
)
_AMBIGUOUS = _Rule(
    "ambiguous",
    Recovery.ASK,
    "it may or may not have happened, and no system can say: only a person can find out",
    ((Recovery.RETRY, "calling again could do it twice"),),
)
_TRANSIENT = _Rule(
    "exhausted",
    Recovery.ASK,
    "the system did not answer in all attempts: resume when it is back, and nothing is done twice",
    ((Recovery.RETRY, "the attempts that were allowed are used up"),),
)
_PERMANENT = _Rule(
    "permanent",
    Recovery.ASK,
    "the same call can never work: the input, or the system, has to change first",
    (
        (Recovery.RETRY, "the system would say the same again"),
        (Recovery.REPLAN, "a planner by rule would find the same step again"),
    ),
)
_BY_CLASS = {
    FailureClass.AMBIGUOUS: _AMBIGUOUS,
    FailureClass.TRANSIENT: _TRANSIENT,
    FailureClass.PERMANENT: _PERMANENT,
}


def _of_failure(failure: Failure, alternatives: Sequence[str]) -> _Rule:
    """What surely did not happen may be done by another tool; what may have happened must be found out first."""
    if not alternatives or failure.failure is FailureClass.AMBIGUOUS:
        return _BY_CLASS[failure.failure]
    return _Rule(
        "alternative",
        Recovery.REPLAN,
        f"it did not happen, and {' or '.join(alternatives)} provides the same: the rest is planned again with that",
        ((Recovery.RETRY, "the attempts that were allowed are used up, or the system would say the same again"),),
    )


class OfflineDiagnostician:
    """One rule for each way in which a step can end badly. Certain of its rule, so its confidence is 1."""

    async def diagnose(
        self,
        *,
        step: str,
        tool: ToolSpec | None,
        failure: Failure | None,
        refused: bool,
        attempts: int,
        alternatives: Sequence[str] = (),
        run: str = "",  # noqa: ARG002 - rules cost nothing
    ) -> Diagnosis:
        """The rule that fits: refused before failed; without either, the run was cancelled."""
        rule = _REFUSED if refused else _of_failure(failure, alternatives) if failure else _CANCELLED
        explanation = _explained(step, tool, failure, attempts, refused=refused, rule=rule)
        decision = Decision(
            kind=DecisionKind.DIAGNOSIS,
            subject=step,
            choice=rule.choice.value,
            reasoning=explanation,
            confidence=1,
            decider=f"rule:{rule.name}",
            alternatives=tuple(Alternative(choice=choice.value, why_not=why) for choice, why in rule.instead),
            evidence=(failure.message,) if failure else (),
        )
        return Diagnosis(rule.choice, explanation, decision)


def _explained(
    step: str, tool: ToolSpec | None, failure: Failure | None, attempts: int, *, refused: bool, rule: _Rule
) -> str:
    what = f"{step} ({tool.name})" if tool else step or "The run"
    if refused:
        happened = f"{what} was refused"
    elif failure is None:
        happened = f"{what} was cancelled"
    else:
        tries = f" after {attempts} attempts" if attempts > 1 else ""
        happened = f"{what} failed{tries}: {failure.message.rstrip('.')}"
    fix = f" What may help: {failure.fix.rstrip('.?')}." if failure and failure.fix and not refused else ""
    return f"{happened}. {rule.because[:1].upper()}{rule.because[1:]}.{fix}"
