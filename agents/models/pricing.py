"""What calls cost, in millionths of a dollar: a price in dollars for a million tokens is one in millionths for each."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

_CHARACTERS = 3  # of a token, at least: an estimate that is rather too high


@dataclass(frozen=True)
class Prices:
    """Dollars for a million tokens in and out, by model. One without a price is counted in tokens alone."""

    known: Mapping[str, tuple[float, float]]

    def of(self, model: str) -> tuple[float, float] | None:
        """The price of a model, or None."""
        return self.known.get(model) or self.known.get(model.partition(":")[2])

    def cost(self, model: str, tokens_in: int, tokens_out: int) -> int:
        """Millionths of a dollar, rounded up; 0 where no price is known."""
        price = self.of(model)
        return math.ceil(tokens_in * price[0] + tokens_out * price[1]) if price else 0


def estimated(text: str) -> int:
    """About how many tokens a text has; rather more than less."""
    return math.ceil(len(text) / _CHARACTERS)
