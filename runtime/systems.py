"""The systems as people see them: where each is, whether it is left alone and why, how busy it is over all workers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence

from governance.systems import Busy, SystemStatus
from tools.contract import System
from tools.credentials import Connection


class SystemStates:
    """Answers with the state of every system, by name."""

    def __init__(
        self,
        systems: Sequence[System],
        connections: Mapping[str, Connection],
        traffic: Callable[[], Awaitable[Mapping[str, Busy]]],
    ) -> None:
        self._systems = sorted(systems, key=lambda system: system.name)
        self._connections = connections
        self._traffic = traffic

    async def __call__(self) -> tuple[SystemStatus, ...]:
        """The states at this moment. One that was never called is closed and idle. Raises DatabaseUnavailable."""
        traffic = await self._traffic()
        return tuple(self._status(system, traffic.get(system.name) or Busy()) for system in self._systems)

    def _status(self, system: System, busy: Busy) -> SystemStatus:
        opened = busy.opened_at
        return SystemStatus(
            name=system.name,
            title=system.title,
            url=self._connections[system.name].url,
            breaker="closed" if opened is None else "half_open" if busy.probing else "open",
            since=opened,
            why=busy.why,
            not_before=busy.not_before,
            in_flight=busy.in_flight,
            limit=system.concurrency,
            rate=system.rate,
            burst=system.most_at_once if system.rate else 0,
        )
