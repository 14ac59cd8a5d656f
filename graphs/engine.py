"""What the nodes need, in one frozen value. ``runtime.wiring`` fills it; nodes get it and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from agents.ports import Advisor, Cases, Diagnostician, Planner
from governance.addresses import Addresses
from governance.clock import Clock
from governance.people import Directory, Person
from governance.policy import Policy, PolicyRule
from graphs.live import Entropy
from graphs.ports import Hints, Inbox, JournalStore
from plans.checked import Premises, Startable
from playbooks.model import Playbook
from playbooks.requests import closed_schema
from tools.contract import Invoker, Tool, ToolSpec


@dataclass(frozen=True)
class Engine:
    """The parts of the machine.

    ``addresses``: where deferred steps are answered; None: nothing can be deferred. ``cases``: what people decided before;
    None: nothing is remembered.
    """

    tools: Mapping[str, Tool]
    playbooks: Mapping[str, Playbook]
    policy: tuple[PolicyRule, ...]
    directory: Directory
    planner: Planner
    advisor: Advisor
    diagnostician: Diagnostician
    invoker: Invoker
    simulator: Invoker
    journal: JournalStore
    inbox: Inbox
    hints: Hints
    clock: Clock
    entropy: Entropy
    addresses: Addresses | None = None
    cases: Cases | None = None

    @cached_property
    def specs(self) -> dict[str, ToolSpec]:
        """The catalog as data."""
        return {tool_id: tool.spec for tool_id, tool in self.tools.items()}

    def latest_playbook(self, name: str) -> Playbook | None:
        """The newest version of a playbook by its name alone, or None."""
        versions = [playbook for playbook in self.playbooks.values() if playbook.name == name]
        return max(versions, key=lambda playbook: playbook.version, default=None)

    def premises(
        self, playbook: Playbook, request: Mapping[str, object], requester: Person, begun: Mapping[str, str]
    ) -> Premises:
        """What a plan under ``playbook`` is checked against."""
        return Premises(
            tools=self.specs,
            request_schema=closed_schema(playbook),
            request=request,
            goals=playbook.goals,
            policy=Policy((*self.policy, *playbook.policy)),
            directory=self.directory,
            requester=requester,
            untrusted=playbook.untrusted,
            begun=begun,
            startable=startable(self.playbooks.values()),
        )


def startable(playbooks: Iterable[Playbook]) -> dict[str, Startable]:
    """The playbooks that a step may start, by id, and the newest of each name."""
    found: dict[str, Startable] = {}
    for playbook in sorted(playbooks, key=lambda playbook: playbook.version):
        found[playbook.id] = found[playbook.name] = Startable(playbook.request, playbook.permission)
    return found
