"""What Steward knows without a database: tools, playbooks, people, policy and the offline agents."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from agents.offline.advisor import OfflineAdvisor
from agents.offline.answerer import OfflineAnswerer
from agents.offline.chooser import OfflineChooser
from agents.offline.diagnostician import OfflineDiagnostician
from agents.offline.listener import OfflineListener
from agents.offline.planner import OfflinePlanner
from agents.offline.triage import OfflineTriage
from agents.offline.wishes import OfflineGoalNamer
from agents.ports import (
    Advisor,
    Answerer,
    Chooser,
    Diagnostician,
    GoalNamer,
    Listener,
    NotUnderstood,
    Planner,
    Triage,
    Understood,
)
from governance.errors import NotFound
from governance.people import Directory, Person
from governance.policy import PolicyRule
from playbooks.company import load_company
from playbooks.model import Playbook
from tools.catalog import Catalog, load_catalog
from tools.contract import ToolSpec


@dataclass(frozen=True)
class Knowledge:
    """Loaded once, frozen, shared by everything."""

    catalog: Catalog
    playbooks: Mapping[str, Playbook]
    policy: tuple[PolicyRule, ...]
    directory: Directory
    planner: Planner
    triage: Triage
    advisor: Advisor
    diagnostician: Diagnostician
    listener: Listener
    chooser: Chooser = field(default_factory=OfflineChooser)
    namer: GoalNamer = field(default_factory=OfflineGoalNamer)
    answerer: Answerer = field(default_factory=OfflineAnswerer)

    def specs_for(self, person: Person) -> dict[str, ToolSpec]:
        """The tools that a person may use."""
        specs = (tool.spec for tool in self.catalog.tools)
        return {spec.id: spec for spec in specs if not spec.permission or person.may(spec.permission)}

    async def understand(
        self, text: str, playbooks: Sequence[Playbook], *, by: Person, today: date, draft: Understood | None = None
    ) -> Understood | NotUnderstood:
        """Words as a request of one of ``playbooks``, those with fixed goals first; with ``draft``, they complete it."""
        fixed = [playbook for playbook in playbooks if not playbook.open_goals]
        free = next((playbook for playbook in playbooks if playbook.open_goals), None)
        drafted = free is not None and draft is not None and draft.playbook == free.id
        found: Understood | NotUnderstood | None = None
        if fixed and not drafted:
            found = await self.triage.understand(
                text, playbooks=fixed, directory=self.directory, today=today, draft=draft
            )
        if free is None or isinstance(found, Understood):
            return found or await self.triage.understand(
                text, playbooks=(), directory=self.directory, today=today, draft=draft
            )
        named = await self.namer.name(
            text, playbook=free, tools=self.specs_for(by), directory=self.directory, today=today, draft=draft
        )
        if isinstance(named, Understood) or found is None:
            return named
        return NotUnderstood(f"{named.question} {found.question}", named.decision)

    def playbook(self, name: str) -> Playbook:
        """A playbook by id, or the newest of that name.

        Raises:
            NotFound: with the nearest name.

        """
        if name in self.playbooks:
            return self.playbooks[name]
        versions = [playbook for playbook in self.playbooks.values() if playbook.name == name]
        if versions:
            return max(versions, key=lambda playbook: playbook.version)
        names = sorted({p.name for p in self.playbooks.values()} | set(self.playbooks))
        near = difflib.get_close_matches(name, names, n=1)
        hint = f"Did you mean {near[0]}?" if near else f"There are {', '.join(sorted(self.playbooks))}."
        raise NotFound(f"There is no playbook {name}.", hint=hint)

    def tool(self, name: str) -> ToolSpec:
        """A tool's contract by id, or the newest version of that name.

        Raises:
            NotFound: with the nearest name.

        """
        specs = {tool.id: tool.spec for tool in self.catalog.tools}
        if name in specs:
            return specs[name]
        versions = [tool for tool in self.catalog.tools if tool.name == name]
        if versions:
            return max(versions, key=lambda tool: tool.version).spec
        near = difflib.get_close_matches(name, [tool.name for tool in self.catalog.tools], n=1)
        raise NotFound(
            f"There is no tool {name}.", hint=f"Did you mean {near[0]}?" if near else "`steward tools` lists them."
        )


def load_knowledge(home: Path | None) -> Knowledge:
    """Load and check everything that is data.

    Raises:
        InvalidSettings: with every problem of every file.

    """
    company = load_company(home)
    return Knowledge(
        catalog=load_catalog(home),
        playbooks={playbook.id: playbook for playbook in company.playbooks},
        policy=company.policy,
        directory=company.directory,
        planner=OfflinePlanner(),
        triage=OfflineTriage(),
        advisor=OfflineAdvisor(),
        diagnostician=OfflineDiagnostician(),
        listener=OfflineListener(),
    )
