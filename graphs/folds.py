"""Folds of runs that were at work a moment ago, in memory: what is done soon after reads only what has come since.

A fold is what its entries say and nothing else, so whoever has the same beginning has the same fold; whether it is the same
shows in the hash that the next entry continues.
"""

from __future__ import annotations

from collections import OrderedDict

from graphs.fold import RunFold

MOST = 256
"""So many are kept, some 70 KiB each: what a worker holds does not grow with the number of runs that wait."""


class Folds:
    """The folds that were kept last. For one event loop."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._kept: OrderedDict[str, RunFold] = OrderedDict()

    def take(self, run_id: str) -> RunFold | None:
        """The run's fold, which is not kept any more: whoever comes to a good end with it keeps what it is then."""
        return self._kept.pop(run_id, None)

    def keep(self, state: RunFold) -> None:
        """Keep the fold of a run, all of which is durable."""
        self._kept[state.run_id] = state
        if len(self._kept) > self._most:
            self._kept.popitem(last=False)
