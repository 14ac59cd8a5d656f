"""Autonomy, as the application offers it: scores caught up, calibration, and proposals that people decide on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from random import Random

import structlog

from governance.autonomy import (
    AutonomyRule,
    Ground,
    RuleStatus,
    proposals,
    require_can_become,
    require_may_decide_on,
)
from governance.calibration import calibration
from governance.clock import Clock
from governance.decisions import DecisionKind
from governance.errors import InvalidInput
from governance.people import Person
from governance.policy import PolicyRule
from governance.recalibration import MINIMUM, corrected_apart
from governance.scores import Outcome, Score
from governance.scoring import scored
from playbooks.model import Playbook
from runtime.experience import LatestExperience
from runtime.ports import JournalReader, RuleStore, ScoreStore
from runtime.views import KindFigures
from tools.contract import ToolSpec

LONGEST = timedelta(days=366)
CLAIMS = (DecisionKind.TRIAGE, DecisionKind.PLAN, DecisionKind.ADVICE, DecisionKind.DIAGNOSIS, DecisionKind.VERDICT)
"""Kinds that say how sure they are. A ruling of the policy is sure of its own condition, and is no claim."""
_PAGE = 100
_log = structlog.get_logger("steward.autonomy")


@dataclass(frozen=True)
class AutonomyDesk:
    """What past decisions are worth, and what people allow because of it. ``rng`` gives a new seeded generator."""

    scores: ScoreStore
    rules: RuleStore
    journal: JournalReader
    experience: LatestExperience
    specs: Mapping[str, ToolSpec]
    playbooks: Mapping[str, Playbook]
    policy: Sequence[PolicyRule]
    clock: Clock
    rng: Callable[[], Random]

    async def catch_up(self) -> int:
        """Score what the journals say by now, from where the last time ended; then propose. Returns how many runs were read.

        Any number of processes may do it at once, and nothing is lost when one of them dies.
        """
        amounts = {tool: spec.amount for tool, spec in self.specs.items() if spec.amount}
        read, after = 0, ""
        while page := await self.scores.behind(after=after, limit=_PAGE):
            for run_id in page:
                entries = await self.journal.read(run_id)
                if entries:
                    await self.scores.keep(run_id, entries[-1].seq, scored(entries, amounts))
            read, after = read + len(page), page[-1]
        now = self.clock.now()
        await self.rules.expire(now)
        known = await self.rules.list()
        for rule in proposals(await self.scores.latest(), known, self._ground(), now):
            await self.rules.propose(rule)
        self.experience.forget()
        return read

    async def calibration(self) -> tuple[KindFigures, ...]:
        """How well each kind of decision knows itself, of the latest decisions; kinds without any are left out."""
        found: list[KindFigures] = []
        for kind in CLAIMS:
            figures = self._figures(kind, await self.scores.latest([kind]))
            found += [figures] if figures is not None else []
        return tuple(found)

    async def listed(self, *, every: bool = False) -> tuple[AutonomyRule, ...]:
        """Rules that are proposed or hold, the newest proposal last; with ``every`` all there ever were."""
        now = self.clock.now()
        await self.rules.expire(now)
        rules = sorted(await self.rules.list(), key=lambda rule: (rule.proposed_at, rule.id))
        return tuple(rule for rule in rules if every or rule.status is RuleStatus.PROPOSED or rule.binds(now))

    async def ratify(self, rule: str, *, until: date, by: Person, reason: str = "") -> AutonomyRule:
        """Let a proposed rule bind plans from now on, to the end of the day ``until`` (UTC).

        Raises:
            NotFound: no such rule.
            NotPermitted: the person may not, or the rule rests on their own answers.
            Refused: it is not proposed any more.
            InvalidInput: the day is past, or more than a year away.

        """
        found, now = await self.rules.find(rule), self.clock.now()
        given = await self.rules.theirs(found.evidence.runs)
        require_may_decide_on(found, by, gave_the_yes=given, ratifying=True)
        require_can_become(found, RuleStatus.RATIFIED, reason=reason, now=now)
        ends = datetime.combine(until + timedelta(days=1), time(), UTC)
        if not now < ends <= now + LONGEST:
            raise InvalidInput(
                f"A rule that ends on {until} cannot be ratified on {now:%Y-%m-%d}.",
                hint="Give a day to come, at most a year away: what was earned once is looked at again.",
            )
        return await self._become(found, RuleStatus.RATIFIED, by, reason, ends)

    async def reject(self, rule: str, *, reason: str, by: Person) -> AutonomyRule:
        """Say no to a proposal; the counting begins anew. Raises as ``ratify`` does."""
        return await self._say_no(rule, RuleStatus.REJECTED, reason, by)

    async def suspend(self, rule: str, *, reason: str, by: Person) -> AutonomyRule:
        """End a ratified rule at once: no yes is given by it any more. Raises as ``ratify`` does."""
        return await self._say_no(rule, RuleStatus.SUSPENDED, reason, by)

    async def _say_no(self, rule: str, status: RuleStatus, reason: str, by: Person) -> AutonomyRule:
        found = await self.rules.find(rule)
        require_may_decide_on(found, by, gave_the_yes={}, ratifying=False)
        require_can_become(found, status, reason=reason, now=self.clock.now())
        return await self._become(found, status, by, reason, None)

    async def _become(
        self, rule: AutonomyRule, status: RuleStatus, by: Person, reason: str, until: datetime | None
    ) -> AutonomyRule:
        became = await self.rules.become(
            rule.id, status, by=by.id, at=self.clock.now(), why=reason.strip(), until=until
        )
        self.experience.forget()
        _log.warning("earned rule", rule=rule.name, status=status.value, by=by.id)
        return became

    def _figures(self, kind: DecisionKind, scores: Sequence[Score]) -> KindFigures | None:
        claims = [score.claim for score in scores]
        stated = calibration(claims, self.rng())
        if stated is None:
            return None
        enough = len(claims) > MINIMUM
        return KindFigures(
            kind=kind.value,
            overridden=sum(score.outcome is Outcome.OVERRIDDEN for score in scores),
            failed=sum(score.outcome is Outcome.FAILED for score in scores),
            stated=stated,
            corrected=calibration(corrected_apart(claims), self.rng()) if enough else None,
        )

    def _ground(self) -> Ground:
        return Ground(
            reversible=lambda tool: tool in self.specs and not self.specs[tool].irreversible,
            has_amount=lambda tool: tool in self.specs and bool(self.specs[tool].amount),
            approvers=self._approvers,
        )

    def _approvers(self, playbook: str, rule: str) -> tuple[str, ...]:
        """Who would be asked: whom the policy's own rule asks, else the playbook's chain."""
        known = self.playbooks.get(playbook)
        rules = (*self.policy, *(known.policy if known else ()))
        asked = next((each.approvers for each in rules if each.name == rule and each.approvers), ())
        return asked or tuple(known.chain if known else ())
