"""The catalog: all tools that a run may use, ours and a company's, with their contracts checked when they are loaded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from importlib import import_module
from pathlib import Path
from types import MappingProxyType

from governance.canonical import digest
from governance.errors import InvalidSettings, NotFound
from governance.findings import Severity
from tools import inside
from tools.companyfiles import load_company_files
from tools.contract import System, Tool, ToolSpec
from tools.toolcheck import check_tools
from tools.toolfile import ToolFile, tool_file

OURS = (
    "tools.identity",
    "tools.payroll",
    "tools.orgchart",
    "tools.facilities",
    "tools.security",
    "tools.training",
    "tools.benefits",
    "tools.expenses",
    "tools.mail",
    "tools.procurement",
    "tools.support",
    "tools.billing",
)


@dataclass(frozen=True)
class Catalog:
    """Tools by their ids (``identity.create_account@1``) and systems by name. Made by :func:`load_catalog`."""

    tools: tuple[Tool, ...]
    systems: Mapping[str, System]

    def __iter__(self) -> Iterator[Tool]:
        return iter(self.tools)

    def __len__(self) -> int:
        return len(self.tools)

    def __contains__(self, tool_id: object) -> bool:
        return tool_id in self.by_id

    def __getitem__(self, tool_id: str) -> Tool:
        """The tool with this id.

        Raises:
            NotFound: with the nearest id in the hint.

        """
        try:
            return self.by_id[tool_id]
        except KeyError:
            near = self.suggest(tool_id)
            raise NotFound(f"there is no tool {tool_id}", hint=f"did you mean {near}?" if near else "") from None

    def latest(self, name: str) -> Tool | None:
        """The newest version of the tool with this name (without ``@version``), or None."""
        return max((tool for tool in self.tools if tool.name == name), key=lambda tool: tool.version, default=None)

    def suggest(self, name: str) -> str:
        """The id nearest to a name or id that does not exist, or an empty word."""
        wanted = name.rpartition("@")[0] or name
        acts = {tool.name.rpartition(".")[2]: tool.name for tool in reversed(self.tools)}
        names = [tool.name for tool in self.tools]
        near = get_close_matches(wanted, names, n=1) or [acts[act] for act in get_close_matches(wanted, acts, n=1)]
        tool = self.latest(near[0]) if near else None
        return tool.id if tool else ""

    @cached_property
    def by_id(self) -> Mapping[str, Tool]:
        """The tools by id."""
        return MappingProxyType({tool.id: tool for tool in self.tools})

    @cached_property
    def specs(self) -> Mapping[str, ToolSpec]:
        """The contracts as data, by id: what planners, the checker and people read."""
        return MappingProxyType({tool.id: tool.spec for tool in self.tools})

    @cached_property
    def digest(self) -> str:
        """Changes when any contract does."""
        return digest({tool_id: spec.digest for tool_id, spec in self.specs.items()})


def load_catalog(
    home: Path | None = None, *, ours: Sequence[str] = OURS, within: Sequence[Tool] = inside.TOOLS
) -> Catalog:
    """Load our tool files, then ``home/tools/*.py`` (a company's own), and check every contract.

    ``within`` are the tools that act inside Steward and have no system.

    Raises:
        InvalidSettings: files that do not load, tools whose contract does not hold; all problems at once.

    """
    own = [tool_file(import_module(name), place=f"{name.replace('.', '/')}.py") for name in ours]
    own.append(ToolFile("tools/inside.py", None, tuple(within)))
    company, findings = load_company_files(home / "tools") if home else ([], [])
    findings = [*findings, *(finding for read in (*own, *company) for finding in read.findings)]
    findings += check_tools(own, company)
    errors = [finding for finding in findings if finding.severity is Severity.ERROR]
    if errors:
        count = f"{len(errors)} problems" if len(errors) > 1 else "a problem"
        raise InvalidSettings(f"the tools have {count}: {errors[0]}", hint="mend the tool files named", findings=errors)
    return _joined((*own, *company))


def _joined(files: Iterable[ToolFile]) -> Catalog:
    files = tuple(files)
    tools = sorted((tool for read in files for tool in read.tools), key=lambda tool: (tool.name, tool.version))
    systems = {read.system.name: read.system for read in files if read.system}
    return Catalog(tuple(tools), MappingProxyType(dict(sorted(systems.items()))))
