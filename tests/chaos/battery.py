"""All experiments, in the order in which they are made."""

from __future__ import annotations

import time
import traceback
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType

from tests.chaos.doubleclick import doubleclick
from tests.chaos.drain import drain
from tests.chaos.ground import Ground
from tests.chaos.model import model
from tests.chaos.mutants import mutants
from tests.chaos.onboardings import onboardings
from tests.chaos.results import Measure, Result
from tests.chaos.retake import retake
from tests.chaos.simulation import simulation
from tests.chaos.storm import keyless, outage, storm
from tests.chaos.suspended import suspended
from tests.chaos.waiting import waiting
from tests.chaos.weather import weather

Experiment = Callable[[Ground], Awaitable[Result]]

EXPERIMENTS: Mapping[str, Experiment] = MappingProxyType(
    {
        "B6": retake,
        "B14": waiting,
        "B7": doubleclick,
        "B5": drain,
        "B4": suspended,
        "B9": weather,
        "B3": keyless,
        "B10": model,
        "B11": simulation,
        "B1b": onboardings,
        "M": mutants,
        "B2": outage,
        "B1": storm,
    }
)
"""By name; the battery's own test is ``M``."""

TOGETHER = (("B6",), ("B14",), ("B7",), ("B4", "B5", "B9", "B3", "M"), ("B10", "B11"), ("B1b",), ("B2",), ("B1",))
"""In this order. What measures time, or stops the server, is alone; what mostly waits goes on at the same time."""


async def experience(name: str, ground: Ground) -> Result:
    """Make an experiment. One that breaks off has failed, and says how."""
    began = time.monotonic()
    try:
        result = await EXPERIMENTS[name](ground)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the experiment's result
        result = Result(name, EXPERIMENTS[name].__name__.capitalize(), "broke off")
        result.measures.append(Measure("the experiment", "ends", f"{type(error).__name__}: {error}"[:300], ok=False))
        result.facts["broke_off"] = "".join(traceback.format_exception(error)).splitlines()[-40:]
    result.seconds = round(time.monotonic() - began, 1)
    return result
