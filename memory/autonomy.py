"""Earned rules as rows. Who may decide on one is not asked here: the application has done that."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from psycopg.rows import DictRow

from governance.autonomy import AutonomyRule, RuleStatus
from governance.errors import NotFound, Refused
from memory.database import Database
from memory.ids import run_uuid
from memory.statements import statements

_STATEMENTS = {RuleStatus.RATIFIED: "ratify", RuleStatus.REJECTED: "reject", RuleStatus.SUSPENDED: "suspend"}


class AutonomyRules:
    """All earned rules. A run suspends one in the transaction of its event (``SuspendRule``)."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = statements("autonomy")

    async def list(self, status: RuleStatus | None = None) -> list[AutonomyRule]:
        """The rules, by id; with ``status`` those that are so."""
        rows = await self._database.fetch(self._sql["rules"], {"status": status.value if status else None})
        return [_rule(row) for row in rows]

    async def find(self, text: str) -> AutonomyRule:
        """The one rule whose id begins with ``text``, with or without its ``autonomy:``. Raises NotFound."""
        wanted = text.strip().lower().removeprefix("autonomy:")
        found = [rule for rule in await self.list() if wanted and rule.id.startswith(wanted)]
        if len(found) != 1:
            many = f"More than one rule begins with {text!r}." if found else f"There is no rule {text!r}."
            raise NotFound(many, hint="`steward autonomy --all` lists them.")
        return found[0]

    async def propose(self, rule: AutonomyRule) -> None:
        """Keep a proposal. The same one again changes nothing."""
        await self._database.fetch(self._sql["propose"], {"id": rule.id, "proposal": rule.model_dump_json()})

    async def become(
        self, rule_id: str, status: RuleStatus, *, by: str, at: datetime, why: str, until: datetime | None = None
    ) -> AutonomyRule:
        """Ratify, reject or suspend a rule. Of many at once, the first counts.

        Raises:
            Refused: somebody, or a run, was first.

        """
        values = {"id": rule_id, "by": by, "at": at, "why": why, "until": until}
        rows = await self._database.fetch(self._sql[_STATEMENTS[status]], values)
        if not rows:
            raise Refused(
                "The rule has just been decided on by somebody else.", hint="`steward autonomy --all` shows it."
            )
        return _rule(rows[0])

    async def expire(self, now: datetime) -> None:
        """Note which rules' time is over. They do not bind any more from that time on, noted or not."""
        await self._database.fetch(self._sql["expire"], {"now": now})

    async def holds(self, rule_id: str, now: datetime) -> bool:
        """Whether the rule is ratified and its time not over, as of this moment."""
        return bool(await self._database.fetch(self._sql["holds"], {"id": rule_id, "now": now}))

    async def theirs(self, runs: Sequence[str]) -> dict[str, int]:
        """For each person, how many of the answers to steps and of the requests of these runs are theirs."""
        rows = await self._database.fetch(self._sql["theirs"], {"runs": [run_uuid(run) for run in runs]})
        return {row["who"]: row["times"] for row in rows}


def _rule(row: DictRow) -> AutonomyRule:
    told = {name: row[name] for name in ("decided_by", "decided_at", "until", "why", "ended_at")}
    return AutonomyRule.model_validate_json(row["proposal"]).model_copy(
        update={"status": RuleStatus(row["status"]), **told}
    )
