"""The work that both sides do: an onboarding of nine keyed tools in a DAG with one approval, and a DAG of uneven steps.

The tools return at once (or sleep, in the uneven DAG) and need no network, so that what is measured is the engine.
Steward gets the plans through its Planner port (bare LangGraph has them in its code) and checks and rules on them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from types import MappingProxyType
from typing import Any

from agents.offline.advisor import OfflineAdvisor
from agents.offline.diagnostician import OfflineDiagnostician
from agents.offline.listener import OfflineListener
from agents.offline.triage import OfflineTriage
from agents.ports import PlanningTask, Proposal
from governance.decisions import Decision, DecisionKind
from governance.effects import EffectClass, UndoCall
from governance.goals import Goal
from governance.people import Person
from governance.policy import PolicyRule, RulingKind
from playbooks.model import Playbook
from playbooks.people import PeopleDirectory
from runtime.knowledge import Knowledge
from tools.catalog import Catalog
from tools.contract import ApiKey, Call, System, Tool, ToolModel

SEED = 20270104
HR = Person(id="katherine.johnson@acme.example", name="Katherine Johnson", permissions=frozenset({"*"}))
FINANCE = Person(id="mary.jackson@acme.example", name="Mary Jackson", roles=frozenset({"finance"}))
ONBOARDING, UNEVEN = "onboarding", "uneven"


@dataclass(frozen=True)
class Step:
    """One step of either DAG. ``of``: the step whose id it takes; ``ms``: how long its tool sleeps."""

    id: str
    of: str = ""
    after: tuple[str, ...] = ()
    gated: bool = False
    ms: int = 0

    @property
    def needs(self) -> frozenset[str]:
        """All steps that must be done before."""
        return frozenset((*self.after, *((self.of,) if self.of else ())))


STEPS = (
    Step("account"),
    Step("position", of="account"),
    Step("laptop", of="account"),
    Step("training", of="account"),
    Step("expenses", of="account"),
    Step("desk", of="position"),
    Step("payroll", of="account", gated=True),
    Step("benefits", of="payroll"),
    Step("mail", of="account", after=("laptop", "training", "expenses", "desk", "benefits")),
)


def uneven_steps(number: int) -> tuple[Step, ...]:
    """Three lanes of four steps, each step of 50 to 400 ms: what one department does waits for no other.

    Every ``number`` has its own, drawn from the seed.
    """
    rng = Random(SEED + number)
    lanes, length = 3, 4
    steps: list[Step] = []
    for count in range(lanes * length):
        lane, place = count % lanes, count // lanes
        after = (steps[-lanes].id,) if place else ()
        steps.append(Step(f"lane_{lane + 1}_{place + 1}", after=after, ms=rng.randrange(50, 401, 10)))
    return tuple(steps)


def critical_path_s(steps: Sequence[Step]) -> float:
    """Seconds of the longest chain: no engine can be faster."""
    ends: dict[str, int] = {}
    for step in steps:
        ends[step.id] = step.ms + max((ends[before] for before in step.needs), default=0)
    return max(ends.values()) / 1000


def request(number: int) -> dict[str, Any]:
    """The ask of a run."""
    return {
        "name": f"Ada Lovelace {number}",
        "email": f"ada.lovelace.{number}@acme.example",
        "department": "R&D",
        "start_date": "2027-02-01",
        "lot": str(number),
    }


def arguments(step: Step, asked: dict[str, Any], results: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """What bare LangGraph calls a step's tool with: the same that Steward resolves from the plan."""
    of = {"of": results[step.of]["id"]} if step.of else {}
    return {"name": asked["name"], "email": asked["email"], "ms": step.ms, **of}


async def perform(kind: str, key: str, ms: int) -> dict[str, str]:
    """The effect itself, the same on both sides."""
    if ms:
        await asyncio.sleep(ms / 1000)  # sleep: the tool's own duration
    return {"id": f"{kind}-{key[:12]}"}


class Given(ToolModel):
    name: str
    email: str
    ms: int = 0
    of: str | None = None


class Made(ToolModel):
    id: str


class Undone(ToolModel):
    id: str


class FixedPlanner:
    """Writes the plan of the playbook: always the same, as bare LangGraph's graph is."""

    async def plan(self, task: PlanningTask) -> Proposal:
        """The plan document."""
        name = task.playbook.partition("@")[0]
        steps = STEPS if name == ONBOARDING else uneven_steps(int(task.request["lot"]))
        goals = {goal.id: goal.id if name == ONBOARDING else steps[-1].id for goal in task.goals}
        document = {
            "schema": 1,
            "playbook": task.playbook,
            "goal_steps": goals,
            "steps": [_document(step) for step in steps],
        }
        decision = Decision(
            kind=DecisionKind.PLAN,
            subject=task.playbook,
            choice="the fixed plan",
            reasoning="the bench has one plan",
            confidence=1,
            decider="rule:bench",
        )
        return Proposal(document, decision)


def _document(step: Step) -> dict[str, Any]:
    args: dict[str, Any] = {"name": {"$ref": "request.name"}, "email": {"$ref": "request.email"}, "ms": step.ms}
    if step.of:
        args["of"] = {"$ref": f"{step.of}.id"}
    return {
        "id": step.id,
        "tool": f"work.{_kind(step)}@1",
        "args": args,
        "after": list(step.after),
        "reason": "the work needs it",
        "confidence": 0.95,
    }


def _kind(step: Step) -> str:
    return "task" if step.ms else step.id


def knowledge() -> Knowledge:
    """Catalog, playbooks, policy and people of the bench, in code."""
    kinds = (*(step.id for step in STEPS), "task")
    system = System(
        name="work", title="Work", auth=ApiKey(), url="http://127.0.0.1:9", secret="practice:x", concurrency=4096
    )
    playbooks = (_playbook(ONBOARDING, [step.id for step in STEPS]), _playbook(UNEVEN, ["task"]))
    return Knowledge(
        catalog=Catalog((*(_tool(kind) for kind in kinds), _undo()), MappingProxyType({"work": system})),
        playbooks={playbook.id: playbook for playbook in playbooks},
        policy=(),
        directory=PeopleDirectory((HR, FINANCE)),
        planner=FixedPlanner(),
        triage=OfflineTriage(),
        advisor=OfflineAdvisor(),
        diagnostician=OfflineDiagnostician(),
        listener=OfflineListener(),
    )


def _playbook(name: str, goals: Sequence[str]) -> Playbook:
    words = {key: {"type": "string"} for key in request(0)}
    return Playbook(
        name=name,
        version=1,
        title="Onboard {request.name}",
        summary="the bench's work",
        request={"type": "object", "properties": words, "required": list(words)},
        goals=tuple(Goal(id=goal, provides=f"work.{goal}", reason="wanted") for goal in goals),
        policy=(
            PolicyRule(name="small", then=RulingKind.GO, because="it can be undone"),
            PolicyRule(
                name="letters",
                then=RulingKind.GO,
                when={"$eq": [{"$ref": "tool"}, "work.mail@1"]},
                because="a welcome hurts nobody",
            ),
            PolicyRule(
                name="money",
                then=RulingKind.GATE,
                when={"$eq": [{"$ref": "tool"}, "work.payroll@1"]},
                because="it is money",
                approvers=("finance",),
            ),
        ),
        chain=("finance",),
    )


def _tool(kind: str) -> Tool:
    async def run(call: Call, given: Given) -> Made:
        return Made.model_validate(await perform(kind, call.key, given.ms))

    final = kind == "mail"
    return Tool(
        name=f"work.{kind}",
        system="work",
        summary=f"make a {kind}",
        input=Given,
        output=Made,
        effect=EffectClass.KEYED,
        key_lifetime=timedelta(days=1),
        run=run,
        simulate=lambda _given, key: Made(id=f"{kind}-{key[:12]}"),
        undo=None if final else UndoCall(tool="work.undo@1", args={"id": {"$ref": "output.id"}}),
        irreversible="a sent message cannot be taken back" if final else "",
        provides=f"work.{kind}",
        permission="work:write",
    )


def _undo() -> Tool:
    async def run(_call: Call, given: Undone) -> Undone:
        return given

    return Tool(
        name="work.undo",
        system="work",
        summary="take something back",
        input=Undone,
        output=Undone,
        effect=EffectClass.KEYED,
        key_lifetime=timedelta(days=1),
        run=run,
        simulate=lambda given, _key: given,
        irreversible="it is an undo",
        permission="work:write",
    )
