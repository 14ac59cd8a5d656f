"""The sandbox company beside the chat."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import pytest

from governance.errors import SystemUnavailable
from runtime.settings import Settings
from surfaces.chat.company import company
from tests.browser.running import free_block


async def healthy(port: int) -> bool:
    """Whether the company's control app answers."""
    async with httpx.AsyncClient() as client:
        try:
            return (await client.get(f"http://127.0.0.1:{port}/health")).is_success
        except httpx.TransportError:
            return False


async def test_it_runs_for_as_long_as_the_chat_and_one_that_runs_is_used(tmp_path: Path) -> None:
    """Whoever starts it stops it; nobody stops another's."""
    settings = Settings(state=tmp_path, sandbox_port=free_block(13))
    async with company(settings):
        assert await healthy(settings.sandbox_port)
        async with company(settings):
            pass
        assert await healthy(settings.sandbox_port)
    assert not await healthy(settings.sandbox_port)


async def test_a_port_in_use_is_one_sentence(tmp_path: Path) -> None:
    """The sandbox's own, and where to read more."""
    base = free_block(13)
    server = await asyncio.start_server(lambda _reader, _writer: None, "127.0.0.1", base + 3)
    async with server:
        with pytest.raises(SystemUnavailable, match="not free") as caught:
            async with company(Settings(state=tmp_path, sandbox_port=base)):
                pass
    assert "sandbox.log" in caught.value.hint
