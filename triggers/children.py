"""Child runs: a step of one run starts another under its requester's name, and waits for its end.

The child is admitted under the step's key, so that a repeat finds the same one. Its end comes to the parent's inbox in
the transaction that finishes the child (``memory.runs``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from governance.clock import Clock
from governance.effects import Failure, FailureClass, LookupAnswer
from governance.errors import InvalidInput, NotFound, Refused
from governance.events import RunStatus
from governance.people import Directory
from governance.runs import InboxRow, InputKind, RunRow
from graphs.ports import JournalStore
from graphs.transitions import fold
from playbooks.model import Playbook
from tools.arguments import read_arguments
from tools.contract import Awaiting, Brake, Done, Failed, Invoker, Later, Ledger, Order, Outcome, Stopped, Unknown
from tools.deferral import no_answer
from tools.inside import CHILD_TIME, SYSTEM_NAME, NewRun, RunId
from tools.intents import intent_for
from triggers.admission import Admission, Ask

MOST_DEPTH = 5


class Family(Protocol):
    """The rows of runs, and whose children they are."""

    async def get(self, run_id: str) -> RunRow:
        """The run. Raises NotFound."""
        ...

    async def children(self, run_id: str) -> Sequence[RunRow]:
        """The runs that this one started, oldest first."""
        ...


class Notes(Protocol):
    """Where something is left for a run."""

    async def put(self, run_id: str, kind: InputKind, body: dict[str, Any], *, dedupe: str | None = None) -> InboxRow:
        """Leave it, and wake the run. Raises Refused when it has ended."""
        ...


@dataclass(frozen=True)
class ChildRuns:
    """The Invoker of the tools ``runs.start`` and ``runs.cancel``; every other order goes to ``systems``."""

    systems: Invoker
    admission: Admission
    playbooks: Mapping[str, Playbook]
    directory: Directory
    journal: JournalStore
    runs: Family
    inbox: Notes
    clock: Clock

    async def perform(self, order: Order, ledger: Ledger, brake: Brake) -> Outcome:
        """Bring the order to an outcome (see ``tools.contract.Invoker``)."""
        if order.tool.system != SYSTEM_NAME:
            return await self.systems.perform(order, ledger, brake)
        given = read_arguments(order.tool, order.intent.args if order.intent else order.args)
        if isinstance(given, NewRun):
            if order.settle_only or order.overdue:
                return await self._settle(order, ledger)
            return await self._start(order, given, ledger, brake)
        if isinstance(given, RunId):
            return await self._cancel(order, given, ledger, brake)
        return await self.systems.perform(order, ledger, brake)

    async def _start(self, order: Order, given: NewRun, ledger: Ledger, brake: Brake) -> Outcome:
        late = await self._note(order, given, ledger, brake)
        if late is not None:
            return late
        state = fold(order.run_id, await self.journal.read(order.run_id))
        parent, playbook = state.admitted, self._playbook(given.playbook)
        requester = self.directory.find(parent.requester) if parent else None
        if parent is None or requester is None or playbook is None:
            missing = f"playbook {given.playbook}" if playbook is None else "requester of the run any more"
            return _permanent("child_unknown", f"there is no {missing}")
        if parent.depth + 1 > MOST_DEPTH:
            return _permanent("child_depth", f"runs start runs at most {MOST_DEPTH} deep, and this one would be deeper")
        ask = Ask(
            playbook,
            given.request,
            requester,
            "run",
            dedupe=f"child:{order.key}:{order.mark}",
            parent=order.run_id,
            parent_step=order.step,
            depth=parent.depth + 1,
        )
        try:
            child = await self.admission.admit(ask)
        except (InvalidInput, Refused) as error:
            findings = "; ".join(str(finding) for finding in getattr(error, "findings", ()))
            return _permanent("child_refused", f"{error} {findings}".strip())
        return Awaiting(self.clock.now() + CHILD_TIME, f"the run {child.id}")

    async def _note(self, order: Order, given: NewRun | RunId, ledger: Ledger, brake: Brake) -> Outcome | None:
        """Write down that this is about to be done; an outcome if it is then too late to do it."""
        if brake.pulled:
            return Stopped()
        deadline = self.clock.now() + order.tool.timeout
        if order.intent is None:
            await ledger.intended(intent_for(order, given, now=self.clock.now()))
        else:
            await ledger.trying(order.step)
        # A worker that was suspended meanwhile has no time left: somebody else may have settled the step.
        return Later(self.clock.now(), "it came too late to be done") if self.clock.now() > deadline else None

    async def _settle(self, order: Order, ledger: Ledger) -> Outcome:
        """What became of a child: its end, or none. One that is at work is told to stop when its parent stops."""
        mine = [child for child in await self.runs.children(order.run_id) if child.parent_step == order.step]
        if not mine:
            if order.deadline is not None and order.deadline > self.clock.now():
                return Later(order.deadline, "until it is settled whether the run was started")
            await ledger.reconciled(order.step, LookupAnswer.NONE, "")
            return Stopped() if order.settle_only else _permanent("child_unknown", "the run was never started")
        child = mine[-1]
        if child.ended_at is not None:
            return await self._over(order, child)
        if not order.settle_only:
            return Unknown(no_answer(order))
        state = fold(order.run_id, await self.journal.read(order.run_id))
        by = state.cancel.by if state.cancel else child.requester
        reason = f"the run {order.run_id}, which started it, is stopping"
        await self._tell(child, by, reason, order.key)
        return Awaiting(self.clock.now() + CHILD_TIME, f"the run {child.id}, which was told to stop", stopping=True)

    async def _over(self, order: Order, child: RunRow) -> Outcome:
        summary = fold(child.id, await self.journal.read(child.id)).report
        if child.status is RunStatus.DONE:
            return Done({"run_id": child.id, "status": child.status.value, "summary": summary})
        if child.status is RunStatus.CANCELLED and order.settle_only:
            return Stopped()
        return _permanent("answered_no", f"run {child.id} ended {child.status.value}: {summary}")

    async def _cancel(self, order: Order, given: RunId, ledger: Ledger, brake: Brake) -> Outcome:
        if order.settle_only:
            return Stopped()
        late = await self._note(order, given, ledger, brake)
        if late is not None:
            return late
        try:
            child = await self.runs.get(given.run_id)
        except NotFound as error:
            return _permanent("child_unknown", str(error))
        if child.parent_id != order.run_id:
            return _permanent("not_a_child", f"run {given.run_id} was not started by this run")
        if child.status is not RunStatus.CANCELLED:
            told = await self._tell(child, child.requester, "what it was started for is taken back", order.key)
            if not told:
                return _permanent("child_ended", f"run {child.id} has ended; what it did stands")
        return Done({"run_id": child.id})

    async def _tell(self, child: RunRow, by: str, reason: str, key: str) -> bool:
        """Leave the cancel, once. False when the child has ended."""
        try:
            await self.inbox.put(child.id, InputKind.CANCEL, {"by": by, "reason": reason}, dedupe=f"parent:{key}")
        except Refused:
            return False
        return True

    def _playbook(self, name: str) -> Playbook | None:
        versions = [playbook for playbook in self.playbooks.values() if playbook.name == name]
        return self.playbooks.get(name) or max(versions, key=lambda playbook: playbook.version, default=None)


def _permanent(code: str, sentence: str) -> Failed:
    return Failed(Failure(failure=FailureClass.PERMANENT, code=code, message=sentence))
