"""The rate limit: a fixed window per system, kept in memory."""

import math

from sandbox.engine.refusal import Refusal
from sandbox.engine.settings import Limit


class Limiter:
    """Counts the requests of each system in its present window."""

    def __init__(self) -> None:
        self._windows: dict[str, tuple[float, int]] = {}

    def check(self, system: str, limit: Limit, now: float) -> Refusal | None:
        """Count one request; give the 429 refusal when the window is full."""
        start, count = self._windows.get(system, (now, 0))
        if not start <= now < start + limit.per_seconds:
            start, count = now, 0
        self._windows[system] = (start, count + 1)
        if count < limit.requests:
            return None
        wait = max(1, math.ceil(start + limit.per_seconds - now))
        message = f"More than {limit.requests} requests in {limit.per_seconds:g} s; try again in {wait} s."
        return Refusal(429, "rate_limited", message, headers={"Retry-After": str(wait)})

    def forget(self) -> None:
        """Begin all windows anew."""
        self._windows.clear()
