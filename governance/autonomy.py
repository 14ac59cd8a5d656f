"""Earned autonomy: rules that experience proposes and only a person ratifies, for a time. Pure.

WIDER: a gate whose advice people followed again and again may be answered without them, within limits. NARROWER: what
went by itself and was taken back too often is asked about first. Nothing here decides: a proposal without a person's
word does nothing, and after a no or a suspension the counting begins anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from governance.calibration import wilson
from governance.canonical import digest
from governance.decisions import DecisionKind
from governance.errors import InvalidInput, NotPermitted, Refused
from governance.people import Person
from governance.policy import EARNED, AutoTerms, Earned, Policy, PolicyRule, RulingKind
from governance.scores import Outcome, Score
from governance.text import text_problem

PERMISSION = "autonomy:decide"
LEAST_YES = 40
"""Followed advice that a wider rule is proposed from: 36 in a row are the fewest whose share is above SURE for certain."""
SURE = 0.9
LEAST_BACK, BACK_SHARE = 3, 0.1
"""Overrides that a narrower rule is proposed from, and the share that they are above for certain."""
SHOWN_RUNS = 200


class Direction(StrEnum):
    """What a rule changes."""

    WIDER = "wider"
    NARROWER = "narrower"


class RuleStatus(StrEnum):
    """Where an earned rule stands. Only RATIFIED ones bind, until their date."""

    PROPOSED = "proposed"
    RATIFIED = "ratified"
    REJECTED = "rejected"
    SUSPENDED = "suspended"
    EXPIRED = "expired"


class Evidence(BaseModel):
    """What a proposal rests on: ``right`` of ``n``, the lower bound of what counts in it, and the runs (the latest 200)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    n: int
    right: int
    bound: float
    confidence: float = Field(description="the mean confidence that was stated")
    first: datetime
    last: datetime
    runs: tuple[str, ...]


class AutonomyRule(BaseModel):
    """One earned rule. ``answers`` are the policy's rules that it is about; ``approvers`` are asked by a narrower one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    direction: Direction
    status: RuleStatus = RuleStatus.PROPOSED
    playbook: str
    tool: str
    answers: tuple[str, ...]
    terms: AutoTerms | None = None
    approvers: tuple[str, ...] = ()
    because: str
    evidence: Evidence
    proposed_at: datetime
    decided_by: str = ""
    decided_at: datetime | None = None
    until: datetime | None = None
    why: str = ""
    ended_at: datetime | None = None

    @property
    def name(self) -> str:
        """As rulings, decisions and the journal call it."""
        return f"{EARNED}{self.id}"

    @property
    def subject(self) -> tuple[str, ...]:
        """What it is about; one rule at a time may be open or hold for it."""
        return (self.direction.value, self.playbook, self.tool, *self.answers)

    def binds(self, now: datetime) -> bool:
        """Ratified, and its time is not over."""
        return self.status is RuleStatus.RATIFIED and self.until is not None and now < self.until

    def as_policy(self) -> PolicyRule:
        """A narrower rule as one of the policy: the strictest wins, so it can only tighten."""
        return PolicyRule(
            name=self.name,
            then=RulingKind.GATE,
            when={"$eq": [{"$ref": "tool"}, self.tool]},
            because=self.because,
            approvers=self.approvers,
        )

    def as_earned(self) -> Earned | None:
        """A wider rule as terms for the gates that it answers."""
        terms = self.terms and self.terms.model_copy(update={"rule": self.name})
        return Earned(self.tool, frozenset(self.answers), terms) if terms else None


@dataclass(frozen=True)
class Ground:
    """What proposing takes beside scores: which tools can be taken back, which have an amount, and who may be asked."""

    reversible: Callable[[str], bool]
    has_amount: Callable[[str], bool]
    approvers: Callable[[str, str], tuple[str, ...]]


def proposals(
    scores: Iterable[Score], known: Sequence[AutonomyRule], ground: Ground, now: datetime
) -> list[AutonomyRule]:
    """What experience speaks for and nobody has decided on. ``known`` are all rules so far, of any status."""
    groups: dict[tuple[Direction, str, str, str, str], list[Score]] = {}
    for score in scores:
        found = _about(score)
        if found is not None:
            groups.setdefault((found, score.playbook, score.tool, score.rule, score.decider), []).append(score)
    made: list[AutonomyRule] = []
    for (direction, playbook, tool, rule, _), group in sorted(groups.items()):
        subject = (direction.value, playbook, tool, *rule.split())
        before = [each for each in (*known, *made) if each.subject == subject]
        if any(each.status in {RuleStatus.PROPOSED, RuleStatus.RATIFIED} for each in before):
            continue
        over = max((each.ended_at for each in before if each.ended_at is not None), default=None)
        fresh = sorted((s for s in group if over is None or s.at > over), key=lambda s: (s.at, s.run_id, s.seq))
        made += _wider(fresh, ground, now) if direction is Direction.WIDER else _narrower(fresh, ground, now)
    return made


def _about(score: Score) -> Direction | None:
    if score.kind is DecisionKind.ADVICE and score.choice == "approve" and score.rule:
        return Direction.WIDER
    went = score.kind in {DecisionKind.RULING, DecisionKind.VERDICT}
    return Direction.NARROWER if went and not score.rule.startswith(EARNED) else None


def _wider(group: Sequence[Score], ground: Ground, now: datetime) -> list[AutonomyRule]:
    missed = max((number for number, score in enumerate(group, 1) if not score.right), default=0)
    group = group[missed:]  # an override begins the counting anew
    count = len(group)
    bound = wilson(count, count)[0]
    # An undo that is not there cannot be earned: that takes the policy itself, by name.
    if count < LEAST_YES or bound < SURE or not ground.reversible(group[0].tool):
        return []
    amounts = [score.magnitude for score in group if score.magnitude is not None]
    most = max(amounts, default=0.0) if ground.has_amount(group[0].tool) else None
    terms = AutoTerms(confidence_at_least=SURE, minimum=LEAST_YES, amount_at_most=most, decider=group[0].decider)
    because = f"advice to approve was followed unchanged {count} of {count} times, at least {bound:.0%} for certain"
    return [_proposed(Direction.WIDER, group, bound, because, now, terms=terms)]


def _narrower(group: Sequence[Score], ground: Ground, now: datetime) -> list[AutonomyRule]:
    count, back = len(group), sum(score.outcome is Outcome.OVERRIDDEN for score in group)
    bound = wilson(back, count)[0]
    approvers = ground.approvers(group[0].playbook, group[0].rule) if group else ()
    if back < LEAST_BACK or bound < BACK_SHARE or not approvers:
        return []
    because = f"people took it back {back} of {count} times, at least {bound:.0%} for certain"
    return [_proposed(Direction.NARROWER, group, bound, because, now, approvers=approvers)]


def _proposed(
    direction: Direction,
    group: Sequence[Score],
    bound: float,
    because: str,
    now: datetime,
    *,
    terms: AutoTerms | None = None,
    approvers: tuple[str, ...] = (),
) -> AutonomyRule:
    first, last = group[0], group[-1]
    named = {"direction": direction.value, "playbook": first.playbook, "tool": first.tool, "rule": first.rule}
    return AutonomyRule(
        # The same evidence is the same proposal, whoever comes upon it.
        id=digest({**named, "decider": first.decider, "from": f"{first.run_id}/{first.seq}"})[:8],
        direction=direction,
        playbook=first.playbook,
        tool=first.tool,
        answers=tuple(first.rule.split()),
        terms=terms,
        approvers=approvers,
        because=because,
        evidence=Evidence(
            n=len(group),
            right=sum(score.right for score in group),
            bound=round(bound, 4),
            confidence=round(sum(score.confidence for score in group) / len(group), 4),
            first=first.at,
            last=last.at,
            runs=tuple(dict.fromkeys(score.run_id for score in group))[-SHOWN_RUNS:],
        ),
        proposed_at=now,
    )


def with_earned(rules: Sequence[PolicyRule], earned: Iterable[AutonomyRule]) -> Policy:
    """The policy of a run: its rules, tightened by narrower ones, with the terms of wider ones."""
    found = tuple(earned)
    narrower = [rule.as_policy() for rule in found if rule.direction is Direction.NARROWER]
    wider = [terms for rule in found if (terms := rule.as_earned()) is not None]
    return Policy((*rules, *narrower), wider)


def require_may_decide_on(
    rule: AutonomyRule, person: Person, *, gave_the_yes: Mapping[str, int], ratifying: bool
) -> None:
    """Raises NotPermitted: it takes the permission, and nobody ratifies a rule that rests on their own answers.

    ``gave_the_yes``: for each person how many of the answers and requests in the evidence are theirs.
    """
    if not person.may(PERMISSION):
        raise NotPermitted(
            f"{person.name} may not decide on autonomy.", hint=f"It takes the permission {PERMISSION} in people.yaml."
        )
    own = gave_the_yes.get(person.id, 0)
    if ratifying and own:
        raise NotPermitted(
            f"{own} of the answers and requests that {rule.name} rests on are {person.name}'s own: four eyes.",
            hint=f"Somebody else with {PERMISSION} ratifies it.",
        )


def require_can_become(rule: AutonomyRule, status: RuleStatus, *, reason: str, now: datetime) -> None:
    """Raises Refused when it is not, or no more, for this; InvalidInput for a missing reason."""
    able = {RuleStatus.RATIFIED: RuleStatus.PROPOSED, RuleStatus.REJECTED: RuleStatus.PROPOSED}
    needed = able.get(status, RuleStatus.RATIFIED)
    stands = RuleStatus.EXPIRED if rule.status is RuleStatus.RATIFIED and not rule.binds(now) else rule.status
    if stands is not needed:
        raise Refused(f"{rule.name} is {stands.value}.", hint=f"Only one that is {needed.value} can be {status.value}.")
    if status is not RuleStatus.RATIFIED and not reason.strip():
        raise InvalidInput("A no needs a reason: it is what others will read.", hint='Give --reason "…".')
    problem = text_problem(reason)
    if problem:
        raise InvalidInput(f"The reason {problem}.", hint="Write it again, shorter or without it.")
