"""Invocation: brings an order to an outcome, with exactly one effect however often it is tried or the worker dies.

One round is: look up what is in doubt, then call. A failed round is journaled and repeated by ``tools.retry``;
``tools.reconcile`` says what may be done next. Here also is the one boundary that turns exceptions into failures
(:func:`contained`): it stands around a tool's own functions and around nothing else, so what the ledger, the brake or
the clock raise (Fenced, LangGraph's control flow) passes through.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar

import httpx
from pydantic import ValidationError

from governance.clock import Clock
from governance.effects import EffectClass, Failure, FailureClass, Intent, LookupAnswer
from governance.errors import Ambiguous, CallFailed, Fenced, Permanent, Transient
from governance.systems import Permit
from tools.arguments import read_arguments, read_output
from tools.breakers import Breakers, Verdict
from tools.classify import RATE_LIMITED, as_failure, lost, transport_failure
from tools.contract import (
    Brake,
    Call,
    Deferred,
    Done,
    Existing,
    Failed,
    Found,
    Later,
    Ledger,
    Order,
    Outcome,
    Stopped,
    ToolModel,
    Unknown,
)
from tools.deferral import accepted, masked, no_answer, overdue_read, still_at_work
from tools.http import SystemClients
from tools.intents import intent_for
from tools.reconcile import Move, Next, next_move
from tools.retry import Again, backoff, pause, repeat
from tools.traffic import OwnTraffic, Traffic

T = TypeVar("T")


class Wire(Protocol):
    """What the boundary asks of an attempt's ``Http``: may an effect have left, did the system answer at all."""

    @property
    def landed(self) -> bool:
        """An effect has happened through it, or may have."""
        ...

    @property
    def answered(self) -> bool:
        """At least one answer came back."""
        ...


async def contained(asking: Awaitable[T], *, tool: str, wire: Wire, seconds: float) -> T | CallFailed:
    """Await a tool's own function for at most ``seconds``; whatever it raises becomes a failure.

    Cancellation and Fenced pass. This is the one blind ``except`` of the product: a company's tool file may raise
    anything, and a defect in it must end a step, not a worker.
    """
    try:
        async with asyncio.timeout(seconds):
            return await asking
    except CallFailed as failed:
        return failed
    except Fenced:
        raise
    except TimeoutError:
        return lost(f"{tool} did not end within {round(seconds, 1):g} s", code="timeout", effect=wire.landed)
    except httpx.HTTPError as error:
        return transport_failure(tool, error, effect=wire.landed)
    except ValidationError as error:
        fields = ", ".join(sorted({".".join(map(str, entry["loc"])) for entry in error.errors()}))
        return _defect(f"{tool} got an answer that does not fit: {fields}", "invalid_output", wire)
    except Exception as error:  # noqa: BLE001 - the boundary: see the docstring
        return _defect(f"{tool} failed: {type(error).__name__}: {error}", "tool_defect", wire)


def _defect(sentence: str, code: str, wire: Wire) -> CallFailed:
    kind = Ambiguous if wire.landed else Permanent
    return kind(sentence, code=code, hint="mend the tool's file, then resume the run")


@dataclass
class _Work:
    """Where a step stands while it is performed. ``number`` counts failed attempts over the life of the step."""

    order: Order
    given: ToolModel
    ledger: Ledger
    brake: Brake
    number: int
    in_doubt: bool
    intent: Intent | None
    deadline: datetime
    may_call: bool
    failure: Failure | None = None

    @property
    def key(self) -> str:
        """The key in the intent, once there is one."""
        return self.intent.key if self.intent else self.order.key


class Invocation:
    """The Invoker that calls systems. ``linger``: seconds that a wait may last before it becomes :class:`Later`."""

    def __init__(
        self,
        clients: SystemClients,
        breakers: Breakers,
        clock: Clock,
        rng: random.Random,
        *,
        linger: float,
        traffic: Traffic | None = None,
    ) -> None:
        self._clients = clients
        self._breakers = breakers
        self._clock = clock
        self._rng = rng
        self._linger = linger
        self._traffic = traffic or OwnTraffic()

    async def perform(self, order: Order, ledger: Ledger, brake: Brake) -> Outcome:
        """Bring the order to an outcome (see ``tools.contract.Invoker``)."""
        given = read_arguments(order.tool, order.intent.args if order.intent else order.args)
        if isinstance(given, Failure):
            return Unknown(given) if order.ambiguous else Failed(given)
        over = overdue_read(order)
        if over is not None:
            return over
        work = self._begin(order, given, ledger, brake)
        result: Outcome | Again = await repeat(
            lambda: self._round(work), linger=self._linger, clock=self._clock, brake=brake
        )
        if isinstance(result, Again):
            return Stopped() if brake.pulled else Later(result.at, result.failure.message)
        return result

    def _begin(self, order: Order, given: ToolModel, ledger: Ledger, brake: Brake) -> _Work:
        # What the journal does not date may have left a moment before the worker died.
        latest = self._clock.now() + order.tool.timeout
        return _Work(
            order=order,
            given=given,
            ledger=ledger,
            brake=brake,
            number=order.attempts,
            in_doubt=order.ambiguous and order.tool.effect is not EffectClass.READ,
            intent=order.intent,
            deadline=order.deadline or latest,
            may_call=order.attempts < order.tool.retry.attempts and not (order.settle_only or order.overdue),
        )

    # --- a round ---------------------------------------------------------------------------------------------------

    async def _round(self, work: _Work) -> Outcome | Again:
        """Look up what is in doubt, then call; or say why not."""
        if work.brake.pulled or (work.order.settle_only and not work.in_doubt):
            return Stopped()
        step = self._next(work)
        held = await self._until(work, step.at)
        if held is not None:
            return held
        if step.move is Move.ASK:
            return Unknown(no_answer(work.order) if work.order.overdue else _nobody_knows(work))
        if step.move is Move.LOOK_UP:
            answer = await self._reconcile(work)
            if isinstance(answer, CallFailed):
                return await self._failed(work, answer, looking=True)
            if answer is not None:
                return answer
        if not work.may_call:
            return Stopped() if work.order.settle_only else Failed(_given_up(work))
        result = await self._call(work)
        if isinstance(result, CallFailed):
            return await self._failed(work, result, looking=False)
        return result

    def _next(self, work: _Work) -> Next:
        return next_move(
            work.order.tool,
            now=self._clock.now(),
            in_doubt=work.in_doubt,
            may_call=work.may_call,
            deadline=work.deadline,
            key_expires=work.intent.key_expires if work.intent else None,
        )

    async def _until(self, work: _Work, at: datetime) -> Later | Stopped | None:
        """Wait for ``at`` in the slice, or say that it is too far off."""
        delay = (at - self._clock.now()).total_seconds()
        if delay > self._linger:
            return Later(at, f"until it is settled whether {work.order.tool.id} happened")
        await pause(self._clock, delay, work.brake)
        return Stopped() if work.brake.pulled else None

    async def _failed(self, work: _Work, error: CallFailed, *, looking: bool) -> Outcome | Again:
        """Journal a failed attempt and say how to go on."""
        tool, now = work.order.tool, self._clock.now()
        failure = masked(as_failure(error, EffectClass.READ if looking else tool.effect), work.order)
        work.number += 1
        work.failure = failure
        work.in_doubt = work.in_doubt or failure.failure is FailureClass.AMBIGUOUS
        final = failure.failure is FailureClass.PERMANENT or work.number >= tool.retry.attempts
        work.may_call = work.may_call and not final
        # As long as an earlier attempt is in doubt, the journal's last word on the step must say so.
        word = failure.model_copy(update={"failure": FailureClass.AMBIGUOUS}) if work.in_doubt else failure
        if final and (looking or not work.in_doubt):
            await work.ledger.attempted(work.order.step, work.number, word, None)
            return Unknown(word) if work.in_doubt else Failed(_given_up(work))
        step = self._next(work)
        delay = (step.at - now).total_seconds()
        if step.move is Move.CALL or looking:
            delay = max(delay, backoff(tool.retry, work.number, self._rng, error.retry_after))
        again = Again(failure, delay, now + timedelta(seconds=delay))
        await work.ledger.attempted(work.order.step, work.number, word, again.at)
        return again

    # --- calling ---------------------------------------------------------------------------------------------------

    async def _call(self, work: _Work) -> Outcome | Again | CallFailed:
        tool = work.order.tool
        result = await self._ask(work, tool.run, looking=False)
        if isinstance(result, CallFailed | Stopped | Later | Again):
            return result
        if isinstance(result, Existing):
            return await self._existing(work, result)
        if isinstance(result, Deferred) and tool.deferred:
            return accepted(work.order, result, now=self._clock.now())
        output = read_output(tool, result)
        if output is None:
            sentence = f"{tool.id} returned something that does not fit its output"
            kind = Permanent if tool.effect is EffectClass.READ else Ambiguous
            return kind(sentence, code="invalid_output", hint="mend the tool's file, then resume the run")
        return Done(output)

    async def _existing(self, work: _Work, existing: Existing) -> Outcome | Again | CallFailed:
        """It was there already. After an attempt of ours that nobody knows about, it may be that attempt's."""
        if work.in_doubt and work.order.tool.lookup is not None:
            found = await self._look(work)
            if not isinstance(found, Found):
                return found
            if found.answer is LookupAnswer.OURS:
                return _done(work, found.output or existing.output, found=False)
        return _done(work, existing.output, found=True)

    async def _reconcile(self, work: _Work) -> Outcome | Again | CallFailed | None:
        """Ask the system whether it happened; None if it did not."""
        found = await self._look(work)
        if not isinstance(found, Found):
            return found
        if found.answer is LookupAnswer.OURS and found.output is None and work.order.tool.deferred:
            return still_at_work(work.order, now=self._clock.now())
        if found.answer is LookupAnswer.OURS:
            return _done(work, found.output, found=False)
        if found.answer is LookupAnswer.FOREIGN and work.order.tool.effect is EffectClass.NATURAL_KEY:
            # There can be only one, and it is someone else's: ours did not happen.
            return Stopped() if work.order.settle_only else _done(work, found.output, found=True)
        if found.answer is LookupAnswer.FOREIGN:
            sentence = f"{work.order.tool.system} has this already, and it is not from this step: {found.evidence}"
            return Unknown(Failure(failure=FailureClass.AMBIGUOUS, code="foreign", message=sentence))
        work.in_doubt = False
        return None

    async def _look(self, work: _Work) -> Found | Stopped | Later | Again | CallFailed:
        """The lookup's answer, written down."""
        tool = work.order.tool
        if tool.lookup is None:
            return Permanent(f"{tool.id} has no lookup", code="no_lookup")
        found = await self._ask(work, tool.lookup, looking=True)
        if isinstance(found, CallFailed | Stopped | Later | Again):
            return found
        if not isinstance(found, Found):
            return Permanent(f"{tool.id}: its lookup returned no Found", code="tool_defect")
        await work.ledger.reconciled(work.order.step, found.answer, found.evidence)
        return found

    async def _ask(
        self, work: _Work, asking: Callable[[Call, Any], Awaitable[T]], *, looking: bool
    ) -> T | Stopped | Later | Again | CallFailed:
        """One attempt: its turn, a free place here and a permit among all workers, and then the call."""
        system = work.order.tool.system
        later = await self._turn(work)
        if later is not None:
            return later
        async with self._clients.slot(system):
            if work.brake.pulled:
                return Stopped()
            permit = self._traffic.try_take(system) or await self._permit(work)
            if permit is None:
                return Stopped()
            try:
                return await self._attempt(work, asking, looking=looking)
            finally:
                self._traffic.give(permit)

    async def _turn(self, work: _Work) -> Later | Stopped | None:
        """Wait until the system may be called, holding nothing; or say that this is too far off."""
        system = work.order.tool.system
        turn = await self._traffic.turn(system, linger=self._linger)
        seconds = turn.wait.total_seconds()
        if not turn.taken:
            # Whoever comes back meets others who were told the same.
            at = self._clock.now() + turn.wait * self._rng.uniform(1, 1.1)
            return Later(at, f"its turn at {system}, which takes only so many calls")
        await pause(self._clock, seconds, work.brake)
        return Stopped() if work.brake.pulled else None

    async def _permit(self, work: _Work) -> Permit | None:
        """A permit, unless the brake is pulled first."""
        taking = asyncio.ensure_future(self._traffic.take(work.order.tool.system))
        pulled = asyncio.ensure_future(work.brake.wait())
        try:
            await asyncio.wait({taking, pulled}, return_when=asyncio.FIRST_COMPLETED)
            return taking.result() if taking.done() else None
        except asyncio.CancelledError:
            if taking.done() and not taking.cancelled():
                self._traffic.give(taking.result())
            raise
        finally:
            taking.cancel()
            pulled.cancel()
            await asyncio.gather(taking, pulled, return_exceptions=True)

    async def _attempt(
        self, work: _Work, asking: Callable[[Call, Any], Awaitable[T]], *, looking: bool
    ) -> T | Stopped | Later | Again | CallFailed:
        """A breaker that lets pass, the intent, a last look at the brake, the call."""
        tool = work.order.tool
        try:
            passed = await self._breakers.enter(tool.system)
        except Transient as failed:
            # What is not sent is no attempt: a system's bad hour must not use up the attempts of all who wait for it.
            alone = failed.retry_after or timedelta(seconds=1)
            delay = alone.total_seconds() * self._rng.uniform(1, 1.1)
            return Again(as_failure(failed, EffectClass.READ), delay, self._clock.now() + timedelta(seconds=delay))
        verdict, why = Verdict.UNTOLD, ""
        try:
            deadline = self._clock.now() + tool.timeout if looking else await self._intend(work)
            if work.brake.pulled:
                return Stopped() if looking else await self._unsent(work)
            reading = looking or tool.effect is EffectClass.READ
            http = self._clients.http(tool.system, reading=reading, deadline=deadline)
            call = Call(http, work.key, self._clock, deadline, work.order.callback, http.leaving)
            seconds = max((deadline - self._clock.now()).total_seconds(), 0)
            result = await contained(asking(call, work.given), tool=tool.id, wire=http, seconds=seconds)
            verdict, why = _verdict(result, http), result.code if isinstance(result, CallFailed) else ""
            if http.concluded and not looking:
                work.deadline = self._clock.now()
            if why == RATE_LIMITED and isinstance(result, CallFailed) and result.retry_after:
                await self._traffic.slow(tool.system, self._clock.now() + result.retry_after)
            return result
        finally:
            await self._breakers.leave(passed, verdict, why=why)

    async def _intend(self, work: _Work) -> datetime:
        """Say durably that this is about to be sent: by the intent, or as another try of it. The attempt's deadline.

        The time counts from before that: a worker that was suspended meanwhile has none left to send in.
        """
        deadline = self._clock.now() + work.order.tool.timeout
        if work.order.tool.effect is EffectClass.READ and not work.order.tool.deferred:
            return deadline
        if work.intent is None:
            work.intent = intent_for(work.order, work.given, now=self._clock.now())
            await work.ledger.intended(work.intent)
            deadline = work.intent.deadline
        else:
            await work.ledger.trying(work.order.step)
        work.deadline = deadline
        return deadline

    async def _unsent(self, work: _Work) -> Stopped:
        """The brake was pulled after that was said: take it back, or the next worker had to doubt it."""
        if work.intent is not None:
            work.number += 1
            kind = FailureClass.AMBIGUOUS if work.in_doubt else FailureClass.TRANSIENT
            unsent = Failure(failure=kind, code="stopped", message="stopped before it was sent")
            await work.ledger.attempted(work.order.step, work.number, unsent, None)
        return Stopped()


def _done(work: _Work, result: ToolModel | None, *, found: bool) -> Outcome:
    output = read_output(work.order.tool, result)
    if output is None:
        sentence = f"{work.order.tool.id} is there, and what the system says of it does not fit the tool's output"
        return Unknown(Failure(failure=FailureClass.AMBIGUOUS, code="invalid_output", message=sentence))
    return Done(output, found=found)


def _verdict(result: object, wire: Wire) -> Verdict:
    """What an attempt says of its system's health. An answer, even a refusal, is a sign of life."""
    if isinstance(result, Transient | Ambiguous):
        return Verdict.UNTOLD if result.code == RATE_LIMITED else Verdict.FAILED
    return Verdict.SOUND if wire.answered else Verdict.UNTOLD


def _given_up(work: _Work) -> Failure:
    """Why it did not happen and will not: nothing of it is in doubt any more."""
    tried = f"{work.order.tool.id} did not happen in {work.number} attempts"
    failure = work.failure
    if failure is None:
        return Failure(failure=FailureClass.TRANSIENT, code="exhausted", message=tried)
    if failure.failure is FailureClass.PERMANENT:
        return failure
    return failure.model_copy(update={"failure": FailureClass.TRANSIENT, "message": f"{tried}: {failure.message}"})


def _nobody_knows(work: _Work) -> Failure:
    sentence = (
        f"{work.order.tool.id} may have happened: the answer was lost, and {work.order.tool.system} cannot be asked"
    )
    return Failure(failure=FailureClass.AMBIGUOUS, code="unknown", message=sentence)
