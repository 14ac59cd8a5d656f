"""Dispatch: runs the plan's DAG as dataflow. A step starts the moment its inputs are there and its gate is open.

The loop waits on the first of: a call ends, somebody left something in the inbox, drain, ownership lost. After a
failure, a refusal or a cancel it starts nothing new and lets calls in flight end.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, assert_never

from governance import events as ev
from governance.chain import Event
from governance.effects import EffectClass, Failure, StepStatus
from governance.errors import Fenced
from graphs.budgets import over_if_expanded, over_if_started, over_time
from graphs.choosing import AskAgent, Choose, ask_agent, note_choice
from graphs.control import Control, PedalBrake
from graphs.deferral import Await, defer
from graphs.engine import Engine
from graphs.escalation import escalate
from graphs.expansion import Expand, unfolded
from graphs.fold import Phase
from graphs.forms import AskForm, ask_form, unanswered
from graphs.gates import ask_outcome
from graphs.intake import take_up
from graphs.live import LiveRun, RunLedger, waiting
from graphs.readiness import Ask, End, Hold, Move, Start, next_moves, settling
from graphs.revision import Drift, current
from graphs.ruling import RuleAgain, note_ruling
from graphs.verdicts import ask, simulate_verdicts
from plans.checked import CheckedPlan
from tools.contract import Awaiting, Done, Failed, Later, Order, Stopped, Unknown

_LOOK_SECONDS = 1.0


@dataclass(frozen=True)
class Drifted:
    """Dispatch cannot go on: the installation is not the one that the plan was checked for, or the budget is used up."""

    sentence: str


def _note(run: LiveRun, move: Await | AskForm | RuleAgain | Choose) -> None:
    """What happens inside Steward, without a call."""
    if isinstance(move, Await):
        defer(run, move.step, move.awaiting, move.rows)
    elif isinstance(move, AskForm):
        ask_form(run, move)
    elif isinstance(move, RuleAgain):
        note_ruling(run, move)
    else:
        note_choice(run, move)


class Dispatcher:
    """One slice's work on one run."""

    def __init__(self, engine: Engine, run: LiveRun, control: Control, *, dry: bool) -> None:
        self._engine = engine
        self._run = run
        self._control = control
        self._dry = dry
        self._invoker = engine.simulator if dry else engine.invoker
        self._ledger = RunLedger(run, engine.addresses)
        self._brake = PedalBrake()
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._orders: dict[str, Order] = {}
        self._over = ""
        self._intending = False
        self._plan: tuple[ev.PlanChecked | None, CheckedPlan | Drift] | None = None
        self._unfolded: tuple[CheckedPlan, Mapping[str, tuple[ev.ExpandedItem, ...]], CheckedPlan] | None = None

    async def drive(self) -> Drifted | None:
        """Go on until nothing can be done without the world outside.

        Raises:
            Fenced: the run is not ours any more; local calls are cancelled, nothing more is written.

        """
        try:
            return await self._loop()
        finally:
            await self._cancel_local()

    async def _loop(self) -> Drifted | None:
        first = True
        while True:
            self._control.news.clear()  # before anything is looked at: what comes from here on is seen in the next turn
            if (first or self._control.hinted) and not self._dry:
                anew, self._control.hinted = self._control.hinted, False
                await take_up(self._engine, self._run, anew=anew)
                await self._let_go_of_answered()
            first = self._intending = False
            drifted = await self._turn()
            if drifted is not None:
                return drifted
            if not self._tasks:
                return self._used_up()
            if not self._intending:  # otherwise what was noted goes with the intents that come now
                self._run.push()
            await self._wait()

    def _current(self) -> CheckedPlan | Drift:
        """The plan of the current revision; read anew only when another was checked."""
        checked = self._run.state.checked
        if self._plan is None or self._plan[0] is not checked:
            self._plan = (checked, current(self._engine, self._run.state))
        return self._plan[1]

    def _whole(self, written: CheckedPlan) -> CheckedPlan:
        """The plan with a step for each item; made anew only when another was checked, or a list was expanded."""
        state = self._run.state
        if self._unfolded is None or self._unfolded[0] is not written or self._unfolded[1] is not state.expanded:
            self._unfolded = (written, state.expanded, unfolded(written, state))
        return self._unfolded[2]

    async def _turn(self) -> Drifted | None:
        """Start what can be started now."""
        plan = self._current()
        if isinstance(plan, Drift):
            return Drifted(plan.sentence)
        await self._move(plan)
        return None

    async def _move(self, written: CheckedPlan) -> None:
        """Ask, skip, end and start whatever can be, until a pass makes nothing else possible."""
        again = True
        while again and not self._control.draining:
            plan = self._whole(written)
            if not self._dry:
                await escalate(self._engine, self._run)
            if self._run.state.failing:
                self._brake.pull()
                self._settle(plan)
                return
            if self._dry:
                simulate_verdicts(self._run)
            self._over = self._over or over_time(self._engine, self._run.state)
            again = await self._take_moves(plan)

    async def _take_moves(self, plan: CheckedPlan) -> bool:
        """Make every move that is possible. True when others may be possible because of them."""
        again = False
        for move in next_moves(self._engine, self._run.state, plan, busy=self._tasks.keys()):
            if self._withheld(move):
                continue
            if isinstance(move, Start):
                self._start(move.order)
            elif isinstance(move, AskAgent):
                self._fly(move.step.id, self._choose(move), name=f"choice of {move.step.id}")
            elif isinstance(move, Hold):
                self._hold(move)
            elif isinstance(move, Await | AskForm):
                _note(self._run, move)
            elif isinstance(move, Ask):
                again |= await ask(self._engine, self._run, move, dry=self._dry)
            else:
                again = True
                await self._follow(move)
            if self._run.state.failing:
                return True
        return again

    async def _follow(self, move: RuleAgain | Choose | Expand | End) -> None:
        if isinstance(move, Expand):
            life = self._run.state.step(move.step).life
            body = ev.StepExpanded(step=move.step, items=move.items)
            self._run.note(Event(f"step:{move.step}:{life}:expanded", body))
        elif isinstance(move, End):
            await self._end(move)
        else:
            _note(self._run, move)

    def _withheld(self, move: Move) -> bool:
        """Whether the budget keeps a move back. Once it kept one, nothing new starts; what has begun goes on."""
        state, over = self._run.state, ""
        if isinstance(move, Start) and move.order.intent is None:
            over = over_if_started(self._engine, state, move.order, self._orders.values())
        elif isinstance(move, Expand):
            over = over_if_expanded(self._engine, state, move)
        elif not isinstance(move, AskAgent):
            return False
        self._over = self._over or over
        return bool(self._over)

    def _used_up(self) -> Drifted | None:
        """Nothing is in flight. A run that may start nothing new, and has nothing left to settle, parks."""
        state = self._run.state
        idle = state.phase is Phase.DISPATCH and not state.failing and not state.open_steps
        return Drifted(self._over) if self._over and idle and not self._control.draining else None

    def _hold(self, move: Hold) -> None:
        if self._dry:  # nobody waits in a dry run
            self._start(move.order)
            return
        why = f"not before {move.until:%Y-%m-%d %H:%M} UTC"
        event, timer = waiting(move.order.step, move.until, why, doubt=False, seq=self._run.state.seq)
        self._run.note(event, rows=[timer])

    def _settle(self, plan: CheckedPlan) -> None:
        for order in settling(self._engine, self._run.state, plan, busy=self._tasks.keys()):
            self._start(order)

    def _start(self, order: Order) -> None:
        # Orders that only settle must not be stopped by the brake that the failure pulled.
        brake = PedalBrake() if order.settle_only else self._brake
        self._orders[order.step] = order
        self._intending |= order.tool.effect is not EffectClass.READ
        self._fly(order.step, self._perform(order, brake), name=f"step {order.step}")

    def _fly(self, step_id: str, work: Coroutine[Any, Any, None], *, name: str) -> None:
        task = asyncio.create_task(work, name=name)
        task.add_done_callback(lambda _: self._control.news.set())
        self._tasks[step_id] = task

    async def _perform(self, order: Order, brake: PedalBrake) -> None:
        outcome = await self._invoker.perform(order, self._ledger, brake)
        if isinstance(outcome, Done):
            await self._end(
                End(order.step, order.tool.id, StepStatus.DONE, order.args, outcome.output, found=outcome.found)
            )
        elif isinstance(outcome, Failed):
            await self._end(End(order.step, order.tool.id, StepStatus.FAILED, order.args, failure=outcome.failure))
        elif isinstance(outcome, Unknown):
            await self._ask_outcome(order, outcome.failure)
        elif isinstance(outcome, Later):
            doubt = self._run.state.step(order.step).unsure
            event, timer = waiting(order.step, outcome.at, outcome.why, doubt=doubt, seq=self._run.state.seq)
            self._run.note(event, rows=[timer])
        elif isinstance(outcome, Awaiting):
            defer(self._run, order.step, outcome)
        elif isinstance(outcome, Stopped):
            await self._stopped(order)
        else:
            assert_never(outcome)

    async def _choose(self, move: AskAgent) -> None:
        why = await ask_agent(self._engine, self._run, move)
        if why:
            step = move.step
            await self._end(End(step.id, step.tool, StepStatus.FAILED, move.args, failure=unanswered(why)))

    async def _stopped(self, order: Order) -> None:
        """Between attempts. A run that only drains goes on in the next slice; one that is stopping ends what was not sent.

        What may have been sent is settled first: it is looked up, not written off.
        """
        known = self._run.state.step(order.step)
        if self._run.state.failing and known.open and (order.settle_only or not known.unsure):
            why = "the run was stopping first"
            await self._end(End(order.step, order.tool.id, StepStatus.STOPPED, order.args, why=why))

    async def _ask_outcome(self, order: Order, failure: Failure) -> None:
        question = ask_outcome(self._engine, self._run.state, order.step, failure)
        if question is not None:
            event, rows = question
            self._run.note(event, rows=rows)

    async def _end(self, end: End) -> None:
        if not self._run.claim_end(end.step):
            return  # its callback was first
        life = self._run.state.step(end.step).life
        body = ev.StepEnded(
            step=end.step,
            tool=end.tool,
            status=end.status,
            args=end.args,
            output=end.output,
            found=end.found,
            simulated=self._dry,
            failure=end.failure,
            why=end.why,
        )
        ended = Event(f"step:{end.step}:{life}:ended", body)
        tool = self._engine.specs.get(end.tool)
        if tool is not None and tool.effect is EffectClass.UNSAFE:
            await self._run.record(ended)  # if it were lost, a person would have to say whether it happened
        else:
            self._run.note(ended)

    async def _wait(self) -> None:
        """Until a call ends, something is left, or the slice is told to end. Hints may be lost: now and then it looks anyway."""
        try:
            async with asyncio.timeout(_LOOK_SECONDS):
                await self._control.news.wait()
        except TimeoutError:
            self._control.hinted = True
        if self._control.lost:
            raise Fenced("the run belongs to another worker now")
        if self._control.draining:
            self._brake.pull()
        for step_id in [step_id for step_id, task in self._tasks.items() if task.done()]:
            self._orders.pop(step_id, None)  # an agent is asked without one
            self._tasks.pop(step_id).result()

    async def _let_go_of_answered(self) -> None:
        """Calls whose step has ended by a callback: what they still bring is of no use, and they are not to try again."""
        over = [self._tasks.pop(i) for i in list(self._tasks) if self._run.state.step(i).ended is not None]
        for task in over:
            task.cancel()
        await asyncio.gather(*over, return_exceptions=True)

    async def _cancel_local(self) -> None:
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        self._tasks.clear()
