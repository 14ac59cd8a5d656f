"""The saga: a run takes back what it did, newest first. Each undo is an effect of its own: intent, tries, doubt, end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from governance import events as ev
from governance.canonical import effect_key
from governance.chain import Event
from governance.effects import Failure, FailureClass, StepStatus, UndoCall, UndoItem, undo_id
from governance.reviews import ReviewKind
from graphs.automatic import suspended_by_undo
from graphs.dispatcher import Dispatcher, Drifted
from graphs.engine import Engine
from graphs.escalation import escalate
from graphs.fold import Consent, RunFold
from graphs.intake import withdraw
from graphs.live import LiveRun
from graphs.readiness import End
from graphs.revision import Drift, playbook_of
from graphs.undo import tally, undo_list
from plans.language import step_and_item
from playbooks.model import OnRefusal
from tools.contract import Order


@dataclass(frozen=True)
class Choice:
    """That a run is to be taken back: why, who or which rule says so, and how it ends then."""

    why: str
    by: str
    ends: Literal["cancelled", "undone"]


def choice_of(engine: Engine, state: RunFold, why: str) -> Choice | None:
    """Whether a run that needs recovery takes back what it did by itself; None: people are asked."""
    if state.cancel is not None:
        return Choice(state.cancel.reason, state.cancel.by, "cancelled")
    if state.given_up is not None:
        return Choice(state.given_up.reason or "no reason given", state.given_up.by, "undone")
    for step_id in state.bad_ends:
        diagnosed = state.diagnosed.get(step_id)
        if diagnosed is not None and diagnosed.choice is ev.Recovery.COMPENSATE:
            return Choice(why, diagnosed.decision.decider, "undone")
    ends = [ended for step_id in state.bad_ends if (ended := state.step(step_id).ended) is not None]
    if state.consent is Consent.REFUSED or any(ended.status is StepStatus.REFUSED for ended in ends):
        playbook = playbook_of(engine, state)
        if not isinstance(playbook, Drift) and playbook.on_refusal is OnRefusal.UNDO:
            return Choice(why, f"playbook:{playbook.id}", "undone")
    return None


async def begin(engine: Engine, run: LiveRun, choice: Choice) -> None:
    """Fix the list of what is taken back. Nothing may be in flight or in doubt: then the list would not be whole."""
    body = ev.UndoBegun(why=choice.why, by=choice.by, items=undo_list(run.state, engine.specs), ends=choice.ends)
    withdrawn, rows = withdraw(run.state, "the run takes back what it did")
    over = suspended_by_undo(engine, run.state, by_person=not choice.by.startswith(("rule:", "model:", "playbook:")))
    await run.record(Event("undo:begun", body), *withdrawn, rows=[*rows, *over])


def stuck(state: RunFold) -> str:
    """Why taking back cannot go on, and how far it came."""
    return f"Taking back what was done cannot go on by itself. {tally(state)}"


def report_of(state: RunFold, begun: ev.UndoBegun) -> str:
    """What came of taking back, for the requester."""
    how = "Cancelled" if begun.ends == "cancelled" else "Taken back"
    return f"{how} by {begun.by}: {begun.why.rstrip('.')}. {tally(state)}"


class Undoing(Dispatcher):
    """One slice's work on a run that takes back: one undo after the other, in the order of the list.

    An undo that fails for good stops the rest: what is older may be needed by what could not be taken back.
    """

    async def _turn(self) -> Drifted | None:
        if not self._dry and not self._control.draining:
            await escalate(self._engine, self._run)
        state = self._run.state
        if self._tasks or self._control.draining or state.undoing is None:
            return None
        left = (item for item in state.undoing.items if item.call and not state.step(undo_id(item.step)).satisfied)
        item = next(left, None)
        if item is not None and item.call is not None and not self._waits(undo_id(item.step)):
            await self._take_back(item, item.call)
        return None

    async def _take_back(self, item: UndoItem, call: UndoCall) -> None:
        state, step_id = self._run.state, undo_id(item.step)
        why = _unusable(self._engine, state, call.tool)
        if why:
            failure = Failure(failure=FailureClass.PERMANENT, code="run-drift", message=why)
            await self._end(End(step_id, call.tool, StepStatus.FAILED, call.args, failure=failure))
            return
        known, tool = state.step(step_id), self._engine.tools[call.tool]
        self._start(
            Order(
                run_id=state.run_id,
                step=step_id,
                tool=tool,
                args=call.args,
                key=known.intent.key
                if known.intent
                else effect_key(state.run_id, *step_and_item(item.step), act="undo"),
                intent=known.intent,
                attempts=known.attempts,
                ambiguous=known.unsure,
                deadline=known.sent_at + tool.timeout if known.sent_at else None,
            )
        )

    def _waits(self, step_id: str) -> bool:
        """It ended badly, its time has not come, or a person is asked whether it happened."""
        known = self._run.state.step(step_id)
        later = known.until is not None and known.until > self._engine.clock.now()
        asked = any(c.step == step_id and c.kind is ReviewKind.OUTCOME for c in self._run.state.open_reviews)
        return known.ended is not None or later or asked

    async def _stopped(self, order: Order) -> None:
        """Only a drain stops an undo; the next slice goes on with it."""


def _unusable(engine: Engine, state: RunFold, tool_id: str) -> str:
    """Why an undo's tool is not the one that the plan was checked with; empty when it is."""
    if tool_id not in engine.specs:
        return f"the tool {tool_id} is not installed any more"
    checked = state.standing.checked if state.unsettled and state.standing else state.checked
    pinned = checked.tools.get(tool_id) if checked else None
    if pinned is not None and engine.specs[tool_id].digest != pinned:
        return f"the tool {tool_id} was changed after this plan was checked; give the change a new version"
    return ""
