"""The graph for LangGraph's own tools: ``langgraph.json`` points here, ``langgraph dev`` serves it to Studio.

It can only run dry: both ways to act are the simulator, and there is no database. Nothing that is clicked in Studio
touches a system or a run.
"""

from __future__ import annotations

import runtime.import_guard  # noqa: F401  (it must run before LangGraph is imported)

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from governance.clock import SystemClock
from graphs.dry import DryJournal
from graphs.engine import Engine
from graphs.machine import Graph, build_graph
from runtime.knowledge import load_knowledge
from runtime.settings import Settings
from tools.simulation import Simulation


@asynccontextmanager
async def graph() -> AsyncIterator[Graph]:
    """The compiled graph with all that Steward knows; the server that asks for it brings its own checkpoints.

    Raises:
        InvalidSettings: a setting or a company's file cannot be used; names every problem.

    """
    yield build_graph(await asyncio.to_thread(_dry_engine))  # reading files would hold up the server's loop


def _dry_engine() -> Engine:
    known = load_knowledge(Settings().home)
    clock, nothing = SystemClock(), DryJournal()
    simulation = Simulation(clock)
    return Engine(
        tools={tool.id: tool for tool in known.catalog.tools},
        playbooks=known.playbooks,
        policy=known.policy,
        directory=known.directory,
        planner=known.planner,
        advisor=known.advisor,
        diagnostician=known.diagnostician,
        chooser=known.chooser,
        invoker=simulation,
        simulator=simulation,
        journal=nothing,
        inbox=nothing,
        hints=nothing,
        clock=clock,
        entropy=secrets.token_bytes,
    )
