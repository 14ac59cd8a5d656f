"""An invocation under limits that are shared: rates and requests to slow down become timers, permits bound calls."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest_asyncio

from governance.effects import EffectClass
from memory.database import Database
from memory.health import HealthBoard
from memory.permits import open_permits
from memory.rates import Rates
from memory.sessionlocks import open_session_locks
from tests.integration.tools.shopserver import Shop
from tests.unit.tools.stage import SHOP, HurryingClock, Notebook, Pedal, make_tool, order
from tools.contract import Done, Later, Outcome
from tools.http import SystemClients
from tools.invocation import Invocation
from tools.sharing import SharedBreakers
from tools.traffic import SharedTraffic

RATED = replace(SHOP, rate=0.2, burst=1)


class Stage:
    """An invocation that shares what it knows through a database."""

    def __init__(
        self, board: HealthBoard, traffic: SharedTraffic, clients: SystemClients, clock: HurryingClock
    ) -> None:
        self.board = board
        self.ledger = Notebook()
        breakers = SharedBreakers(board, clock)
        self._invocation = Invocation(clients, breakers, clock, random.Random(1), linger=0.5, traffic=traffic)

    async def perform(self) -> Outcome:
        """A keyed call."""
        return await self._invocation.perform(order(make_tool(EffectClass.KEYED)), self.ledger, Pedal())


@pytest_asyncio.fixture
async def stage(database: Database, clients: SystemClients, clock: HurryingClock) -> AsyncIterator[Stage]:
    """One call in five seconds."""
    async with open_session_locks(database) as locks, open_permits(locks) as permits:
        board = HealthBoard(database, locks)
        yield Stage(board, SharedTraffic([RATED], permits, Rates(database), board, clock), clients, clock)


async def test_a_call_beyond_the_rate_comes_back_by_a_timer(stage: Stage, shop: Shop, clock: HurryingClock) -> None:
    """It sends nothing, journals no attempt, and is told a moment when there is room again."""
    shop.keyed = True
    assert isinstance(await stage.perform(), Done)
    sent = len(shop.asked)
    later = await stage.perform()
    assert isinstance(later, Later)
    assert timedelta(seconds=4) < later.at - clock.now() < timedelta(seconds=6)
    assert (len(shop.asked), len(stage.ledger.intents), stage.ledger.attempts) == (sent, 1, [])


async def test_a_429_slows_all(stage: Stage, shop: Shop, clock: HurryingClock) -> None:
    """What one call was told is on the board for every worker; the next call, though its rate allows it, waits."""
    shop.keyed, shop.faults = True, ["busy"]
    assert isinstance(await stage.perform(), Later)
    until = stage.board.view(SHOP.name).not_before
    assert until == clock.now() + timedelta(seconds=3)
    sent = len(shop.asked)
    later = await stage.perform()
    assert isinstance(later, Later)
    assert (len(shop.asked), until <= later.at) == (sent, True)
