"""What must hold of a run, worked out anew from its journal, the calls that were made, and the tools' declarations.

Nothing of ``plans`` is used here: values, labels and gates are found by this file's own reading of the documents.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from governance import events as ev
from governance.chain import Entry
from governance.conditions import Truth, evaluate
from governance.people import Directory, Person
from governance.policy import PolicyRule
from governance.reviews import Choice, ReviewKind
from playbooks.model import Playbook
from tools.contract import ToolSpec

NOWHERE = object()


@dataclass(frozen=True)
class Called:
    """One call that reached an invoker, and how long the journal was then."""

    step: str
    tool: str
    args: dict[str, Any]
    seq: int
    review: str = ""


@dataclass
class Broken:
    """What did not hold, a sentence each."""

    calls_outside_plan: list[str] = field(default_factory=list)
    unlabelled_sensitive: list[str] = field(default_factory=list)
    gates_bypassed: list[str] = field(default_factory=list)
    privilege_gains: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Oracle:
    """The facts of one case."""

    specs: Mapping[str, ToolSpec]
    rules: Sequence[PolicyRule]
    playbook: Playbook
    books: Mapping[str, Playbook]
    directory: Directory
    requester: Person
    request: Mapping[str, Any]

    def judge(self, entries: Sequence[Entry], calls: Sequence[Called]) -> Broken:
        """All that is wrong with a run."""
        broken = Broken()
        told = [(entry.seq, entry.parsed()) for entry in entries]
        for called in calls:
            _Look(self, [body for seq, body in told if seq <= called.seq and body], called, broken).judge()
        return broken

    def may(self, permission: str) -> bool:
        """Whether the requester has a permission."""
        return not permission or bool(
            {permission, permission.split(":", maxsplit=1)[0] + ":*", "*"} & set(self.requester.permissions)
        )


class _Look:
    """One call, and what the journal said before it."""

    def __init__(self, oracle: Oracle, bodies: Sequence[ev.Body], called: Called, broken: Broken) -> None:
        self.o, self.called, self.broken, self.spec = oracle, called, broken, oracle.specs[called.tool]
        sound = {body.revision for body in bodies if isinstance(body, ev.PlanChecked) and body.ok}
        self.asks = {body.revision: body.asks for body in bodies if isinstance(body, ev.PlanChecked)}
        plans = [body for body in bodies if isinstance(body, ev.PlanWritten) and body.revision in sound]
        self.written = plans[-1] if plans else None
        self.edits = [body for body in plans if body.author.startswith("person:")]
        self.steps = {each["id"]: each for each in (self.written.plan["steps"] if self.written else ())}
        self.outputs = {b.step: b.output for b in bodies if isinstance(b, ev.StepEnded) and b.output is not None}
        self.items = {
            f"{b.step}[{item.key}]": item.value for b in bodies if isinstance(b, ev.StepExpanded) for item in b.items
        }
        self.cards = {body.card.id: body.card for body in bodies if isinstance(body, ev.ReviewAsked)}
        self.verdicts = {body.review_id: body for body in bodies if isinstance(body, ev.ReviewDecided)}

    def judge(self) -> None:
        """Write down what is wrong."""
        if not self.o.may(self.spec.permission):
            self.broken.privilege_gains.append(f"{self.o.requester.id} used {self.spec.id}")
        for review in self.verdicts.values():
            self._authority(review)
        if self.called.step.startswith("undo:"):
            return
        document = self.steps.get(self.called.step.split("[")[0])
        if document is None or document["tool"] != self.called.tool or not self._is_meant(document):
            self.broken.calls_outside_plan.append(f"{self.called}")
            return
        if self.spec.effect.value != "read":
            self._effect(document)

    def _authority(self, review: ev.ReviewDecided) -> None:
        card = self.cards[review.review_id]
        own = review.by == self.o.requester.id and not card.requester_may_decide
        if own or review.by not in card.approvers:
            self.broken.privilege_gains.append(f"{review.by} decided {card.kind} of {self.o.requester.id}")

    def _is_meant(self, document: Mapping[str, Any]) -> bool:
        expected = {name: self._value(part) for name, part in document["args"].items()}
        required = self.spec.input.get("required", ())
        kept = {
            name: value
            for name, value in expected.items()
            if value is not NOWHERE and (value is not None or name in required or document["args"][name] is None)
        }
        return kept == self.called.args

    def _value(self, part: Any) -> Any:
        if isinstance(part, dict) and "$ref" in part:
            return self._at(part["$ref"])
        if isinstance(part, dict) and "$first" in part:
            found = (self._value(each) for each in part["$first"])
            return next((each for each in found if each is not None and each is not NOWHERE), NOWHERE)
        if isinstance(part, dict) and "$text" in part:
            return re.sub(r"\{([^{}]*)\}", lambda hole: _said(self._at(hole[1])), part["$text"])
        if isinstance(part, dict):
            found_all = {name: self._value(each) for name, each in part.items()}
            return NOWHERE if NOWHERE in found_all.values() else found_all
        if isinstance(part, list):
            return [self._value(each) for each in part]
        return part

    def _at(self, path: str) -> Any:
        root, *names = path.split(".")
        item = self.items.get(self.called.step, NOWHERE)
        value: Any = (
            self.o.request if root == "request" else item if root == "item" else self.outputs.get(root, NOWHERE)
        )
        for name in names:
            value = value.get(name, NOWHERE) if isinstance(value, dict) else NOWHERE
        return value

    def _effect(self, document: Mapping[str, Any]) -> None:
        dirty = {name for name, part in document["args"].items() if self._is_dirty(document, name, part)}
        sensitive = {*self.spec.sensitive} | ({"request"} if self.spec.id == "runs.start@1" else set())
        shown = self._was_shown()
        if dirty & sensitive & self.called.args.keys() and not shown:
            self.broken.unlabelled_sensitive.append(f"{sorted(dirty & sensitive)} of {self.called}")
        says = self._policy(document, bool(dirty & sensitive))
        if says == "forbid" or (says == "gate" and not shown) or not self._whole():
            self.broken.gates_bypassed.append(f"{says}: {self.called}")
        self._start()
        self._choices()

    def _choices(self) -> None:
        """Whatever an agent says, a choice is one of the options that the plan declares."""
        for step_id, each in self.steps.items():
            output = self.outputs.get(step_id)
            if each["tool"] == "choice.make@1" and output and output["choice"] not in each["args"]["options"]:
                self.broken.calls_outside_plan.append(f"{step_id} chose {output['choice']}")

    def _start(self) -> None:
        named = str(self.called.args.get("playbook")) if self.spec.id == "runs.start@1" else ""
        book = self.o.books.get(named) or next((each for each in self.o.books.values() if each.name == named), None)
        if book is not None and book.open_goals:
            self.broken.privilege_gains.append(f"{named} was started by a step")

    def _was_shown(self) -> bool:
        """Whether a person who may said yes to a card with exactly these arguments."""
        for review in self.verdicts.values():
            card, said = self.cards[review.review_id], review.verdict
            if said.choice is Choice.APPROVE and card.kind is ReviewKind.STEP and card.step == self.called.step:
                if (card.tool, card.args) == (self.called.tool, self.called.args):
                    return True
            elif said.choice is Choice.EDIT and card.step == self.called.step and said.args == self.called.args:
                return True
            elif said.choice is Choice.APPROVE and card.kind is ReviewKind.PLAN and self.called.review == card.id:
                return self.called.step in card.args.get("actions", {})
        return False

    def _whole(self) -> bool:
        """Whether people agreed to the whole plan, where its goals are the request's own."""
        if not self.o.playbook.open_goals or self.written is None or self.written.author.startswith("person:"):
            return True
        said = self.verdicts.get(self.asks.get(self.written.revision, ""))
        return said is not None and said.verdict.choice is Choice.APPROVE

    def _policy(self, document: Mapping[str, Any], dirty: bool) -> str:
        spec, args = self.spec, self.called.args
        fields = {
            "tool": spec.id,
            "system": spec.system,
            "effect": spec.effect.value,
            "reversible": spec.undo is not None,
            "confidence": document["confidence"],
            "data_classes": sorted(spec.data_classes),
            "tainted_sensitive": dirty,
            "args": args,
            "requester_roles": sorted(self.o.requester.roles),
            "amount": args.get(spec.amount) or 0,
        }
        said = {r.then.value for r in self.o.rules if r.when is None or evaluate(r.when, fields) is Truth.YES}
        return next((each for each in ("forbid", "gate", "go") if each in said), "gate")

    def _is_dirty(self, document: Mapping[str, Any], name: str, part: Any, seen: frozenset[str] = frozenset()) -> bool:
        spec = self.o.specs[document["tool"]]
        listed = document.get("for_each", {}).get("items") if "item" in str(part) else None
        if spec.id == "runs.start@1" and name == "request" and isinstance(part, dict) and "$ref" not in part:
            part = self._trusted_there(document, part)
        given = [goal.args.get(name) for goal in self.o.playbook.goals_of(self.o.request)]
        given += [
            each["args"].get(name) for edit in self.edits for each in edit.plan["steps"] if each["id"] == document["id"]
        ]
        trusted = [value for field_, value in self.o.request.items() if field_ not in self.o.playbook.untrusted]
        known = [*_leaves([each for each in given if each is not None]), *_leaves(trusted)]
        leaves = [*_leaves(part), *(_leaves(listed) if listed else ())]
        if any(leaf not in known for leaf in leaves):
            return True
        return any(self._from_outside(path, seen) for path in [*_paths(part), *(_paths(listed) if listed else ())])

    def _trusted_there(self, document: Mapping[str, Any], part: Mapping[str, Any]) -> Mapping[str, Any]:
        named = document["args"].get("playbook")
        book = next((each for each in self.o.books.values() if named in (each.name, each.id)), None)
        return {name: each for name, each in part.items() if book is None or name not in book.untrusted}

    def _from_outside(self, path: str, seen: frozenset[str]) -> bool:
        root, *rest = path.split(".")
        if root == "request":
            return bool(self.o.playbook.untrusted) if not rest else rest[0] in self.o.playbook.untrusted
        source = self.steps.get(root)
        if source is None or root in seen:
            return False
        spec = self.o.specs[source["tool"]]
        return spec.untrusted_output or any(
            self._is_dirty(source, name, part, seen | {root})
            for name, part in source["args"].items()
            if name not in spec.closed and spec.id != "people.ask@1"
        )


def _said(value: Any) -> str:
    return value if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)


def _leaves(part: Any) -> Iterator[Any]:
    """The texts and numbers that are written out in a value."""
    if isinstance(part, dict) and "$ref" in part:
        return
    if isinstance(part, dict) and "$text" in part:
        yield from (each for each in re.split(r"\{[^{}]*\}", part["$text"]) if each.strip(" .,;:-"))
    elif isinstance(part, dict | list | tuple):
        for each in part.values() if isinstance(part, dict) else part:
            yield from _leaves(each)
    elif isinstance(part, str | int | float) and not isinstance(part, bool):
        yield part


def _paths(part: Any) -> Iterator[str]:
    if isinstance(part, dict) and "$ref" in part:
        yield part["$ref"]
    elif isinstance(part, dict) and "$text" in part:
        yield from re.findall(r"\{([^{}]*)\}", part["$text"])
    elif isinstance(part, dict | list | tuple):
        for each in part.values() if isinstance(part, dict) else part:
            yield from _paths(each)
