"""Who works beside the chat: a worker of its own process, or a crew."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager, nullcontext
from types import SimpleNamespace
from typing import Any

import pytest

from surfaces.chat import serve


@pytest.mark.parametrize(("processes", "worked", "led"), [(1, 1, []), (3, 0, [3]), (0, 0, [0])])
async def test_one_works_in_the_chats_own_process_and_more_beside_it(
    processes: int, worked: int, led: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As `STEWARD_WORKER_PROCESSES` says."""
    own: list[None] = []
    crews: list[int] = []

    def working() -> AbstractAsyncContextManager[None]:
        own.append(None)
        return nullcontext()

    def crew(count: int, _say: Any) -> AbstractAsyncContextManager[None]:
        crews.append(count)
        return nullcontext()

    monkeypatch.setattr(serve, "crew", crew)
    steward: Any = SimpleNamespace(working=working)
    async with serve._working(steward, processes):
        assert (len(own), crews) == (worked, led)
