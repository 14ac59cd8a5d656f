"""What the tests of models share: a server that speaks their protocol, and an application that asks it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from governance.clock import SystemClock
from runtime.application import Application
from runtime.knowledge import load_knowledge
from runtime.preview import preview
from runtime.settings import Settings
from runtime.wiring import build
from tests.conftest import DatabaseUrls
from tests.fixtures.company import ADA, HR
from tests.fixtures.modelserver.server import KEY, MODEL, ModelServer

Open = Callable[..., Awaitable[Application]]


class HastyClock(SystemClock):
    """The machine's clock for somebody who never waits; ``slept`` has the pauses, in seconds."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        """Only let others go first."""
        self.slept.append(seconds)
        await asyncio.sleep(0)


@pytest.fixture
def hasty() -> HastyClock:
    """The clock of the test's applications."""
    return HastyClock()


@pytest.fixture
def server() -> Iterator[ModelServer]:
    """A model, without anything to say yet."""
    with ModelServer() as started:
        yield started


@pytest_asyncio.fixture
async def open_steward(
    database_urls: DatabaseUrls, home: Path, server: ModelServer, hasty: HastyClock
) -> AsyncIterator[Open]:
    """Opens applications on the test's database, the sandbox company and the model server."""
    async with AsyncExitStack() as stack:

        async def opened(**changes: Any) -> Application:
            given = {"model": MODEL, "model_base_url": server.url, "model_api_key": KEY, **changes}
            urls = {"database_url": database_urls.app_url, "database_owner_url": database_urls.owner_url}
            settings = Settings.model_validate({"home": home, **urls, **given})
            return await stack.enter_async_context(build(settings, clock=hasty))

        yield opened


async def good_plan(home: Path, request: dict[str, Any] | None = None) -> dict[str, Any]:
    """A plan for an onboarding that passes its check: the rules' own."""
    known = load_knowledge(home)
    person = known.directory.find(HR)
    assert person is not None
    found = await preview(known, "onboarding", request or ADA, person)
    assert found.plan is not None
    return found.plan.document()
