"""The pages of docs/reference that are made from the code. ``python -m tests.house.reference_pages`` writes them."""

from __future__ import annotations

import inspect
import json
import types
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from governance import errors, events
from governance.record import DecisionRecord, record_schema
from runtime.settings import Settings
from surfaces.cli.exits import status_of
from tests.house.tree import ROOT
from tools.catalog import load_catalog
from tools.contract import System, Tool, ToolSpec

FOLDER = ROOT / "docs" / "reference"
_PLAIN: Mapping[Any, str] = {
    str: "text",
    int: "number",
    float: "number",
    bool: "true or false",
    datetime: "moment",
    Path: "path",
    SecretStr: "secret",
    Any: "any value",
    type(None): "nothing",
}


def settings_page() -> str:
    """Every variable of ``runtime.settings``."""
    rows = [
        (f"`STEWARD_{name.upper()}`", _type(field.annotation), _default(field), field.description or "")
        for name, field in Settings.model_fields.items()
    ]
    return _page(
        "Settings",
        "runtime/settings.py",
        "Settings are environment variables. Beside them only the files in `STEWARD_HOME` configure Steward, and the secrets "
        "that [systems.yaml](../how-to/connect-real-systems.md) refers to.",
        _table(("variable", "type", "default", "meaning"), rows),
        "`STEWARD_USER` names who acts at the command line ([commands](cli.md)). Steward itself does not read `DATABASE_URL`.",
        "In Python they are the fields of `Settings`, which can be given instead: `Settings(state=Path('here'))`.",
    )


def events_page() -> str:
    """Every kind of event, and the values inside them."""
    bodies = typing.get_args(typing.get_args(events.Body)[0])
    parts = [part for body in bodies for part in _model(body, f"### `{body.model_fields['kind'].default}`")]
    values = [part for value in _inside(bodies) for part in _value(value)]
    return _page(
        "Events",
        "governance/events.py",
        "A run's journal is a list of events. Each row has `run_id`, `seq` (from 1, without gaps), `at`, `kind`, `cause` "
        "(what made it, unique in a run: the same cause cannot be journaled twice), `body` (the fields below, as canonical "
        "JSON), `salt` and the hashes of [the chain](../explanation/the-journal.md).",
        "## Kinds",
        *parts,
        "## Values inside",
        *values,
    )


def tools_page() -> str:
    """The catalog that ships."""
    catalog = load_catalog()
    parts: list[str] = []
    for name, system in catalog.systems.items():
        tools = [tool for tool in catalog.tools if tool.system == name]
        parts += [f"## {system.title} (`{name}`)", _auth(system), _tools(tools)]
    within = [tool for tool in catalog.tools if tool.system not in catalog.systems]
    calls = "Act inside Steward and call nobody: [how they are used](../how-to/wait-for-other-systems.md)."
    parts += ["## Steward itself", calls, _tools(within)]
    return _page(
        "Tools",
        "the catalog (tools/)",
        f"{len(catalog) - len(within)} tools on {len(catalog.systems)} systems, and {len(within)} of Steward's own. "
        "`steward tool NAME` shows one whole, with its input and output; `steward tools` also lists a company's own. What "
        "the effect classes mean: "
        "[effects](../explanation/effects.md).",
        *parts,
    )


def errors_page() -> str:
    """The tree, and what each error leads to."""
    tree = inspect.getdoc(errors) or ""
    rows = [
        (f"`{kind.__name__}`", _line(kind), kind.remedy.value, str(status_of(kind("x")).value))
        for kind in _tree(errors.StewardError)
    ]
    return _page(
        "Errors",
        "governance/errors.py and surfaces/cli/exits.py",
        "Every error that Steward raises has one sentence for a person (`str(error)`) and, where there is one, a way out "
        "(`error.hint`). `InvalidInput` has every problem at once in `error.findings`.",
        f"```\n{tree.partition(chr(10) * 2)[2].strip()}\n```",
        _table(("error", "what it is", "remedy", "exit status"), rows),
        "The remedy says what the caller does next: `retry` later, `fail`, `ask` a person, or `stop` and write nothing. "
        "The exit status is the command line's ([all of them](cli.md#exit-statuses)).",
    )


def decisions_page() -> str:
    """The record that ``steward decisions export`` writes, field by field."""
    values = [part for value in _inside([DecisionRecord]) for part in _value(value)]
    return _page(
        "Decision records",
        "governance/record.py",
        "A line of `steward decisions export` is one record, as JSON in UTF-8. [decision.schema.json](decision.schema.json) "
        "is its JSON Schema; [who decided this, and why](../how-to/who-decided-this.md) shows how to use it.",
        "**The promise.** `schema` names the form. Within `steward.decision/1` fields and kinds may be added, and none is "
        "removed, renamed or given another meaning; whatever breaks that gets another number. Every field is in every "
        "line. Moments are UTC, costs millionths of a US dollar, latencies milliseconds, confidences 0 to 1.",
        "Lines come run by run, oldest run first, and in the order of the journal within a run.",
        *_model(DecisionRecord, "## A record"),
        "## Values",
        *values,
    )


def decision_schema() -> str:
    """The same as a JSON Schema."""
    return json.dumps(record_schema(), indent=2) + "\n"


PAGES: Mapping[str, Callable[[], str]] = {
    "settings.md": settings_page,
    "events.md": events_page,
    "tools.md": tools_page,
    "errors.md": errors_page,
    "decisions.md": decisions_page,
    "decision.schema.json": decision_schema,
}


def _page(title: str, source: str, *parts: str) -> str:
    made = f"<!-- Made from {source} by `python -m tests.house.reference_pages`; do not edit. -->"
    return "\n\n".join([f"# {title}", made, *parts]) + "\n"


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [tuple(head)]
    lines += [tuple("---" for _ in lines[0])]
    lines += [tuple(" ".join(cell.replace("|", "\\|").split()) for cell in row) for row in rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _line(thing: Any) -> str:
    """What its docstring says, as code in Markdown."""
    return " ".join((inspect.getdoc(thing) or "").replace("``", "`").split())


def _model(model: type[BaseModel], heading: str) -> list[str]:
    rows = [
        (
            f"`{field.alias or name}`",
            _type(field.annotation),
            "required" if field.is_required() else _default(field) or "nothing",
            field.description or "",
        )
        for name, field in model.model_fields.items()
        if name != "kind" or typing.get_origin(field.annotation) is not Literal
    ]
    described = any(row[3] for row in rows)
    head = ("field", "type", "default", "meaning")
    kept = rows if described else [row[:3] for row in rows]
    return [heading, _line(model), _table(head if described else head[:3], kept)]


def _value(value: type[BaseModel | StrEnum]) -> list[str]:
    heading = f"### {value.__name__}"
    if issubclass(value, BaseModel):
        return _model(value, heading)
    return [heading, f"{_line(value)} One of {', '.join(f'`{each.value}`' for each in value)}."]


def _inside(models: Iterable[type[BaseModel]]) -> list[type[BaseModel | StrEnum]]:
    """Models and choices that these models are made of, by name."""
    found: dict[str, type[BaseModel | StrEnum]] = {}
    queue = [leaf for model in models for field in model.model_fields.values() for leaf in _leaves(field.annotation)]
    while queue:
        leaf = queue.pop()
        if inspect.isclass(leaf) and issubclass(leaf, BaseModel | StrEnum) and leaf.__name__ not in found:
            found[leaf.__name__] = leaf
            if issubclass(leaf, BaseModel):
                queue += [inner for field in leaf.model_fields.values() for inner in _leaves(field.annotation)]
    return [found[name] for name in sorted(found)]


def _leaves(annotation: Any) -> Iterator[Any]:
    arguments = typing.get_args(annotation)
    if not arguments or typing.get_origin(annotation) is Literal:
        yield annotation
    for argument in arguments:
        yield from _leaves(argument)


def _type(annotation: Any) -> str:
    """A type in words; models and choices are links to their sections."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if annotation in _PLAIN:
        return _PLAIN[annotation]
    if origin is Annotated:
        return _type(arguments[0])
    if origin is Literal:
        return " or ".join(f"`{value}`" for value in arguments)
    if origin in {types.UnionType, typing.Union}:
        return " or ".join(_type(argument) for argument in arguments if argument is not type(None))
    if origin in {tuple, list, frozenset}:
        return f"list of {_type(arguments[0])}"
    if origin is dict:
        return "object"
    return f"[{annotation.__name__}](#{annotation.__name__.lower()})"


def _default(field: FieldInfo) -> str:
    default = field.get_default(call_default_factory=True)
    if isinstance(default, StrEnum):
        return f"`{default.value}`"
    if default is None or default in ("", (), {}):
        return ""
    if isinstance(default, tuple):
        return ", ".join(f"`{each}`" for each in default)
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


def _auth(system: System) -> str:
    kinds = {
        "OAuth2": "OAuth2 client credentials",
        "ApiKey": "an API key in a header",
        "Basic": "user name and password",
    }
    return f"Opens with {kinds[type(system.auth).__name__]}; at most {system.concurrency} calls at once."


def _tools(tools: Iterable[Tool]) -> str:
    rows = [
        (
            f"`{tool.id}`",
            tool.summary,
            _effect(tool.spec),
            f"`{tool.undo.tool}`" if tool.undo else tool.irreversible,
            "yes" if tool.lookup else "",
            f"`{tool.permission}`" if tool.permission else "",
        )
        for tool in tools
    ]
    return _table(("tool", "what it does", "effect class", "undo", "lookup", "permission"), rows)


def _effect(spec: ToolSpec) -> str:
    life = f" ({spec.key_lifetime_s:g} s)" if spec.key_lifetime_s else ""
    return spec.effect.value.replace("_", " ") + life


def _tree(kind: type[errors.StewardError]) -> Iterator[type[errors.StewardError]]:
    yield kind
    for child in kind.__subclasses__():
        if child.__module__ == errors.__name__:
            yield from _tree(child)


if __name__ == "__main__":
    for name, page in PAGES.items():
        (FOLDER / name).write_text(page(), encoding="utf-8")
