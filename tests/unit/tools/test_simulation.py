"""A simulated call is deterministic, writes its intent, and never touches a network."""

from __future__ import annotations

from typing import Any

import pytest

from governance.effects import EffectClass
from governance.errors import Fenced
from tests.unit.tools.stage import KEY, HurryingClock, Notebook, Pedal, Thing, Wanted, make_tool, order
from tools.contract import Done, Failed, Stopped
from tools.simulation import Simulation


async def test_an_effect_is_simulated_under_an_intent() -> None:
    """An effect is simulated under an intent."""
    ledger = Notebook()
    outcome = await Simulation(HurryingClock()).perform(order(make_tool(EffectClass.UNSAFE)), ledger, Pedal())
    assert outcome == Done({"thing_id": f"simulated-{KEY}", "name": "lamp"})
    assert [intent.key for intent in ledger.intents] == [KEY]


async def test_a_read_has_no_intent() -> None:
    """A read has no intent."""
    ledger = Notebook()
    assert isinstance(
        await Simulation(HurryingClock()).perform(order(make_tool(EffectClass.READ)), ledger, Pedal()), Done
    )
    assert not ledger.intents


def broken(_wanted: Any, _key: str) -> Thing:
    """A simulator with a defect."""
    raise KeyError("nothing here")


@pytest.mark.parametrize("simulate", [broken, lambda _wanted, _key: Wanted(name="not a thing")])
async def test_a_broken_simulator_is_a_failure(simulate: Any) -> None:
    """A broken simulator is a failure."""
    tool = make_tool(EffectClass.READ, simulate=simulate)
    assert isinstance(await Simulation(HurryingClock()).perform(order(tool), Notebook(), Pedal()), Failed)


async def test_bad_arguments_fail_and_a_pulled_brake_stops() -> None:
    """Bad arguments fail and a pulled brake stops."""
    brake, tool = Pedal(), make_tool(EffectClass.KEYED)
    simulation = Simulation(HurryingClock())
    assert isinstance(await simulation.perform(order(tool, args={}), Notebook(), brake), Failed)
    brake.event.set()
    assert await simulation.perform(order(tool), Notebook(), brake) == Stopped()


async def test_what_the_ledger_raises_passes() -> None:
    """What the ledger raises passes."""
    with pytest.raises(Fenced):
        await Simulation(HurryingClock()).perform(
            order(make_tool(EffectClass.KEYED)), Notebook(Fenced("not ours")), Pedal()
        )
