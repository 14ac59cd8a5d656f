"""Does each tool keep its contract? All findings at once, each with the file and the tool it is about."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from governance.effects import EffectClass
from governance.findings import Finding
from tools.contract import Tool
from tools.toolfile import ToolFile


def check_tools(ours: Sequence[ToolFile], company: Sequence[ToolFile]) -> list[Finding]:
    """What is wrong with these files as one catalog. A company's file may add tools and systems, never replace ours."""
    files = (*ours, *company)
    tools = {tool.id: tool for read in files for tool in read.tools}
    undoing = {tool.undo.tool for tool in tools.values() if tool.undo}
    findings = [*_shared_names(ours, company)]
    for read in files:
        for tool in read.tools:
            place = f"{read.place} {tool.id}"
            findings += [finding for check in _CHECKS for finding in check(place, tool)]
            findings += [*_undo(place, tool, tools), *_provides(place, tool, undoing)]
            if read.system is not None and tool.system != read.system.name:
                sentence = f"acts on the system {tool.system}, the file declares {read.system.name}"
                findings.append(_finding("tool_system", place, sentence, f"set system={read.system.name!r}"))
    return findings


def _shared_names(ours: Sequence[ToolFile], company: Sequence[ToolFile]) -> Iterator[Finding]:
    counts = Counter(tool.id for read in (*ours, *company) for tool in read.tools)
    for tool_id in (tool_id for tool_id, count in counts.items() if count > 1):
        yield _finding("tool_duplicate", tool_id, "is declared more than once", "give it another name or version")
    our_names = {tool.name for read in ours for tool in read.tools}
    for read in company:
        for tool in read.tools:
            if tool.name in our_names and counts[tool.id] == 1:
                sentence = "has the name of a tool that ships with Steward"
                yield _finding("tool_shadows", f"{read.place} {tool.id}", sentence, "give it a name of your own")
    systems = {read.system.name: read.system for read in ours if read.system}
    for read in company:
        if read.system and systems.setdefault(read.system.name, read.system) != read.system:
            sentence = f"declares the system {read.system.name} differently than another file does"
            fix = "import the other file's SYSTEM, change its address in systems.yaml, or choose another name"
            yield _finding("tool_system", read.place, sentence, fix)


def _effect(place: str, tool: Tool) -> Iterator[Finding]:
    if tool.effect is EffectClass.READ:
        if tool.undo:
            yield _finding("tool_read_with_effect", place, "is a read and has an undo")
        return
    if not tool.undo and not tool.irreversible:
        sentence = "has an effect, and neither an undo nor a word why there is none"
        yield _finding("tool_no_undo", place, sentence, "set undo=UndoCall(…) or irreversible='…'")
    if tool.effect is EffectClass.RECONCILABLE and tool.lookup is None:
        fix = "set lookup=…, or effect=EffectClass.UNSAFE"
        yield _finding("tool_no_lookup", place, "is reconcilable and has no lookup", fix)
    if tool.effect is EffectClass.KEYED and not tool.key_lifetime:
        fix = "set key_lifetime=timedelta(…)"
        yield _finding("tool_no_key_lifetime", place, "is keyed and does not say how long a key is honoured", fix)


def _arguments(place: str, tool: Tool) -> Iterator[Finding]:
    fields = set(tool.input.model_fields)
    named = {"sensitive": tool.sensitive, "amount": {tool.amount} - {""}, "closed": tool.closed}
    for word, names in named.items():
        for name in sorted(names - fields):
            fix = f"its inputs are {', '.join(sorted(fields))}"
            yield _finding("tool_unknown_input", place, f"{word} names {name}, which is not an input", fix)


def _name(place: str, tool: Tool) -> Iterator[Finding]:
    system, dot, act = tool.name.partition(".")
    words = all(part.isidentifier() and part.islower() for part in (*act.split("."), system))
    if not dot or not words or tool.version < 1:
        sentence = "must be named <system>.<act> in lower-case words, with a version from 1"
        yield _finding("tool_name", place, sentence, f"for instance {tool.system}.create_record")
    if tool.timeout.total_seconds() <= 0 or tool.retry.attempts < 1:
        yield _finding("tool_limits", place, "must have a time-out above zero and at least one attempt")


_CHECKS = (_effect, _arguments, _name)


def _undo(place: str, tool: Tool, tools: Mapping[str, Tool]) -> Iterator[Finding]:
    if tool.undo is None:
        return
    target = tools.get(tool.undo.tool)
    if target is None:
        sentence = f"its undo {tool.undo.tool} does not exist"
        yield _finding("tool_undo_unknown", place, sentence, "write it with its version: name@1")
        return
    if target.deferred:
        sentence = f"its undo {target.id} is deferred: a run that takes back cannot wait for answers"
        yield _finding("tool_undo_deferred", place, sentence, "undo it by a call that answers at once")
    fields = target.input.model_fields
    for name in sorted(tool.undo.args.keys() - fields.keys()):
        yield _finding("tool_undo_args", place, f"its undo gives {name}, which {target.id} does not take")
    for name in sorted(name for name, field in fields.items() if field.is_required() and name not in tool.undo.args):
        yield _finding("tool_undo_args", place, f"its undo does not give {name}, which {target.id} needs")
    scopes = {"input": tool.input.model_fields, "output": tool.output.model_fields}
    for reference in _references(tool.undo.args):
        root, _, path = reference.partition(".")
        if path.partition(".")[0] not in scopes.get(root, {}):
            yield _finding("tool_undo_args", place, f"its undo refers to {reference}, which there is not")


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _references(item)
    elif isinstance(value, dict):
        for name, item in value.items():
            if name == "$ref" and isinstance(item, str):
                yield item
            else:
                yield from _references(item)


def _provides(place: str, tool: Tool, undoing: set[str]) -> Iterator[Finding]:
    """What makes something, and is nobody's undo, must say what: goals are reached by that name."""
    if tool.effect is not EffectClass.READ and tool.undo and not tool.provides and tool.id not in undoing:
        fix = f"set provides='{tool.system}.…'"
        yield _finding("tool_no_provides", place, "makes something and does not say what exists afterwards", fix)


def _finding(code: str, place: str, sentence: str, fix: str = "") -> Finding:
    return Finding(code=code, place=place, sentence=sentence, fix=fix)
