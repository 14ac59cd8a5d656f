"""Commands about what Steward knows: tools, playbooks, people. None of them needs a database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from governance.errors import InvalidInput
from governance.findings import Finding, Severity
from playbooks.model import Playbook
from surfaces.cli.exits import Status
from surfaces.cli.options import Json
from surfaces.cli.plan_page import findings_part
from surfaces.cli.screen import open_screen, rule
from surfaces.cli.session import know, read_settings
from surfaces.cli.shapes import people_shape, plain
from surfaces.cli.tables import count, listing, pairs
from surfaces.cli.timeline import brief, namer

PANEL = "Knowledge"


def tools(
    system: Annotated[str | None, typer.Option("--system", help="Only this system's.")] = None, json: Json = False
) -> None:
    """List the tools: what Steward can do, on which system, with which effect."""
    screen = open_screen(json=json)
    specs = sorted((tool.spec for tool in know(read_settings()).catalog.tools), key=lambda spec: spec.id)
    systems = sorted({spec.system for spec in specs})
    if system is not None and system not in systems:
        raise InvalidInput(f"There is no system {system}.", hint=f"There are {', '.join(systems)}")
    found = [spec for spec in specs if system in {None, spec.system}]
    if screen.json:
        screen.data(plain(found))
    table = listing("tool", "effect", "undo", "what it does", wrap=("what it does",))
    for spec in found:
        undo = spec.undo.tool.partition("@")[0].partition(".")[2] if spec.undo else "none" if spec.irreversible else ""
        table.add_row(spec.id, Text(spec.effect.value, style="dim"), Text(undo, style="dim"), spec.summary)
    screen.show(table)


def tool(name: Annotated[str, typer.Argument(metavar="NAME")], json: Json = False) -> None:
    """Show one tool's contract."""
    screen = open_screen(json=json)
    shape = plain(know(read_settings()).tool(name))
    if screen.json:
        screen.data(shape)
    screen.show(_tool_page(shape))


def playbooks(json: Json = False) -> None:
    """List the playbooks: the kinds of work that Steward knows."""
    screen = open_screen(json=json)
    found = [playbook for _, playbook in sorted(know(read_settings()).playbooks.items())]
    if screen.json:
        screen.data(plain(found))
    table = listing("playbook", "goals", "what it is for", wrap=("what it is for",))
    for playbook in found:
        table.add_row(playbook.id, "open" if playbook.open_goals else str(len(playbook.goals)), playbook.summary)
    screen.show(table)


def playbook(
    name: Annotated[str, typer.Argument(metavar="NAME|check", help="A playbook; or the word check.")],
    path: Annotated[
        Path | None,
        typer.Argument(metavar="[FOLDER|FILE]", help="After check: a STEWARD_HOME, or one playbook's file."),
    ] = None,
    json: Json = False,
) -> None:
    """Show one playbook; `playbook check` says whether playbooks can work with the tools and people there are."""
    if name == "check":
        from surfaces.cli.playbook_check import check  # noqa: PLC0415 - loads every tool

        raise typer.Exit(check(open_screen(json=json), path))
    screen = open_screen(json=json)
    found = know(read_settings()).playbook(name)
    if screen.json:
        screen.data(plain(found))
    screen.show(_playbook_page(found))


def people(json: Json = False) -> None:
    """List the people that Steward knows: roles, managers, stand-ins."""
    screen = open_screen(json=json)
    directory = know(read_settings()).directory
    found = directory.everyone()
    if screen.json:
        screen.data(people_shape(found))
    name = namer(directory)
    table = listing("e-mail", "name", "roles", "manager", "stand-in", wrap=("roles",))
    for person in found:
        roles = ", ".join(sorted(person.roles))
        table.add_row(person.id, person.name, roles, name(person.manager or ""), name(person.delegate or ""))
    screen.show(table)


def findings_status(findings: Sequence[Finding]) -> Status:
    """FAILED when one of them forbids."""
    return Status.FAILED if any(finding.severity is Severity.ERROR for finding in findings) else Status.OK


def _tool_page(shape: Mapping[str, Any]) -> RenderableType:
    facts = [
        ("system", shape["system"]),
        ("does", shape["summary"]),
        ("provides", shape["provides"]),
        ("effect", shape["effect"].replace("_", " ") + (", has a lookup" if shape["has_lookup"] else "")),
        (
            "undo",
            f"{shape['undo']['tool']} with {brief(shape['undo']['args'])}" if shape["undo"] else shape["irreversible"],
        ),
        ("key lives", f"{shape['key_lifetime_s']:g} s" if shape["key_lifetime_s"] else ""),
        ("settles", f"{shape['settle_s']:g} s after a lost call" if shape["settle_s"] else ""),
        ("search lags", f"{shape['lag_s']:g} s" if shape["lag_s"] else ""),
        ("time-out", f"{shape['timeout_s']:g} s for each attempt"),
        ("permission", shape["permission"]),
        ("data", ", ".join(shape["data_classes"])),
        ("sensitive", ", ".join(shape["sensitive"])),
        ("amount", shape["amount"]),
    ]
    return Group(
        Text(shape["id"], style="bold"),
        pairs((name, value) for name, value in facts if value),
        rule("Takes"),
        _schema_table(shape["input"]),
        rule("Gives"),
        _schema_table(shape["output"]),
    )


def _schema_table(schema: Mapping[str, Any]) -> RenderableType:
    fields = schema.get("properties", {})
    if not fields:
        return Text("nothing", style="dim")
    required = set(schema.get("required", ()))
    table = listing("name", "type", "", "meaning", wrap=("type", "meaning"))
    for name, field in fields.items():
        need = Text("required" if name in required else "optional", style="" if name in required else "dim")
        table.add_row(name, _kind(field, schema.get("$defs", {})), need, field.get("description", ""))
    return table


def _kind(field: Mapping[str, Any], defs: Mapping[str, Any]) -> str:
    """A field's type in words: its semantic type where it has one, else what JSON Schema says."""
    if "$ref" in field:
        name = str(field["$ref"]).rpartition("/")[2]
        inner = defs.get(name, {})
        return _kind(inner, defs) if "properties" not in inner else name
    if "x-semantic" in field:
        return str(field["x-semantic"])
    if "anyOf" in field:
        kinds = [_kind(part, defs) for part in field["anyOf"] if part.get("type") != "null"]
        return " or ".join(dict.fromkeys(kinds))
    if "enum" in field:
        return " | ".join(str(value) for value in field["enum"])
    if "const" in field:
        return str(field["const"])
    if field.get("type") == "array":
        return f"list of {_kind(field.get('items', {}), defs) or 'values'}"
    return str(field.get("format") or field.get("type") or "any")


def _playbook_page(found: Playbook) -> RenderableType:
    goals = listing("goal", "provides", "only when", "because", wrap=("only when", "because"))
    for goal in found.goals:
        goals.add_row(goal.id, goal.provides, _condition(goal.when), goal.reason)
    facts = [
        ("for", found.summary),
        ("title", found.title),
        ("permission", found.permission),
        ("review within", f"{found.sla.review_hours:g} h"),
        ("chain", ", ".join(found.chain)),
        ("words", ", ".join(found.phrases)),
    ]
    parts: list[RenderableType] = [
        Text(found.id, style="bold"),
        pairs((name, value) for name, value in facts if value),
        rule("Request"),
        _request_fields(found),
        rule("Goals" if found.open_goals else count(len(found.goals), "goal").capitalize()),
        *([Text("Each request names its own, in its field goals.")] if found.open_goals else []),
        *([goals] if found.goals else []),
    ]
    if found.guidance:
        parts += [rule("Guidance"), Text(" ".join(found.guidance.split()))]
    return Group(*parts)


def _request_fields(found: Playbook) -> Table:
    required = set(found.request.get("required", ()))
    table = listing("field", "type", "", "meaning", wrap=("type", "meaning"))
    for name, field in found.request.get("properties", {}).items():
        given = "required" if name in required else f"default {field['default']}" if "default" in field else "optional"
        meaning = field.get("description") or field.get("x-ask", "")
        table.add_row(name, _kind(field, {}), Text(given, style="" if name in required else "dim"), meaning)
    return table


def _condition(when: Mapping[str, Any] | None) -> str:
    if when is None:
        return ""
    from plans.wording import condition_text  # noqa: PLC0415 - needed for this one page

    return condition_text(when)


def report(findings: Sequence[Finding], what: str) -> RenderableType:
    """Findings about files, or that there are none."""
    if not findings:
        return Text(f"✓ {what}: nothing to mend.", style="green")
    return findings_part(findings)
