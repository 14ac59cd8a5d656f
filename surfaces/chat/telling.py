"""Status and reasons, in words: nothing happens by asking."""

from __future__ import annotations

from collections.abc import Sequence

from governance.people import Person
from governance.reviews import ReviewStatus
from governance.runs import RunRow
from governance.seeing import is_theirs
from runtime.application import Application
from runtime.views import RunView, StepView
from surfaces.chat.targets import steps_meant
from surfaces.chat.wording import names, plain, run_line

_MOST = 10
_LOOKED_AT = 200


class Telling:
    """Tells a person about runs that are theirs."""

    def __init__(self, steward: Application) -> None:
        self._steward = steward

    async def runs_of(self, person: Person, within: Sequence[str] = ()) -> list[RunRow]:
        """The newest first: those of a thread, else those that the person asked for or may manage."""
        rows = await self._steward.runs(limit=_LOOKED_AT)
        here = [row for row in rows if row.id in within]
        return here or [row for row in rows if is_theirs(row.requester, person)]

    async def waits_for_others(self, person: Person) -> str:
        """What the person's own runs wait for."""
        lines = []
        for row in await self._steward.runs(limit=_LOOKED_AT):
            if row.requester == person.id and row.status.value in {"waiting", "parked"}:
                asked = await self._steward.reviews(run=row.id)
                people = dict.fromkeys(each for review in asked for each in review.card.approvers)
                waits = names(self._steward.directory, list(people), "and")
                lines.append(f"- {run_line(row)}" if not waits else f"- **{plain(row.title)}** waits for {waits}.")
        return "\n".join(lines[:_MOST])

    @staticmethod
    def lines(rows: Sequence[RunRow]) -> str:
        """Where runs stand."""
        more = f"\n- and {len(rows) - _MOST} more" if len(rows) > _MOST else ""
        return "\n".join(f"- {run_line(row)}" for row in rows[:_MOST]) + more

    def why(self, view: RunView, target: str) -> str:
        """Why a run stands where it does, or why its plan has a step."""
        if target:
            meant = steps_meant(target, view.steps)
            if not meant:
                known = ", ".join(step.id for step in view.steps)
                return f"No step of “{plain(view.row.title)}” is called that. Its steps: {plain(known)}."
            return "\n\n".join(self._step(step) for step in meant[:3])
        if view.parked_because and view.row.status.value == "parked":
            return f"{run_line(view.row)}\n\n{plain(view.parked_because)}"
        asked = [row.card for row in view.reviews if row.status is ReviewStatus.OPEN]
        if asked:
            lines = [
                f"- {plain(card.step or card.question)}: {plain(card.triggered_by)}. "
                f"It waits for {names(self._steward.directory, card.approvers)}."
                for card in asked
            ]
            return f"{run_line(view.row)}\n\n" + "\n".join(lines)
        return f"{run_line(view.row)} Ask *why payroll?* for the reason of a step."

    def _step(self, step: StepView) -> str:
        text = f"**{plain(step.id)}** ({plain(step.tool)}): {plain(step.reason)}. The planner is {step.confidence:.0%} sure."
        if step.ruling:
            what = {"go": "It goes by itself", "gate": "A person decides", "forbid": "It is forbidden"}
            text += f" {what[step.ruling.kind.value]}, by the rule *{step.ruling.rule}*: {plain(step.ruling.because)}."
            if step.ruling.approvers and step.state == "waiting":
                text += f" It waits for {names(self._steward.directory, step.waits_for or step.ruling.approvers)}."
        return text + f" Now it is {step.state}" + (f": {plain(step.problem)}" if step.problem else "") + "."
