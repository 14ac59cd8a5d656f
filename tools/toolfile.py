"""A tool file: the module's ``SYSTEM`` and ``TOOLS``, read."""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType

from governance.findings import Finding
from tools.contract import System, Tool


@dataclass(frozen=True)
class ToolFile:
    """What one file declares. ``place`` is how findings name it."""

    place: str
    system: System | None
    tools: tuple[Tool, ...]
    findings: tuple[Finding, ...] = ()


def tool_file(module: ModuleType, *, place: str) -> ToolFile:
    """Read ``SYSTEM`` and ``TOOLS``; what is missing or something else becomes a finding."""
    system = getattr(module, "SYSTEM", None)
    listed = getattr(module, "TOOLS", None)
    tools = tuple(listed) if isinstance(listed, list | tuple) else ()
    findings = []
    if not isinstance(system, System):
        findings.append(_missing(place, "SYSTEM", "SYSTEM = System(name=…, title=…, auth=…, url=…)"))
        system = None
    if not tools or not all(isinstance(tool, Tool) for tool in tools):
        findings.append(_missing(place, "TOOLS", "TOOLS = (Tool(…), …)"))
        tools = ()
    return ToolFile(place, system, tools, tuple(findings))


def _missing(place: str, name: str, example: str) -> Finding:
    return Finding(
        code="tool_file_incomplete",
        place=place,
        sentence=f"does not declare {name} at its end",
        fix=f"add {example}",
    )
