"""Choosing at run time, by rule: the rules are the plan's own, and where none of them holds, a person is asked."""

from __future__ import annotations

from governance.decisions import Decision
from tools.choosing import Choosing


class OfflineChooser:
    """Has no choice to offer: whoever is asked here has found that no rule of the plan holds, and it has no others."""

    async def choose(
        self,
        *,
        step: str,  # noqa: ARG002 - the port's
        given: Choosing,  # noqa: ARG002 - the port's
        run: str = "",  # noqa: ARG002 - rules cost nothing
    ) -> Decision | None:
        """None."""
        return None
