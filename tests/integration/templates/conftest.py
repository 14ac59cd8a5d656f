"""The application on a test's own database and company, with a planner that is counted."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from agents.ports import Planner
from runtime.application import Application
from runtime.knowledge import load_knowledge
from runtime.settings import Settings
from runtime.wiring import build
from tests.conftest import DatabaseUrls
from tests.integration.templates.scenes import Counted, Opens


@pytest.fixture
def opens(database_urls: DatabaseUrls, home: Path) -> Opens:
    """Applications on one database, one after the other or at once: to templates each is a process of its own."""

    @asynccontextmanager
    async def opened(planner: Planner, **changes: Any) -> AsyncIterator[Application]:
        settings = Settings(
            home=home,
            database_url=SecretStr(database_urls.app_url),
            database_owner_url=SecretStr(database_urls.owner_url),
        )
        known = replace(load_knowledge(home), planner=planner, **changes)
        async with build(settings, knowledge=known) as steward:
            yield steward

    return opened


@pytest.fixture
def planner() -> Counted:
    """A planner that was not asked yet."""
    return Counted()
