"""Advice on a review, by rule: does the action say what the request says, and what do figures and cases say?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agents.offline.experience import concerns, evidence, sureness
from agents.ports import NOTHING_KNOWN, Background
from governance.decisions import Decision, DecisionKind
from governance.people import Person
from governance.policy import Ruling
from tools.contract import ToolSpec

_LOOK_LOW = 0.6
_APPROVE = 0.8
_REJECT = 0.9


class OfflineAdvisor:
    """Compares arguments with the request, with what was read, and with past cases. Whether a thing is wise, it cannot see."""

    async def advise(
        self,
        *,
        step: str,
        tool: ToolSpec,
        args: Mapping[str, Any],
        ruling: Ruling,
        request: Mapping[str, Any],
        requester: Person,
        background: Background = NOTHING_KNOWN,
        run: str = "",  # noqa: ARG002 - rules cost nothing
    ) -> Decision:
        """``reject`` when an argument contradicts the request, ``look`` when something deserves a look, else ``approve``."""
        differing = [name for name, value in args.items() if name in request and not _same(request[name], value)]
        worries = [*_concerns(tool, args, request, requester), *concerns(tool, args, background)]
        agreeing = [name for name, value in args.items() if value in request.values()]
        if differing:
            name = differing[0]
            choice, sure = "reject", _REJECT
            why = f"{name} is {args[name]!s}, and the request says {request[name]!s}"
        elif worries:
            choice, sure, why = "look", _LOOK_LOW, "; ".join(worries)
        else:
            choice, sure = "approve", sureness(_APPROVE, background.cases)
            why = "every argument agrees with the request, and nothing else speaks against it"
        return Decision(
            kind=DecisionKind.ADVICE,
            subject=step,
            choice=choice,
            reasoning=f"{why[:1].upper()}{why[1:]}. It is asked because {ruling.because}.",
            confidence=sure,
            decider="rule:advisor",
            evidence=(
                *(f"{name} is what the request says" for name in agreeing),
                *evidence(tool, args, background),
            ),
        )


def _same(said: Any, value: Any) -> bool:
    """Whether an argument is what the request says; a system may write a name with other capitals."""
    if isinstance(said, str) and isinstance(value, str):
        return said.casefold() == value.casefold()
    return bool(said == value)


def _concerns(tool: ToolSpec, args: Mapping[str, Any], request: Mapping[str, Any], requester: Person) -> list[str]:
    """What a person should look at."""
    concerns = []
    if tool.irreversible:
        concerns.append(f"it cannot be taken back: {tool.irreversible.rstrip('.')}")
    if requester.id in {str(value).casefold() for value in (*args.values(), request.get("email"))}:
        concerns.append(f"it is about {requester.name}, who asked for it")
    if tool.amount and args.get(tool.amount) not in (None, request.get(tool.amount)):
        concerns.append(f"the amount, {args[tool.amount]:,}, does not come from the request")
    return concerns
