"""Who decides in this installation: models, where one is set, and else the offline rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

from agents.models.advisor import ModelAdvisor
from agents.models.chooser import ModelChooser
from agents.models.desk import Desk
from agents.models.diagnostician import ModelDiagnostician
from agents.models.planner import ModelPlanner
from agents.models.ports import Ledger, Model
from agents.models.pricing import Prices
from agents.models.triage import ModelTriage
from governance.clock import Clock
from governance.models import MICRO, ModelDay, ModelLimits, ModelsStatus, ModelStatus
from runtime.knowledge import Knowledge
from runtime.settings import Settings


def limits_of(settings: Settings) -> ModelLimits:
    """The limits of model calls."""
    return ModelLimits(
        settings.model_calls_per_minute,
        round(settings.model_run_dollars * MICRO),
        round(settings.model_day_dollars * MICRO),
    )


def models_of(settings: Settings) -> tuple[Model, ...]:
    """The models that are set and have their key, the fallback last; none: rules decide.

    Raises:
        InvalidSettings: a model's package is not installed.

    """
    if not settings.has_model:
        return ()
    from agents.models.endpoint import Address, open_endpoint  # noqa: PLC0415 - two seconds of imports, for models only

    address = Address(
        settings.model_base_url, settings.model_api_key, settings.model_timeout_seconds, settings.model_max_tokens
    )
    names = [name for name in (settings.model, settings.model_fallback) if name]
    return tuple(open_endpoint(name, address) for name in names)


@dataclass(frozen=True)
class Models:
    """The models of an installation, and what they may and did take."""

    settings: Settings
    models: Sequence[Model]
    ledger: Ledger
    clock: Clock

    @property
    def prices(self) -> Prices:
        """What is known of prices."""
        return Prices(self.settings.model_prices)

    def decide(self, known: Knowledge, rng: Random) -> Knowledge:
        """The same knowledge, with models asked for what they are set for, the agents before behind them."""
        if not self.models:
            return known
        desk = Desk(self.models, self.ledger, self.prices, self.clock, rng)
        kinds = set(self.settings.model_for)
        return replace(
            known,
            planner=ModelPlanner(desk, known.planner) if "plan" in kinds else known.planner,
            triage=ModelTriage(desk, known.triage) if "triage" in kinds else known.triage,
            advisor=ModelAdvisor(desk, known.advisor) if "advice" in kinds else known.advisor,
            diagnostician=ModelDiagnostician(desk, known.diagnostician)
            if "diagnosis" in kinds
            else known.diagnostician,
            chooser=ModelChooser(desk) if "choice" in kinds else known.chooser,
        )

    async def status(self) -> ModelsStatus:
        """Who decides, what about, and how this day went. Raises DatabaseUnavailable."""
        days = {day.model: day for day in await self.ledger.day(self.clock.now())}
        roles = ["model", *["fallback"] * (len(self.models) - 1)]
        known = [
            ModelStatus(role, self.prices.of(model.name), days.pop(model.name, ModelDay(model.name)))
            for role, model in zip(roles, self.models, strict=False)
        ]
        earlier = [ModelStatus("before", self.prices.of(name), day) for name, day in days.items()]
        every = (*known, *earlier)
        return ModelsStatus(
            sentence=self.sentence,
            kinds=self.settings.model_for if self.models else (),
            limits=limits_of(self.settings),
            models=every,
            day_microusd=sum(status.day.cost_microusd for status in every),
        )

    @property
    def sentence(self) -> str:
        """Who decides, in one sentence."""
        if self.models and not self.settings.model:
            return f"{self.models[0].name} is asked; what it cannot answer, rules do."
        return self.settings.who_decides
