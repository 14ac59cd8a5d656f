"""Simulation: the Invoker of dry runs. Deterministic, no network, no waiting; the caller marks what it gives as simulated."""

from __future__ import annotations

from dataclasses import dataclass

from governance.clock import Clock
from governance.effects import EffectClass, Failure, FailureClass
from governance.errors import CallFailed
from tools.arguments import read_arguments, read_output
from tools.classify import as_failure
from tools.contract import Brake, Done, Failed, Ledger, Order, Outcome, Stopped, ToolModel
from tools.intents import intent_for
from tools.invocation import contained


@dataclass(frozen=True)
class _Nowhere:
    """The wire of a simulation: nothing leaves, nobody answers."""

    landed: bool = False
    answered: bool = False


class Simulation:
    """The Invoker that asks each tool's simulator. Effects write their intent, so that the journal reads like a real one."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def perform(self, order: Order, ledger: Ledger, brake: Brake) -> Outcome:
        """Done with the simulator's output, or Failed for arguments or a simulator that do not fit the tool."""
        tool = order.tool
        given = read_arguments(tool, order.intent.args if order.intent else order.args)
        if isinstance(given, Failure):
            return Failed(given)
        if brake.pulled:
            return Stopped()
        if tool.effect is not EffectClass.READ and order.intent is None:
            await ledger.intended(intent_for(order, given, now=self._clock.now()))
        key = order.intent.key if order.intent else order.key

        async def simulated() -> ToolModel:
            return tool.simulate(given, key)

        result = await contained(simulated(), tool=tool.id, wire=_Nowhere(), seconds=tool.timeout.total_seconds())
        if isinstance(result, CallFailed):
            return Failed(as_failure(result, EffectClass.READ))
        output = read_output(tool, result)
        if output is None:
            sentence = f"the simulator of {tool.id} returned something that does not fit its output"
            return Failed(Failure(failure=FailureClass.PERMANENT, code="invalid_output", message=sentence))
        return Done(output)
