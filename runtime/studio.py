"""The graph for LangGraph's own tools: ``langgraph.json`` points here, ``langgraph dev`` serves it to Studio.

Without a claim the graph runs dry (simulated effects, labelled so): nothing that is clicked in Studio touches a system.
"""

from __future__ import annotations

import runtime.import_guard  # noqa: F401  (it must run before LangGraph is imported)

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from graphs.machine import Graph
from runtime.settings import Settings
from runtime.wiring import build


@asynccontextmanager
async def graph() -> AsyncIterator[Graph]:
    """The compiled graph, for as long as the server runs.

    Raises:
        InvalidSettings: a setting or a company's file cannot be used.
        DatabaseUnavailable: PostgreSQL cannot be reached or started.

    """
    async with build(Settings()) as steward:
        yield steward.graph
