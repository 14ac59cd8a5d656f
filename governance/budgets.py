"""What a run may use up: steps, calls, money and time. Whoever answers for a run may raise it; that is journaled."""

from __future__ import annotations

from decimal import Decimal

from pydantic import BaseModel, ConfigDict, Field

STEPS, CALLS = 200, 2000
RUN_SHARE = 10
"""Without ``hours`` a run may take ten times the playbook's ``run_hours``: it may well wait for somebody's first day."""


class Money(BaseModel):
    """The most that the amounts of a run's effects may come to. ``currency`` is for people; nothing is converted."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    amount: float = Field(ge=0)
    currency: str = ""

    @property
    def exact(self) -> Decimal:
        """The amount as it was written."""
        return Decimal(str(self.amount))

    def __str__(self) -> str:
        return f"{self.exact.normalize():f} {self.currency}".strip()


class Budget(BaseModel):
    """The limits of a run. ``money`` None: no limit; ``hours`` None: ten times the playbook's ``run_hours``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    steps: int = Field(default=STEPS, ge=1, le=1000)
    calls: int = Field(default=CALLS, ge=1)
    money: Money | None = None
    hours: float | None = Field(default=None, gt=0)


class Raise(BaseModel):
    """What a person gives a run beyond its budget, when they resume it. Each is added to the limit there is."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    steps: int = Field(default=0, ge=0, le=800)
    calls: int = Field(default=0, ge=0)
    money: float = Field(default=0, ge=0)
    hours: float = Field(default=0, ge=0)

    def __bool__(self) -> bool:
        return bool(self.steps or self.calls or self.money or self.hours)

    def __str__(self) -> str:
        parts = {"steps": self.steps, "calls": self.calls, "money": self.money, "hours": self.hours}
        return ", ".join(f"{value:g} more {name}" for name, value in parts.items() if value)


def raised(budget: Budget, more: Raise) -> Budget:
    """The budget with a raise added; a limit that is not there stays away."""
    money = budget.money
    return Budget.model_construct(
        steps=budget.steps + more.steps,
        calls=budget.calls + more.calls,
        money=money.model_copy(update={"amount": float(money.exact + Decimal(str(more.money)))}) if money else None,
        hours=budget.hours + more.hours if budget.hours is not None else None,
    )
