"""Does every ``for_each`` have a list, short enough, whose items have keys that tell them apart?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from governance.findings import Finding
from plans import codes
from plans.expressions import First, Literal, Ref, references
from plans.implication import conjuncts
from plans.loops import ITEM, LONGEST_KEY, Loop, key_text
from plans.proposals import Proposals
from plans.references import Typed, resolve_type
from plans.resolve import evaluate_expression
from plans.schemas import Shape, brief
from plans.subject import Subject
from plans.values import WRITTEN_KINDS, Where, check_value

_LIST = Shape({"type": "array"}, {})
_KEY = Shape({"anyOf": [{"type": "string"}, {"type": "integer"}]}, {})


def repetition_findings(subject: Subject) -> Iterator[Finding]:
    """What is wrong with the lists and keys of ``for_each``, and goals that an empty list would not reach."""
    proposals = Proposals(subject)
    for step_id, loop in subject.loops.items():
        known = subject.list_known(step_id)
        where = Where(f"steps.{step_id}.for_each.items", subject.scope, known, proposals.for_step(step_id))
        yield from _items(loop, where, known_items(step_id, subject))
        if step_id in subject.tools:
            yield from _key(step_id, loop, subject, proposals)
    for goal_id, step_id in subject.plan.goal_steps.items():
        if step_id in subject.loops and not _surely_some(step_id, subject):
            sentence = f"{step_id} does nothing for an empty list, and the goal {goal_id} must be reached"
            yield codes.MAY_BE_EMPTY(f"goal_steps.{goal_id}", sentence, "name a list that surely has an item")


def known_items(step_id: str, subject: Subject) -> Sequence[Any] | None:
    """The items of a loop where they are known before the run, or None."""
    found = evaluate_expression(subject.loops[step_id].items, {"request": subject.premises.request})
    return found if isinstance(found, list) else None


def _items(loop: Loop, where: Where, items: Sequence[Any] | None) -> Iterator[Finding]:
    if not all(isinstance(part, Literal | Ref) for part in _options(loop)):
        sentence = "the items are a list that is written out, a reference to one, or a $first of these"
        yield codes.BAD_EXPRESSION(where.place, sentence, 'write {"$ref": "step.list"}')
        return
    yield from check_value(loop.items, _LIST, where, may_lack=False)
    if items is not None and len(items) > loop.most:
        yield codes.TOO_MANY_ITEMS(where.place, f"there are {len(items)} items, and {loop.most} are allowed", "")


def _options(loop: Loop) -> Sequence[object]:
    return loop.items.options if isinstance(loop.items, First) else (loop.items,)


def _key(step_id: str, loop: Loop, subject: Subject, proposals: Proposals) -> Iterator[Finding]:
    place, scope = f"steps.{step_id}.for_each.key", subject.scope_of(step_id)
    known = conjuncts(subject.whens.get(step_id)) if loop.narrows else subject.list_known(step_id)
    where = Where(place, scope, known, proposals.for_step(step_id))
    yield from check_value(loop.key, _KEY, where, may_lack=False)
    named = [ref for ref in references(loop.key) if ref.root == ITEM]
    if not named:
        yield codes.ITEM_KEY(place, "the key is the same for every item", 'refer to the item: {"$ref": "item"}')
    for ref in named:
        typed = resolve_type(ref.path, scope, known)
        kinds = {shape.semantic for shape in typed.shapes} & WRITTEN_KINDS if isinstance(typed, Typed) else set()
        if kinds:
            sentence = f"{ref.path} is {' or '.join(sorted(kinds))}, which would stand in ids that stay"
            yield codes.ITEM_KEY(place, sentence, "take an id of the item's")
    yield from _distinct(loop, known_items(step_id, subject) or (), subject, place)


def _distinct(loop: Loop, items: Sequence[Any], subject: Subject, place: str) -> Iterator[Finding]:
    """Keys that are known before the run are looked at themselves."""
    scope = {"request": subject.premises.request}
    seen: set[str] = set()
    for item in items:
        value = evaluate_expression(loop.key, {**scope, ITEM: item})
        key = key_text(value)
        if key is None:
            sentence = f"{brief(value)} is no key: a legible text of 1 to {LONGEST_KEY} characters without brackets"
            yield codes.ITEM_KEY(place, sentence, "take an id of the item's")
            return
        if key in seen:
            yield codes.ITEM_KEY(place, f"two items have the key {brief(key)}", "name a field that differs")
            return
        seen.add(key)


def _surely_some(step_id: str, subject: Subject) -> bool:
    items = known_items(step_id, subject)
    if items is not None:
        return bool(items)
    listed = subject.loops[step_id].items
    typed = resolve_type(listed.path, subject.scope) if isinstance(listed, Ref) else None
    return isinstance(typed, Typed) and all(shape.node.get("minItems", 0) > 0 for shape in typed.shapes)
