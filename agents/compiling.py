"""Plans are compiled once: under which key a plan may be used again, and what of it is kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from agents.generalising import generalised
from agents.ports import Planner, Repeatable
from agents.shapes import RequestShape, shape_of
from agents.vocabulary import Vocabulary, vocabulary_of
from governance.canonical import digest
from governance.decisions import Decision
from governance.templates import Template
from plans.language import Plan
from playbooks.model import Playbook
from tools.contract import ToolSpec


@dataclass(frozen=True)
class PlanKey:
    """What a kept plan is found by. ``digest`` is over playbook, catalog, planner and the request's shape."""

    digest: str
    planner: str
    catalog: str
    shape: RequestShape


@dataclass(frozen=True)
class Compiler:
    """Knows what a planner is given beside the request: a catalog, and playbooks, each read once."""

    planner: Planner
    tools: Mapping[str, ToolSpec]
    _vocabularies: dict[str, Vocabulary] = field(default_factory=dict, repr=False)
    _catalog: list[str] = field(default_factory=list, repr=False)

    @property
    def catalog(self) -> str:
        """The digest of all contracts."""
        if not self._catalog:
            self._catalog.append(digest({tool_id: spec.digest for tool_id, spec in self.tools.items()}))
        return self._catalog[0]

    @property
    def identity(self) -> str:
        """Who plans, or an empty text where the planner does not say who it is."""
        return self.planner.identity if isinstance(self.planner, Repeatable) else ""

    def key(self, playbook: Playbook, request: Mapping[str, Any]) -> PlanKey | None:
        """The key of a completed request; None where no plan is used again.

        That is under a playbook without goals, whose plans come from the words of each request, and with a planner that
        does not say who it is.
        """
        planner = self.identity
        if not planner or not playbook.goals:
            return None
        shape = shape_of(playbook, request)
        parts = {"playbook": playbook.digest, "catalog": self.catalog, "planner": planner, "shape": shape.value}
        return PlanKey(digest(parts), planner, self.catalog, shape)

    def template(
        self,
        key: PlanKey,
        playbook: Playbook,
        plan: Plan,
        decision: Decision,
        *,
        run_id: str,
        took_ms: int,
        at: datetime,
    ) -> Template | str:
        """What is kept of a plan that passed its check; or why nothing is, in a few words."""
        if playbook.digest not in self._vocabularies:
            self._vocabularies[playbook.digest] = vocabulary_of(playbook, self.tools)
        goals = {goal.id: goal for goal in playbook.goals}
        kept = generalised(plan, goals, self._vocabularies[playbook.digest], key.shape.free)
        if isinstance(kept, str):
            return kept
        return Template(
            key=key.digest,
            playbook=playbook.id,
            playbook_digest=playbook.digest,
            catalog_digest=key.catalog,
            planner=key.planner,
            shape=key.shape.value,
            plan=kept.document(),
            plan_digest=kept.digest,
            first_run=run_id,
            decider=decision.decider,
            confidence=decision.confidence,
            took_ms=took_ms,
            kept_at=at,
            use=decision.use,
        )
