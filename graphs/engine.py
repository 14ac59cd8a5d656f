"""What the nodes need, in one frozen value. ``runtime.wiring`` fills it; nodes get it and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from agents.compiling import Compiler
from agents.ports import Advisor, Cases, Chooser, Diagnostician, Planner
from governance.addresses import Addresses
from governance.autonomy import with_earned
from governance.clock import Clock
from governance.people import Directory, Person
from governance.policy import PolicyRule
from graphs.folds import Folds
from graphs.live import Entropy
from graphs.ports import Autonomy, Hints, Inbox, JournalStore, NoAutonomy, Templates
from plans.checked import Premises, Startable
from playbooks.model import Playbook
from playbooks.requests import closed_schema
from tools.contract import Invoker, Tool, ToolSpec


@dataclass(frozen=True)
class Engine:
    """The parts of the machine.

    ``addresses``: where deferred steps are answered; None: nothing can be deferred. ``cases``: what people decided before;
    None: nothing is remembered. ``templates``: plans that are kept; None: every plan is the planner's.
    """

    tools: Mapping[str, Tool]
    playbooks: Mapping[str, Playbook]
    policy: tuple[PolicyRule, ...]
    directory: Directory
    planner: Planner
    advisor: Advisor
    diagnostician: Diagnostician
    chooser: Chooser
    invoker: Invoker
    simulator: Invoker
    journal: JournalStore
    inbox: Inbox
    hints: Hints
    clock: Clock
    entropy: Entropy
    addresses: Addresses | None = None
    templates: Templates | None = None
    autonomy: Autonomy = field(default_factory=NoAutonomy)
    cases: Cases | None = None
    folds: Folds = field(default_factory=Folds)

    def specs_for(self, playbook: Playbook, requester: Person | None) -> Mapping[str, ToolSpec]:
        """The catalog that a planner plans over; where goals are open, what the requester may use."""
        if not playbook.open_goals or requester is None:
            return self.specs
        return {i: spec for i, spec in self.specs.items() if not spec.permission or requester.may(spec.permission)}

    @cached_property
    def specs(self) -> dict[str, ToolSpec]:
        """The catalog as data."""
        return {tool_id: tool.spec for tool_id, tool in self.tools.items()}

    @cached_property
    def schemas(self) -> dict[str, Mapping[str, Any]]:
        """The schema that plans under a playbook are checked against, by its id."""
        return {playbook_id: closed_schema(playbook) for playbook_id, playbook in self.playbooks.items()}

    @cached_property
    def startable(self) -> dict[str, Startable]:
        """What steps may start."""
        return startable(self.playbooks.values())

    @cached_property
    def compiler(self) -> Compiler:
        """What makes plans fit to be used again."""
        return Compiler(self.planner, self.specs)

    def latest_playbook(self, name: str) -> Playbook | None:
        """The newest version of a playbook by its name alone, or None."""
        versions = [playbook for playbook in self.playbooks.values() if playbook.name == name]
        return max(versions, key=lambda playbook: playbook.version, default=None)

    def premises(
        self,
        playbook: Playbook,
        request: Mapping[str, object],
        requester: Person,
        *,
        begun: Mapping[str, str],
        vouched: Mapping[str, Mapping[str, Any]],
    ) -> Premises:
        """What a plan under ``playbook`` is checked against: the policy with the rules that were earned by now.

        ``vouched`` are arguments that people wrote, by step (see ``Premises``).
        """
        earned = self.autonomy.rules(playbook.id, self.clock.now())
        return Premises(
            tools=self.specs,
            request_schema=self.schemas[playbook.id],
            request=request,
            goals=playbook.goals_of(request),
            policy=with_earned((*self.policy, *playbook.policy), earned),
            directory=self.directory,
            requester=requester,
            untrusted=playbook.untrusted,
            begun=begun,
            vouched=vouched,
            startable=self.startable,
        )


def startable(playbooks: Iterable[Playbook]) -> dict[str, Startable]:
    """The playbooks that a step may start, by id, and the newest of each name."""
    found: dict[str, Startable] = {}
    for playbook in sorted(playbooks, key=lambda playbook: playbook.version):
        if playbook.open_goals:  # what nobody named in person is not planned freely
            continue
        found[playbook.id] = found[playbook.name] = Startable(playbook.request, playbook.permission)
    return found
