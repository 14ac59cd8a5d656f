"""LangChain's tools in our catalog. A ``BaseTool`` says what it takes; what it does to the world, a person must say.

Without a contract a tool is refused by name, with what is missing. Its own description is for the person who writes the
contract and is shown to no planner: it comes from outside, so it is pinned by its hash together with name and schema.
Whatever of these changes afterwards is a finding when the tools are loaded, and fails the call when it comes later.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Annotated, Any, Literal

from langchain_core.tools import BaseTool, ToolException
from pydantic import BaseModel, Field, create_model

from governance.canonical import digest
from governance.effects import EffectClass, UndoCall
from governance.errors import Ambiguous, InvalidSettings, Permanent
from governance.findings import Finding
from tools.contract import Call, Lookup, Retry, Simulate, Tool, ToolModel
from tools.semantic import Semantic

_KINDS: Mapping[str, Any] = {
    "string": str,
    "integer": int,
    "number": float,
    "boolean": bool,
    "array": list[Any],
    "object": dict[str, Any],
}


class Said(ToolModel):
    """The output of a tool that only answers with text."""

    text: str


@dataclass(frozen=True, kw_only=True)
class Contract:
    """What a person says of a LangChain tool before it may be used. The fields mean what they mean in ``tools.contract.Tool``.

    ``pinned`` is :func:`fingerprint` of the tool as that person read it. ``output`` is what it gives: text by default, else
    a model that its result must fit. ``semantics`` gives inputs semantic types (``{"user": "AccountId"}``).
    ``did_not_happen`` are errors after which nothing has surely happened; after any other an effect is in doubt.
    """

    name: str
    system: str
    summary: str
    effect: EffectClass | None = None
    permission: str = ""
    pinned: str = ""
    version: int = 1
    output: type[ToolModel] = Said
    semantics: Mapping[str, str] = field(default_factory=dict)
    lookup: Lookup | None = None
    undo: UndoCall | None = None
    irreversible: str = ""
    provides: str = ""
    key_lifetime: timedelta | None = None
    settle: timedelta = timedelta(0)
    timeout: timedelta = timedelta(seconds=30)
    data_classes: frozenset[str] = frozenset()
    sensitive: frozenset[str] = frozenset()
    amount: str = ""
    untrusted_output: bool = True
    did_not_happen: tuple[type[Exception], ...] = ()
    simulate: Simulate | None = None


def fingerprint(tool: BaseTool) -> str:
    """The hash of a tool's name, description and schema: what is pinned once somebody has read them."""
    return digest({"name": tool.name, "description": tool.description, "schema": _schema(tool)})


def taken(tool: BaseTool, contract: Contract | None = None) -> Tool:
    """A LangChain tool under a contract, for a company's ``TOOLS``.

    Raises:
        InvalidSettings: without a contract or with one that leaves something open; when the tool is not the one that was
            pinned; when its inputs cannot be typed. All findings at once, each naming the tool.

    """
    findings = [*_open(tool, contract), *_drift(tool, contract)]
    try:
        given = _input(tool, contract.semantics if contract else {})
    except _Untyped as untyped:
        findings.append(_finding(tool, "tool-untyped", str(untyped), "wrap it in a tool whose arguments have types"))
    if findings or contract is None or contract.effect is None:
        raise InvalidSettings(
            f"the LangChain tool {tool.name} cannot be taken in: {'; '.join(each.sentence for each in findings)}",
            hint="docs/how-to/use-langchain-tools.md shows a whole contract",
            findings=findings,
        )
    return Tool(
        name=contract.name,
        version=contract.version,
        system=contract.system,
        summary=contract.summary,
        input=given,
        output=contract.output,
        effect=contract.effect,
        run=_Run(tool, contract),
        simulate=contract.simulate or (lambda _wanted, _key: Said(text="simulated")),
        lookup=contract.lookup,
        undo=contract.undo,
        irreversible=contract.irreversible,
        provides=contract.provides,
        key_lifetime=contract.key_lifetime,
        settle=contract.settle,
        timeout=contract.timeout,
        retry=Retry(),
        permission=contract.permission,
        data_classes=contract.data_classes,
        sensitive=contract.sensitive,
        amount=contract.amount,
        untrusted_output=contract.untrusted_output,
    )


@dataclass(frozen=True)
class _Run:
    """Calls the tool. It goes to its system by its own way, so that only its contract can say what a failure means."""

    tool: BaseTool
    contract: Contract

    async def __call__(self, call: Call, wanted: ToolModel) -> ToolModel:
        if fingerprint(self.tool) != self.contract.pinned:
            raise Permanent(f"{self.tool.name} is not the tool that was pinned any more.", code="tool_drift")
        call.leaving()
        try:
            said = await self.tool.ainvoke(wanted.model_dump(exclude_unset=True))
        except self.contract.did_not_happen as error:
            raise Permanent(f"{self.tool.name}: {error}", code="refused") from error
        except ToolException as error:
            kind = Permanent if self.contract.effect is EffectClass.READ else Ambiguous
            raise kind(f"{self.tool.name}: {error}", code="tool_error") from error
        if self.contract.output is Said:
            return Said(text=said if isinstance(said, str) else str(said))
        return self.contract.output.model_validate(said)


class _Untyped(Exception):
    """An input has no type that could be checked; the text says which."""


def _open(tool: BaseTool, contract: Contract | None) -> list[Finding]:
    """What the contract does not say and nobody may assume."""
    if contract is None:
        needed = "a contract: effect class, permission, what undoes it or why nothing does, and the pinned description"
        return [
            _finding(tool, "tool-no-contract", f"{tool.name} has no contract; it needs {needed}", "give a Contract")
        ]
    needs = {
        "effect": contract.effect is None,
        "permission": not contract.permission,
        "summary": not contract.summary.strip(),
        "simulate": contract.simulate is None and contract.output is not Said,
        "undo or irreversible": contract.effect not in {None, EffectClass.READ}
        and not (contract.undo or contract.irreversible),
        "lookup": contract.effect is EffectClass.RECONCILABLE and contract.lookup is None,
        "key_lifetime": contract.effect is EffectClass.KEYED and contract.key_lifetime is None,
    }
    missing = [name for name, is_open in needs.items() if is_open]
    sentence = f"the contract of {tool.name} does not say: {', '.join(missing)}"
    return [_finding(tool, "tool-contract-open", sentence, "say it, or leave the tool out")] if missing else []


def _drift(tool: BaseTool, contract: Contract | None) -> list[Finding]:
    if contract is None or contract.pinned == (now := fingerprint(tool)):
        return []
    if not contract.pinned:
        sentence = f"{tool.name} is not pinned: somebody has to read its description and schema first"
    else:
        sentence = f"{tool.name} has another name, description or schema than the one that was read and pinned"
    return [_finding(tool, "tool-drift", sentence, f"read it, then set pinned={now!r}")]


def _schema(tool: BaseTool) -> dict[str, Any]:
    """What a caller gives, as JSON Schema; what LangChain injects is not in it."""
    given = tool.tool_call_schema
    if isinstance(given, dict):
        return dict(given)
    return given.model_json_schema() if issubclass(given, BaseModel) else {"old": given.schema()}


def _input(tool: BaseTool, semantics: Mapping[str, str]) -> type[ToolModel]:
    given = tool.tool_call_schema
    if isinstance(given, dict):
        fields = _from_schema(given)
    elif issubclass(given, BaseModel):
        fields = {name: (each.annotation, each) for name, each in given.model_fields.items()}
    else:
        raise _Untyped(f"the arguments of {tool.name} are declared in an old form")
    unknown = sorted(set(semantics) - set(fields))
    if unknown:
        raise _Untyped(f"{tool.name} has no input {', '.join(unknown)}")
    typed = {name: _with_meaning(each, semantics.get(name, "")) for name, each in fields.items()}
    words = "".join(part.capitalize() for part in tool.name.replace("-", "_").split("_"))
    return create_model(words or "Given", __base__=ToolModel, __doc__="What is given to it.", **typed)


def _with_meaning(each: tuple[Any, Any], semantic: str) -> Any:
    kind, default = each
    return (Annotated[kind, Semantic(semantic)], default) if semantic else each


def _from_schema(schema: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Fields from a JSON Schema of plain properties; anything that cannot be checked is refused by name."""
    required = schema.get("required", ())
    fields: dict[str, tuple[Any, Any]] = {}
    for name, each in schema.get("properties", {}).items():
        kind = Literal[tuple(each["enum"])] if each.get("enum") else _KINDS.get(str(each.get("type")))
        if kind is None:
            raise _Untyped(f"the type of its input {name} cannot be read")
        told = str(each.get("description", ""))
        default = ... if name in required else each.get("default")
        fields[name] = (kind if name in required else kind | None, Field(default, description=told or None))
    return fields


def _finding(tool: BaseTool, code: str, sentence: str, fix: str) -> Finding:
    return Finding(code=code, place=tool.name, sentence=sentence, fix=fix)
