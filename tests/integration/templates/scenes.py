"""What the tests of templates share: planners that are counted, requests, and runs up to their plan."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

from agents.offline.planner import OfflinePlanner
from agents.ports import Planner, PlanningTask, Proposal
from governance.events import PlanWritten
from runtime.application import Application
from tests.fixtures.company import ADA, HR, person, until

PAID: dict[str, Any] = {**ADA, "annual_salary": 71_000}
"""With a salary, so that nobody looks it up by the job title."""
JOAN: dict[str, Any] = {**PAID, "first_name": "Joan", "last_name": "Clarke", "annual_salary": 83_000}


class Opens(Protocol):
    """Starts an application; what is given replaces part of what it knows."""

    def __call__(self, planner: Planner, **changes: Any) -> AbstractAsyncContextManager[Application]: ...


@dataclass
class Counted:
    """The offline planner under a name of its own, and what it was asked."""

    identity: str = OfflinePlanner.identity
    asked: list[PlanningTask] = field(default_factory=list)

    async def plan(self, task: PlanningTask) -> Proposal:
        """What the offline planner plans."""
        self.asked.append(task)
        return await OfflinePlanner().plan(task)


async def planned(steward: Application, request: Mapping[str, Any], playbook: str = "onboarding") -> PlanWritten:
    """The first plan of a new run, after its check."""
    run = await steward.start(playbook, dict(request), by=person(steward, HR))
    await until(steward, run.id, "plan.checked")
    written = [body for e in (await steward.show(run.id)).timeline if isinstance(body := e.parsed(), PlanWritten)]
    return written[0]


def acts(written: PlanWritten) -> list[dict[str, Any]]:
    """The steps of a plan, without their reasons."""
    return [{name: part for name, part in step.items() if name != "reason"} for step in written.plan["steps"]]
