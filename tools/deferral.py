"""Deferred calls: how long an accepted call's answer is waited for, and what is said when none has come."""

from __future__ import annotations

from datetime import datetime

from governance.effects import EffectClass, Failure, FailureClass
from tools.contract import Awaiting, Deferred, Failed, Order, Outcome, Stopped, Unknown

NO_ANSWER = "no_answer"


def accepted(order: Order, deferred: Deferred, *, now: datetime) -> Awaiting:
    """The wait for an answer: at most as long as the tool says, counted from now."""
    most = now + order.tool.deferred if order.tool.deferred else now
    until = min(deferred.until, most) if deferred.until else most
    return Awaiting(until, deferred.why or f"the answer of {order.tool.system}")


def still_at_work(order: Order, *, now: datetime) -> Outcome:
    """The system has the call and is not done with it: wait on, or ask a person once the time is over."""
    if order.overdue:
        return Unknown(no_answer(order))
    until = order.intent.answer_by if order.intent and order.intent.answer_by else None
    return accepted(order, Deferred(until), now=now)


def no_answer(order: Order) -> Failure:
    """Nobody knows what became of an accepted call."""
    why = "the run is stopping" if order.settle_only else "the time for it is over"
    sentence = f"{order.tool.system} accepted {order.tool.id} and has not answered, and {why}"
    return Failure(failure=FailureClass.AMBIGUOUS, code=NO_ANSWER, message=sentence)


def overdue_read(order: Order) -> Outcome | None:
    """The end of a read that was accepted and not answered: there is nothing to find out about it. None for others."""
    if not order.overdue or order.tool.effect is not EffectClass.READ:
        return None
    if order.settle_only:
        return Stopped()
    return Failed(no_answer(order).model_copy(update={"failure": FailureClass.TRANSIENT}))


def masked(failure: Failure, order: Order) -> Failure:
    """The failure without the callback's address, which a system may quote: it stands in no journal."""
    token = order.callback.rpartition(".")[2]
    if not token:
        return failure
    hidden = {name: getattr(failure, name).replace(token, "…") for name in ("message", "fix")}
    return failure.model_copy(update=hidden)
