"""Steward's tools given out to a LangChain program. Reads are made at once; an effect is only proposed.

Whoever holds these tools acts as one person, with that person's permissions. A tool with an effect starts a run with one
goal: a person reviews its plan, gates ask, the journal remembers. There is no way past that.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from langchain_core.tools import BaseTool, StructuredTool, ToolException

from governance.effects import EffectClass, Failure
from governance.errors import StewardError
from governance.people import Person
from playbooks.model import Playbook
from runtime.application import Application
from tools.arguments import read_arguments
from tools.contract import Tool
from triggers.admission import may_start

SOURCE = "api"
_PROPOSED = "Proposed, not done: a person reviews the plan of this run before anything happens."


def langchain_tools(steward: Application, by: Person) -> list[BaseTool]:
    """What ``by`` may use, as LangChain tools named ``system_act``: reads that read, effects that propose."""
    adhoc = _open_playbook(steward, by)
    lent: list[BaseTool] = []
    for tool in steward.knowledge.catalog.tools:
        spec = tool.spec
        if not spec.permission or not by.may(spec.permission) or spec.deferred_s is not None:
            continue
        if tool.effect is EffectClass.READ:
            lent.append(_lent(tool, spec.summary, _reading(steward, tool, by)))
        elif spec.reaches and adhoc is not None:
            told = f"{spec.summary} This only proposes it: a person decides."
            lent.append(_lent(tool, told, _proposing(steward, adhoc, tool, by)))
    return lent


def _open_playbook(steward: Application, by: Person) -> Playbook | None:
    free = [playbook for playbook in steward.playbooks() if playbook.open_goals and may_start(by, playbook)]
    return max(free, key=lambda playbook: playbook.version, default=None)


def _lent(tool: Tool, told: str, act: Callable[..., Awaitable[str]]) -> BaseTool:
    name = tool.name.replace(".", "_")
    return StructuredTool(
        name=name if tool.version == 1 else f"{name}_{tool.version}",
        description=told,
        args_schema=tool.spec.input,
        coroutine=act,
        handle_tool_error=False,
    )


def _reading(steward: Application, tool: Tool, by: Person) -> Callable[..., Awaitable[str]]:
    async def read(**given: Any) -> str:
        _require_fit(tool, given)
        looked = await steward.questions.read(tool.id, given, by=by)
        if looked.output is None:
            raise ToolException(looked.problem)
        return json.dumps(looked.output, ensure_ascii=False, default=str)

    return read


def _proposing(steward: Application, playbook: Playbook, tool: Tool, by: Person) -> Callable[..., Awaitable[str]]:
    async def propose(**given: Any) -> str:
        _require_fit(tool, given)
        require_literal(given)
        word = tool.spec.reaches.rpartition(".")[2]
        goal = {"id": word, "provides": tool.spec.reaches, "args": given, "reason": "a program proposes it"}
        try:
            row = await steward.start(playbook.id, {"wish": tool.spec.summary, "goals": [goal]}, by=by, source=SOURCE)
        except StewardError as error:
            raise ToolException(f"{error} {error.hint}".strip()) from error
        return json.dumps({"run": row.id, "said": _PROPOSED})

    return propose


def _require_fit(tool: Tool, given: Mapping[str, Any]) -> None:
    problem = read_arguments(tool, given)
    if isinstance(problem, Failure):
        raise ToolException(f"{problem.message} {problem.fix}".strip())


def require_literal(value: Any) -> None:
    """Values only: what a program says is never an expression of the plan language. Raises ToolException."""
    if isinstance(value, Mapping):
        if any(str(name).startswith("$") for name in value):
            raise ToolException("An argument is a value; names that begin with $ are not taken.")
        value = list(value.values())
    for part in value if isinstance(value, list | tuple) else ():
        require_literal(part)
