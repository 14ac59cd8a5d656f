"""One chat and one browser for all tests here; each person gets a window of their own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright

from tests.browser.running import CHROMIUM, Served, Somebody, free_block, somebody

Window = Callable[..., Awaitable[Somebody]]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def served(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    """The chat."""
    served = Served(tmp_path_factory.mktemp("chat"), free_block(14))
    try:
        await served.start()
        yield served
    finally:
        await served.stop()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Chromium, the machine's own."""
    assert CHROMIUM, "Chromium is needed: apt-get install chromium"
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        yield launched
        await launched.close()


@pytest_asyncio.fixture(loop_scope="session")
async def window(browser: Browser, served: Served) -> AsyncIterator[Window]:
    """Opens windows. After the test: no page has asked for another host, and nobody has seen a stack trace."""
    opened: list[Somebody] = []

    async def open_window(who: str = "", *, width: int = 1360, height: int = 860) -> Somebody:
        person = await somebody(browser, served, width=width, height=height)
        opened.append(person)
        if who:
            await person.arrive(who)
        return person

    yield open_window
    for person in opened:
        assert person.strangers == []
        assert "Traceback" not in await person.page.content()
        await person.context.close()
    assert "Traceback" not in served.log()
