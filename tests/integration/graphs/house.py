"""An engine over the small world, and lives: claims that end as they should or by a crash at a chosen point."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import httpx

from agents.offline.chooser import OfflineChooser
from agents.ports import NOTHING_KNOWN, Background, Chooser, Diagnosis, PlanningTask, Proposal
from governance import events as ev
from governance.addresses import Addresses
from governance.chain import GENESIS, Entry, Event, seal
from governance.decisions import Decision, DecisionKind
from governance.effects import Failure
from governance.goals import Goal
from governance.people import Person
from governance.policy import PolicyRule, Ruling, RulingKind
from governance.runs import Claim, Rest, SideRow
from graphs.control import Control
from graphs.engine import Engine
from graphs.fold import RunFold
from graphs.machine import Graph, build_graph
from graphs.slice import work_slice
from graphs.transitions import fold
from memory.checkpoints import Checkpoints
from memory.database import Database
from memory.hints import Hints, open_hints
from memory.ids import new_id
from memory.inbox import Inbox
from memory.journal import Journal, open_journal
from memory.reviews import Reviews
from memory.runs import Runs
from memory.timers import Timers
from playbooks.model import OnRefusal, Playbook
from playbooks.people import PeopleDirectory
from tests.integration.graphs.world import World, world_tools
from tools.breakers import SystemBreakers
from tools.contract import Invoker, ToolSpec
from tools.credentials import Connection
from tools.http import SystemClients
from tools.inside import TOOLS as INSIDE_TOOLS
from tools.invocation import Invocation
from tools.simulation import Simulation
from triggers.admission import Admission
from triggers.children import ChildRuns

ASKER = Person(id="katherine.johnson@acme.example", name="Katherine Johnson", permissions=frozenset({"world:*"}))
MARY = Person(id="mary.jackson@acme.example", name="Mary Jackson", roles=frozenset({"finance"}))
ANNIE = Person(id="annie.easley@acme.example", name="Annie Easley", roles=frozenset({"security"}))
PEOPLE = (ASKER, MARY, ANNIE)
LEASE = timedelta(seconds=15)
_NO_CHOICE = OfflineChooser()
MAY_BE_MISSED = 4
"""Crash points that a play may not come by: notes that arrive together share an append, now these and now those."""


class Crash(Exception):
    """The process is gone: whatever handles this can neither write nor send any more, so it comes to nothing."""


class JumpingClock:
    """A clock on which sleeping takes no time and time passes all the same."""

    def __init__(self) -> None:
        self.moment = datetime(2027, 1, 4, 9, 0, tzinfo=UTC)

    def now(self) -> datetime:
        """The present moment."""
        return self.moment

    async def sleep(self, seconds: float) -> None:
        """Move on by ``seconds``."""
        self.moment += timedelta(seconds=seconds)


@dataclass
class Doom:
    """Where a life ends: before or after so many journal appends, or before or after so many sends. Counts go over all lives."""

    at: str = ""
    counts: dict[str, int] = field(default_factory=dict)
    dead: bool = False
    hit: bool = False

    def pass_by(self, point: str) -> None:
        """Die here, if this is the place or the process is dead already."""
        if self.dead:
            raise Crash
        self.counts[point] = self.counts.get(point, 0) + 1
        if self.at == f"{point}:{self.counts[point]}":
            self.dead = self.hit = True
            raise Crash


@dataclass
class DoomedJournal:
    """The real journal, with a crash before or after the chosen append."""

    journal: Journal
    doom: Doom

    async def append(self, claim: Claim, entries: Sequence[Entry], rows: Sequence[SideRow] = ()) -> None:
        """Append, and perhaps die: before it, so that notes are lost, or after it: durable, and nobody was told."""
        self.doom.pass_by("before-append")
        await self.journal.append(claim, entries, rows)
        self.doom.pass_by("append")

    async def read(self, run_id: str, after: int = 0) -> list[Entry]:
        """As the real one."""
        return await self.journal.read(run_id, after)


class DoomedTransport(httpx.AsyncHTTPTransport):
    """The real transport, with a crash before or after the chosen send."""

    doom: Doom

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send, and perhaps die on either side of it."""
        self.doom.pass_by("before-send")
        response = await super().handle_async_request(request)
        self.doom.pass_by("after-send")
        return response


class FixedPlanner:
    """Writes the plan that the test wants."""

    def __init__(
        self,
        steps: Sequence[Mapping[str, Any]],
        goal_steps: Mapping[str, str],
        chore: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        self._plan = {"schema": 1, "playbook": "welcome@1", "goal_steps": dict(goal_steps), "steps": list(steps)}
        self._chore = {"schema": 1, "playbook": "chore@1", "goal_steps": {}, "steps": list(chore)}

    async def plan(self, task: PlanningTask) -> Proposal:
        """Always the same, one for each playbook."""
        written = self._chore if task.playbook == "chore@1" else self._plan
        return Proposal(written, _decision(DecisionKind.PLAN, "the test's plan"))


class PlainAdvisor:
    """Recommends a close look."""

    async def advise(
        self,
        *,
        step: str,
        tool: ToolSpec,
        args: Mapping[str, Any],
        ruling: Ruling,
        request: Mapping[str, Any],
        requester: Person,
        background: Background = NOTHING_KNOWN,
        run: str = "",
    ) -> Decision:
        """Look."""
        return _decision(DecisionKind.ADVICE, "look")


@dataclass(frozen=True)
class PlainDiagnostician:
    """Says the same of everything."""

    recovery: ev.Recovery

    async def diagnose(
        self,
        *,
        step: str,
        tool: ToolSpec | None,
        failure: Failure | None,
        refused: bool,
        attempts: int,
        alternatives: Sequence[str] = (),
        run: str = "",
    ) -> Diagnosis:
        """What the test wants."""
        return Diagnosis(self.recovery, "because", _decision(DecisionKind.DIAGNOSIS, self.recovery.value))


def _decision(kind: DecisionKind, choice: str) -> Decision:
    return Decision(kind=kind, subject="test", choice=choice, reasoning="because", confidence=1, decider="rule:test")


def step(step_id: str, tool: str, *, after: Sequence[str] = (), **args: Any) -> dict[str, Any]:
    """A step of a plan document."""
    return {
        "id": step_id,
        "tool": f"world.{tool}@1",
        "args": {"name": {"$ref": "request.name"}, **args},
        "reason": "the test wants it",
        "confidence": 0.9,
        "after": list(after),
    }


GATES = (
    PolicyRule(name="small", then=RulingKind.GO, because="it can be undone"),
    PolicyRule(
        name="letters",
        then=RulingKind.GO,
        when={"$in": [{"$ref": "tool"}, ["world.mail@1", "world.survey@1"]]},
        because="a welcome hurts nobody",
    ),
    PolicyRule(
        name="money",
        then=RulingKind.GATE,
        when={"$eq": [{"$ref": "tool"}, "world.pay@1"]},
        because="it is money",
        approvers=("finance",),
    ),
    PolicyRule(
        name="doors",
        then=RulingKind.GATE,
        when={"$eq": [{"$ref": "tool"}, "world.badge@1"]},
        because="it opens doors",
        approvers=("security",),
    ),
)


def playbook(goals: Sequence[str], name: str = "welcome", on_refusal: OnRefusal = OnRefusal.ASK) -> Playbook:
    """A playbook whose goals are things of the world."""
    return Playbook(
        name=name,
        version=1,
        title="Welcome {request.name}",
        summary="welcome somebody",
        request={"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]},
        goals=tuple(Goal(id=goal, provides=f"world.{goal}", reason="wanted") for goal in goals),
        policy=GATES,
        chain=("finance",),
        on_refusal=on_refusal,
    )


@dataclass
class House:
    """Everything for one scenario: world, engine, stores. ``doom`` decides when a life ends."""

    world: World
    engine: Engine
    database: Database
    graph: Graph
    runs: Runs
    reviews: Reviews
    inbox: Inbox
    timers: Timers
    journal: Journal
    hints: Hints
    clock: JumpingClock
    doom: Doom
    checkpoints: Checkpoints
    lives: int = 0

    async def admit(self, name: str = "Ada Lovelace") -> str:
        """A new run."""
        book = next(iter(self.engine.playbooks.values()))
        body = ev.RunAdmitted(
            playbook=book.id,
            playbook_digest=book.digest,
            request={"name": name},
            requester=ASKER.id,
            source="test",
            title=f"Welcome {name}",
        )
        entry = seal(
            new_id(),
            Event("admitted", body),
            seq=1,
            at=self.clock.now(),
            prev_hash=GENESIS,
            salt=secrets.token_bytes(16),
        )
        return (await self.runs.admit(entry)).id

    async def live(self, run_id: str, *, control: Control | None = None) -> Rest | None:
        """One claim and its slice; None when nothing was due or when the life ended in a crash."""
        self.lives += 1
        self.doom.dead = False
        await self.timers.fire_due(self.clock.now())
        await self.runs.reap()  # no advisory lock is held, so an earlier life's run is free at once
        claims = await self.runs.claim(100_000 + self.lives, 1, LEASE)
        if not claims or claims[0].run_id != run_id:
            return None
        try:
            saver = self.checkpoints.saver()
            rest = await work_slice(self.engine, self.graph, saver, claims[0], control or Control())
            await self.runs.finish(claims[0], rest, saver)
        except Crash:
            return None
        return rest

    async def state(self, run_id: str) -> RunFold:
        """The fold of the run's journal."""
        return fold(run_id, await self.journal.read(run_id))


@asynccontextmanager
async def a_house(
    database: Database,
    world: World,
    steps: Sequence[Mapping[str, Any]],
    *,
    goals: Sequence[str] = ("account",),
    invoker: Callable[[Invoker], Invoker] = lambda real: real,
    linger: float = 30,
    on_refusal: OnRefusal = OnRefusal.ASK,
    recovery: ev.Recovery = ev.Recovery.ASK,
    chooser: Chooser = _NO_CHOICE,
    chore: Sequence[Mapping[str, Any]] = (),
) -> AsyncIterator[House]:
    """A house for one plan."""
    system, tools = world_tools(world)
    clock, doom = JumpingClock(), Doom()
    book, other = playbook(goals, on_refusal=on_refusal), playbook((), "chore")
    books, directory = {book.id: book, other.id: other}, PeopleDirectory(PEOPLE)
    async with open_journal(database) as journal, open_hints(database) as hints:
        clients = SystemClients([system], {system.name: Connection(system.url, secret="x")}, clock)
        async with clients:
            transport = DoomedTransport(limits=httpx.Limits(keepalive_expiry=2))
            transport.doom = doom
            clients._line(system.name).client._transport = transport
            real = Invocation(clients, SystemBreakers(clock, threshold=50), clock, Random(7), linger=linger)
            children = ChildRuns(
                systems=real,
                admission=Admission(Runs(database), clock, secrets.token_bytes, new_id),
                playbooks=books,
                directory=directory,
                journal=journal,
                runs=Runs(database),
                inbox=Inbox(database),
                clock=clock,
            )
            engine = Engine(
                tools={tool.id: tool for tool in (*tools, *INSIDE_TOOLS)},
                playbooks=books,
                policy=(),
                directory=directory,
                planner=FixedPlanner(steps, {goal: goal for goal in goals}, chore),
                advisor=PlainAdvisor(),
                diagnostician=PlainDiagnostician(recovery),
                chooser=chooser,
                invoker=invoker(children),
                simulator=Simulation(clock),
                journal=DoomedJournal(journal, doom),
                inbox=Inbox(database),
                hints=hints,
                clock=clock,
                entropy=secrets.token_bytes,
                addresses=Addresses(b"the test's secret"),
            )
            yield House(
                world=world,
                engine=engine,
                database=database,
                graph=build_graph(engine),
                runs=Runs(database),
                reviews=Reviews(database),
                inbox=Inbox(database),
                timers=Timers(database),
                journal=journal,
                hints=hints,
                clock=clock,
                doom=doom,
                checkpoints=Checkpoints(database),
            )
