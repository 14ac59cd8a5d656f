"""The composition root: the only place that names concrete adapters. Every door and every test starts here."""

from __future__ import annotations

import runtime.import_guard  # noqa: F401 - first: it makes checkpoints strict before LangGraph is imported

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from random import Random, SystemRandom

import structlog

from agents.models.ports import Model
from governance.clock import Clock, SystemClock
from governance.errors import NotFound
from graphs.engine import Engine
from graphs.guard import GuardedSaver
from graphs.live import Entropy
from graphs.machine import build_graph
from memory.autonomy import AutonomyRules
from memory.chats import Chats
from memory.checkpoints import Checkpoints, checkpoint_saver
from memory.database import Database, open_database
from memory.embedded import embedded_postgres
from memory.erasure import erase
from memory.health import open_health, traffic
from memory.hints import Hints, open_hints
from memory.ids import new_id
from memory.inbox import Inbox
from memory.journal import Journal, open_journal
from memory.liveness import open_liveness
from memory.migrate import migrate
from memory.modelcalls import ModelCalls
from memory.outside import OutsideEvents
from memory.permits import open_permits
from memory.rates import Rates
from memory.recall import Recall
from memory.reviews import Reviews
from memory.runs import Runs
from memory.scores import Scores
from memory.sessionlocks import open_session_locks
from memory.templates import Templates, open_templates
from memory.timers import Timers
from runtime.application import Application
from runtime.autonomy import AutonomyDesk
from runtime.connections import connections, limited
from runtime.deciders import Models, limits_of, models_of
from runtime.experience import LatestExperience
from runtime.following import Following
from runtime.keyring import addresses, signatures
from runtime.knowledge import Knowledge, load_knowledge
from runtime.ports import Eraser, Store
from runtime.questions import Questions
from runtime.settings import Settings
from runtime.systems import SystemStates
from runtime.worker import WorkerParts
from runtime.workshop import HintBell, LocalWorkshop
from tools.contract import Invoker, System
from tools.credentials import Connection
from tools.http import SystemClients
from tools.invocation import Invocation
from tools.sharing import SharedBreakers
from tools.simulation import Simulation
from tools.traffic import SharedTraffic
from triggers.admission import Admission
from triggers.children import ChildRuns

_log = structlog.get_logger("steward")


@asynccontextmanager
async def build(
    settings: Settings,
    *,
    clock: Clock | None = None,
    entropy: Entropy = os.urandom,
    rng: Random | None = None,
    knowledge: Knowledge | None = None,
    model: Model | None = None,
) -> AsyncIterator[Application]:
    """Put Steward together for as long as the block lasts.

    ``model`` is asked in place of those in the settings.

    Raises:
        InvalidSettings: a setting or a company's file cannot be used; names every problem.
        DatabaseUnavailable: PostgreSQL cannot be reached or started.

    """
    clock = clock or SystemClock()
    known = knowledge or load_knowledge(settings.home)
    asked = (model,) if model is not None else models_of(settings)
    systems = limited(known.catalog.systems.values(), settings.home)
    found = connections(systems, settings.home, settings.sandbox_port)
    async with AsyncExitStack() as stack:
        app_url = await stack.enter_async_context(_database_url(settings))
        database = await stack.enter_async_context(open_database(app_url))
        journal = await stack.enter_async_context(open_journal(database))
        hints = await stack.enter_async_context(open_hints(database))
        templates = await stack.enter_async_context(open_templates(database, hints))
        experience = LatestExperience(Scores(database), AutonomyRules(database))
        means = _Means(database, hints, clock, rng or SystemRandom())
        models = Models(settings, asked, ModelCalls(database, limits_of(settings)), clock)
        known = models.decide(known, means.rng)
        invocation = await stack.enter_async_context(_invocation(settings, systems, found, means))
        engine = Engine(
            tools={tool.id: tool for tool in known.catalog.tools},
            playbooks=known.playbooks,
            policy=known.policy,
            directory=known.directory,
            planner=known.planner,
            advisor=known.advisor,
            diagnostician=known.diagnostician,
            chooser=known.chooser,
            invoker=_with_children(invocation, known, database, journal, clock, entropy),
            simulator=Simulation(clock),
            journal=journal,
            inbox=Inbox(database),
            hints=hints,
            clock=clock,
            entropy=entropy,
            addresses=addresses(settings),
            templates=templates,
            autonomy=experience,
            cases=Recall(database),
        )
        yield _application(
            settings,
            known,
            engine,
            _Kept(
                database,
                journal,
                hints,
                SystemStates(systems, found, lambda: traffic(database)),
                templates,
                experience,
                models,
            ),
        )


@dataclass(frozen=True)
class _Means:
    """What calling takes, beside the systems themselves."""

    database: Database
    hints: Hints
    clock: Clock
    rng: Random


@dataclass(frozen=True)
class _Kept:
    database: Database
    journal: Journal
    hints: Hints
    systems: SystemStates
    templates: Templates
    experience: LatestExperience
    models: Models


def _application(settings: Settings, known: Knowledge, engine: Engine, kept: _Kept) -> Application:
    database = kept.database
    runs = Runs(database)
    store = Store(
        runs=runs,
        reviews=Reviews(database),
        journal=kept.journal,
        inbox=Inbox(database),
        follow=Following(kept.journal, kept.hints),
        stirred=kept.hints.watch_growth,
        chats=Chats(database),
        erase=_eraser(database),
        systems=kept.systems,
        templates=kept.templates,
        models=kept.models.status,
        events=OutsideEvents(database),
    )
    lease = timedelta(seconds=settings.lease_seconds)
    bell = HintBell(kept.hints)
    parts = WorkerParts(
        engine=engine,
        graph=build_graph(engine),
        saver=Checkpoints(database).saver,
        runs=runs,
        timers=Timers(database),
        bell=bell,
        slots=settings.worker_slots,
        lease=lease,
        poll_seconds=settings.poll_seconds,
        tidy=OutsideEvents(database).forget,
    )
    return Application(
        knowledge=known,
        who_decides=kept.models.sentence,
        engine=engine,
        store=store,
        clock=engine.clock,
        admission=Admission(runs, engine.clock, engine.entropy, new_id),
        graph=build_graph(engine, GuardedSaver(lambda: checkpoint_saver(database), _is_run(runs))),
        workshop=LocalWorkshop(parts, bell, lambda: open_liveness(database.url, lease)),
        autonomy=_desk(known, engine, kept),
        questions=Questions(
            known.answerer, engine.tools, engine.invoker, known.directory, known.playbooks.values(), engine.clock
        ),
        signatures=signatures(settings),
    )


def _desk(known: Knowledge, engine: Engine, kept: _Kept) -> AutonomyDesk:
    return AutonomyDesk(
        scores=Scores(kept.database),
        rules=AutonomyRules(kept.database),
        journal=kept.journal,
        experience=kept.experience,
        specs=engine.specs,
        playbooks=known.playbooks,
        policy=known.policy,
        clock=engine.clock,
        rng=lambda: Random(0),  # noqa: S311 - no secret: the same decisions are to give the same interval
    )


@asynccontextmanager
async def _database_url(settings: Settings) -> AsyncIterator[str]:
    """The application's connection, to a database that is migrated."""
    if settings.database_url is not None:
        url = settings.database_url.get_secret_value()
        owner = settings.database_owner_url.get_secret_value() if settings.database_owner_url else url
        await migrate(owner, url)
        yield url
        return
    async with embedded_postgres(settings.state / "postgres") as embedded:
        await migrate(embedded.owner_url)
        yield embedded.app_url


@asynccontextmanager
async def _invocation(
    settings: Settings, systems: Sequence[System], found: Mapping[str, Connection], means: _Means
) -> AsyncIterator[Invocation]:
    clock = means.clock
    async with AsyncExitStack() as stack:
        locks = await stack.enter_async_context(open_session_locks(means.database))
        board = await stack.enter_async_context(open_health(means.database, means.hints, locks))
        permits = await stack.enter_async_context(open_permits(locks))
        clients = await stack.enter_async_context(SystemClients(systems, found, clock))
        shared = SharedTraffic(systems, permits, Rates(means.database), board, clock)
        breakers = SharedBreakers(board, clock)
        yield Invocation(clients, breakers, clock, means.rng, linger=settings.linger_seconds, traffic=shared)


def _with_children(
    systems: Invoker, known: Knowledge, database: Database, journal: Journal, clock: Clock, entropy: Entropy
) -> ChildRuns:
    runs = Runs(database)
    return ChildRuns(
        systems=systems,
        admission=Admission(runs, clock, entropy, new_id),
        playbooks=known.playbooks,
        directory=known.directory,
        journal=journal,
        runs=runs,
        inbox=Inbox(database),
        clock=clock,
    )


def _eraser(database: Database) -> Eraser:
    async def erased(run_id: str, *, by: str, reason: str) -> None:
        count = await erase(database, run_id)
        _log.warning("erased", run=run_id, by=by, reason=reason, entries=count)

    return erased


def _is_run(runs: Runs) -> Callable[[str], Awaitable[bool]]:
    async def is_run(thread: str) -> bool:
        try:
            await runs.get(thread)
        except NotFound:
            return False
        return True

    return is_run
