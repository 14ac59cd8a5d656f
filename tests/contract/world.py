"""The tools of all twelve systems on a real sandbox company: called as invocation calls them, effects counted by the company."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from governance.clock import SystemClock
from governance.effects import EffectClass, UndoCall
from tests.sandbox.running import Company
from tools import (
    benefits,
    billing,
    expenses,
    facilities,
    identity,
    mail,
    orgchart,
    payroll,
    procurement,
    security,
    support,
    training,
)
from tools.contract import Call, Existing, Found, Tool, ToolModel
from tools.http import SystemClients

FILES = (
    identity,
    payroll,
    orgchart,
    facilities,
    security,
    training,
    benefits,
    expenses,
    mail,
    procurement,
    support,
    billing,
)
TOOLS: Mapping[str, Tool] = {tool.name: tool for file in FILES for tool in file.TOOLS}
BY_ID: Mapping[str, Tool] = {tool.id: tool for tool in TOOLS.values()}
PAST_LAG = 2.5


@dataclass(frozen=True)
class Answer:
    """What a call gave. ``found``: it was there already. ``key`` is the one it was made with."""

    output: dict[str, Any]
    found: bool
    key: str


@dataclass
class World:
    """Calls tools on the company."""

    company: Company
    clients: SystemClients
    clock: SystemClock = field(default_factory=SystemClock)

    async def call(self, name: str, key: str = "", /, **args: Any) -> Answer:
        """Call the tool once, its input and output checked; a fresh key if none is given."""
        tool, key = TOOLS[name], key or uuid.uuid4().hex
        result = await tool.run(self._handle(tool, key), tool.input.model_validate(args))
        found = isinstance(result, Existing)
        output = result.output if isinstance(result, Existing) else result
        assert type(output) is tool.output
        return Answer(as_json(tool.output.model_validate(output.model_dump())), found, key)

    async def look_up(self, name: str, key: str, /, **args: Any) -> Found:
        """Ask the tool's lookup for the call with this key."""
        tool = TOOLS[name]
        assert tool.lookup is not None
        return await tool.lookup(self._handle(tool, key, reading=True), tool.input.model_validate(args))

    def catch_up(self) -> None:
        """Let the company's lagging search see what is there now."""
        self.company.advance(PAST_LAG)

    def count(self, system: str) -> int:
        """How many effects the system has counted since the reset."""
        return self.company.effect_count(system)

    def _handle(self, tool: Tool, key: str, *, reading: bool = False) -> Call:
        deadline = self.clock.now() + tool.timeout
        reading = reading or tool.effect is EffectClass.READ
        return Call(self.clients.http(tool.system, reading=reading, deadline=deadline), key, self.clock, deadline)


def as_json(model: ToolModel) -> dict[str, Any]:
    """The model as the journal keeps it."""
    return model.model_dump(mode="json")


def undo_args(undo: UndoCall, args: Mapping[str, Any], output: Mapping[str, Any]) -> dict[str, Any]:
    """The undo's arguments with their references followed."""
    scope = {"input": args, "output": output}
    return {name: _follow(value, scope) for name, value in undo.args.items()}


def _follow(value: Any, scope: Mapping[str, Any]) -> Any:
    if not (isinstance(value, dict) and set(value) == {"$ref"}):
        return value
    found: Any = scope
    for part in value["$ref"].split("."):
        found = found[part]
    return found
