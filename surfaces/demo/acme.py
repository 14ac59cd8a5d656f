"""The sandbox company as the demo sees it: through its control app, like anybody else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

SYSTEMS = ("identity", "payroll", "orgchart", "facilities", "security", "training", "benefits", "expenses", "mail")


@dataclass(frozen=True)
class Acme:
    """The control app of a running sandbox."""

    client: httpx.AsyncClient

    async def order_faults(self) -> None:
        """Two things go wrong on purpose: training is too busy once, and facilities acts but never answers once."""
        busy = {"system": "training", "operation": "enrol", "kind": "status", "status": 503, "retry_after": 1}
        silent = {"system": "facilities", "operation": "assign_desk", "kind": "hang_after", "seconds": 30}
        for fault in (busy, silent):
            (await self.client.post("/faults", json=fault | {"times": 1})).raise_for_status()

    async def records(self) -> list[dict[str, Any]]:
        """What the nine systems hold now and did not hold at first."""
        held: list[dict[str, Any]] = (await self._get("/records"))["records"]
        return [record for record in held if not record["seeded"]]

    async def effects(self) -> list[dict[str, Any]]:
        """What was done, counted by the company itself."""
        done: list[dict[str, Any]] = (await self._get("/effects"))["effects"]
        return done

    async def _get(self, path: str) -> dict[str, Any]:
        answer = await self.client.get(path)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found


@asynccontextmanager
async def visit(base_port: int) -> AsyncIterator[Acme]:
    """The company whose control app listens on this port."""
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{base_port}", timeout=10, trust_env=False) as client:
        yield Acme(client)
