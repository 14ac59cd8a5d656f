"""What past decisions say, for runs at work: kept in memory for a moment, so that asking costs next to nothing."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

from governance.autonomy import AutonomyRule, RuleStatus
from governance.decisions import Corrected, Decision, DecisionKind
from governance.scores import Experience
from runtime.ports import RuleStore, ScoreStore

FRESH = timedelta(seconds=15)
"""How old what is known may be. An earned rule is looked up anew each time that something would pass by it."""


class LatestExperience:
    """The port ``graphs.ports.Autonomy`` over rows. One for each process."""

    def __init__(self, scores: ScoreStore, rules: RuleStore) -> None:
        self._scores, self._stored = scores, rules
        self._experience = Experience(())
        self._rules: tuple[AutonomyRule, ...] = ()
        self._seen_at: datetime | None = None
        self._looking = asyncio.Lock()

    async def refresh(self, now: datetime) -> None:
        """Look again, unless that was done within :data:`FRESH`."""
        if self._is_fresh(now):
            return
        async with self._looking:  # those who come meanwhile share the look
            if not self._is_fresh(now):
                self._rules = tuple(await self._stored.list(RuleStatus.RATIFIED))
                self._experience = Experience(await self._scores.latest([DecisionKind.ADVICE]))
                self._seen_at = now

    def forget(self) -> None:
        """What is known has just been changed from here."""
        self._seen_at = None

    def corrected(self, decision: Decision, playbook: str) -> Corrected | None:
        """What experience makes of a decision's confidence."""
        return self._experience.corrected(decision, playbook)

    def rules(self, playbook: str, now: datetime) -> tuple[AutonomyRule, ...]:
        """The earned rules that bind plans of this playbook."""
        return tuple(rule for rule in self._rules if rule.playbook == playbook and rule.binds(now))

    async def holds(self, rule: str, now: datetime) -> bool:
        """Whether an earned rule holds at this very moment."""
        return await self._stored.holds(rule, now)

    def _is_fresh(self, now: datetime) -> bool:
        return self._seen_at is not None and self._seen_at <= now < self._seen_at + FRESH
