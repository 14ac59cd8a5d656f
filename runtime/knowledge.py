"""What Steward knows without a database: tools, playbooks, people, policy and the offline agents."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from agents.offline.advisor import OfflineAdvisor
from agents.offline.diagnostician import OfflineDiagnostician
from agents.offline.listener import OfflineListener
from agents.offline.planner import OfflinePlanner
from agents.offline.triage import OfflineTriage
from agents.ports import Advisor, Diagnostician, Listener, Planner, Triage
from governance.errors import NotFound
from governance.people import Directory
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
