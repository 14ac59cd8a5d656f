"""Mutators: each takes a good plan and gives every way of breaking it in one respect, with the finding that must come."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from governance.policy import Policy, PolicyRule, RulingKind
from plans.checked import Premises
from tests.unit.plans.company import CATALOG

Document = dict[str, Any]


@dataclass(frozen=True)
class Mutant:
    """A broken plan. One of ``codes`` must be found at a place that begins with ``place``."""

    what: str
    document: Document
    premises: Premises
    codes: frozenset[str]
    place: str


Mutator = Callable[[Document, Premises], Iterator[Mutant]]


def _at(document: Document, number: int, **changes: Any) -> Document:
    """The document with fields of one step replaced."""
    changed = copy.deepcopy(document)
    changed["steps"][number].update(changes)
    return changed


def _paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], dict[str, Any]]]:
    """All ``$ref`` in arguments, with where they stand."""
    if isinstance(value, dict):
        if set(value) == {"$ref"}:
            yield path, value
        else:
            for key, part in value.items():
                yield from _paths(part, (*path, key))
    elif isinstance(value, list):
        for number, part in enumerate(value):
            yield from _paths(part, (*path, number))


def _put(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    changed = copy.copy(value)
    changed[path[0]] = _put(value[path[0]], path[1:], new)
    return changed


def _used(document: Document, step_id: str) -> bool:
    text = repr([step["args"] for step in document["steps"]] + [step.get("when") for step in document["steps"]])
    afters = [name for step in document["steps"] for name in step.get("after", [])]
    return f"'{step_id}." in text or f"{{{step_id}." in text or step_id in afters


def drop_step(document: Document, given: Premises) -> Iterator[Mutant]:
    """A step that another or a goal needs is gone."""
    for number, step in enumerate(document["steps"]):
        changed = copy.deepcopy(document)
        del changed["steps"][number]
        codes = frozenset({"unknown-reference", "unknown-after", "goal-unreached"})
        if _used(document, step["id"]) or step["id"] in document["goal_steps"].values():
            yield Mutant(f"drop {step['id']}", changed, given, codes, "")


def drop_goal_step(document: Document, given: Premises) -> Iterator[Mutant]:
    """A goal has no step any more."""
    for name in document["goal_steps"]:
        changed = {**document, "goal_steps": {k: v for k, v in document["goal_steps"].items() if k != name}}
        if name != "nickname":
            yield Mutant(f"forget {name}", changed, given, frozenset({"goal-unreached"}), f"goal_steps.{name}")


def drop_argument(document: Document, given: Premises) -> Iterator[Mutant]:
    """An argument is gone that the tool requires or a goal binds."""
    bound = {(document["goal_steps"].get(goal.id), name) for goal in given.goals for name in goal.args}
    for number, step in enumerate(document["steps"]):
        required = CATALOG[step["tool"]].input.get("required", [])
        for name in step["args"]:
            if name in required or (step["id"], name) in bound:
                args = {key: value for key, value in step["args"].items() if key != name}
                codes = frozenset({"missing-argument", "goal-args-differ"})
                place = f"steps.{step['id']}.args.{name}"
                yield Mutant(f"drop {place}", _at(document, number, args=args), given, codes, place)


def rename_argument(document: Document, given: Premises) -> Iterator[Mutant]:
    """An argument has another name."""
    for number, step in enumerate(document["steps"]):
        for name in step["args"]:
            args = {f"{key}x" if key == name else key: value for key, value in step["args"].items()}
            place = f"steps.{step['id']}.args.{name}x"
            changed = _at(document, number, args=args)
            yield Mutant(f"rename {place}", changed, given, frozenset({"unknown-argument"}), place)


def rename_tool(document: Document, given: Premises) -> Iterator[Mutant]:
    """A tool, or its version, does not exist."""
    for number, step in enumerate(document["steps"]):
        place = f"steps.{step['id']}.tool"
        name, _, version = step["tool"].partition("@")
        wrong = {"unknown-tool": f"{name}x@{version}", "unknown-version": f"{name}@{version}0"}
        for code, tool in wrong.items():
            yield Mutant(f"{place}={tool}", _at(document, number, tool=tool), given, frozenset({code}), place)


def rename_reference(document: Document, given: Premises) -> Iterator[Mutant]:
    """A reference names a step or a field that is not there."""
    for number, step in enumerate(document["steps"]):
        for path, found in _paths(step["args"]):
            root, _, rest = found["$ref"].partition(".")
            for wrong in (f"{root}x.{rest}", f"{root}.{rest}x") if rest else (f"{root}x",):
                changed = _at(document, number, args=_put(step["args"], path, {"$ref": wrong}))
                place = f"steps.{step['id']}.args.{path[0]}"
                yield Mutant(f"{place}={wrong}", changed, given, frozenset({"unknown-reference"}), place)


def retype_reference(document: Document, given: Premises) -> Iterator[Mutant]:
    """A reference names something of another type: a boolean, or an object."""
    probe = {"id": "probe", "tool": "identity.find_account@1", "reason": "-", "confidence": 1}
    probe["args"] = {"email": {"$ref": "request.email"}}
    codes = frozenset({"type-mismatch", "semantic-mismatch"})
    for number, step in enumerate(document["steps"]):
        for path, _ in _paths(step["args"]):
            for wrong in ("probe.active", "probe"):
                changed = _at(document, number, args=_put(step["args"], path, {"$ref": wrong}))
                changed["steps"].append(probe)
                place = f"steps.{step['id']}.args.{path[0]}"
                yield Mutant(f"{place}={wrong}", changed, given, codes, place)


def retype_literal(document: Document, given: Premises) -> Iterator[Mutant]:
    """A literal has another type."""
    for number, step in enumerate(document["steps"]):
        for name, value in step["args"].items():
            if not isinstance(value, dict | list):
                wrong = 7 if isinstance(value, str) else "seven"
                changed = _at(document, number, args={**step["args"], name: wrong})
                place = f"steps.{step['id']}.args.{name}"
                yield Mutant(f"{place}={wrong!r}", changed, given, frozenset({"bad-literal"}), place)


def drop_after(document: Document, given: Premises) -> Iterator[Mutant]:
    """A step does not wait any more for what it must wait for."""
    for number, step in enumerate(document["steps"]):
        for name in step.get("after", []):
            rest = [other for other in step["after"] if other != name]
            codes = frozenset({"irreversible-unordered", "goal-order"})
            if CATALOG[step["tool"]].irreversible or step["id"] == "two":
                place = f"steps.{step['id']}.after"
                yield Mutant(f"{step['id']} not after {name}", _at(document, number, after=rest), given, codes, place)


def reverse_order(document: Document, given: Premises) -> Iterator[Mutant]:
    """A step waits for one that waits for it, or for something irreversible."""
    for number, step in enumerate(document["steps"]):
        for other in document["steps"]:
            needs = f"'{step['id']}." in repr(other["args"]) or step["id"] in other.get("after", [])
            if needs:
                changed = _at(document, number, after=[*step.get("after", []), other["id"]])
                yield Mutant(f"{step['id']} after {other['id']}", changed, given, frozenset({"cycle"}), "steps.")


def undo_last(document: Document, given: Premises) -> Iterator[Mutant]:
    """Something that can be undone comes after something that cannot."""
    for step in document["steps"]:
        if CATALOG[step["tool"]].irreversible:
            late = {"id": "late", "tool": "post.send_parcel@1", "reason": "-", "confidence": 1, "after": [step["id"]]}
            late["args"] = {"address": {"street": "Main", "number": 1}}
            changed = {**document, "steps": [*document["steps"], late]}
            yield Mutant(f"late {step['id']}", changed, given, frozenset({"irreversible-too-early"}), "steps.late")


def ungate(document: Document, given: Premises) -> Iterator[Mutant]:
    """The policy's gates are gone, let everything pass, or have nobody to answer them."""
    blanket = PolicyRule(name="all", then=RulingKind.GO, because="why not")
    for step in document["steps"]:
        if CATALOG[step["tool"]].irreversible:
            free = replace(given, policy=Policy((blanket,)))
            place = f"steps.{step['id']}"
            yield Mutant(f"ungate {place}", document, free, frozenset({"irreversible-ungated"}), place)
    ask = PolicyRule(name="ask", then=RulingKind.GATE, because="look", approvers=("finance",))
    for rules in ((), (ask.model_copy(update={"approvers": ()}),), (ask.model_copy(update={"approvers": ("hr",)}),)):
        for step in document["steps"]:
            closed = replace(given, policy=Policy(rules))
            yield Mutant(f"nobody {step['id']}", document, closed, frozenset({"no-approver"}), f"steps.{step['id']}")


def drop_when(document: Document, given: Premises) -> Iterator[Mutant]:
    """A step runs always, though what it refers to may be skipped or missing."""
    for number, step in enumerate(document["steps"]):
        whens = {other["id"]: other.get("when") for other in document["steps"]}
        uses = [found["$ref"] for _, found in _paths(step["args"])]
        if step.get("when") and any(whens.get(use.partition(".")[0]) or use == "known.alias" for use in uses):
            codes = frozenset({"unsure-reference", "may-be-missing"})
            place = f"steps.{step['id']}.args"
            yield Mutant(f"always {step['id']}", _at(document, number, when=None), given, codes, place)


MUTATORS: tuple[Mutator, ...] = (
    drop_step,
    drop_goal_step,
    drop_argument,
    rename_argument,
    rename_tool,
    rename_reference,
    retype_reference,
    retype_literal,
    drop_after,
    reverse_order,
    undo_last,
    ungate,
    drop_when,
)
