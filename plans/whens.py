"""Is every ``when`` well formed, and does it have an answer whenever it is asked?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from governance.conditions import problems
from governance.findings import Finding
from plans import codes
from plans.assignability import fit
from plans.implication import Condition, Known, conjuncts, is_ref, negated
from plans.references import Scope, Typed, Wrong, resolve_type
from plans.schemas import Shape, alternatives, brief, is_null, listed, misfits, nearest
from plans.subject import Subject

_ORDER = frozenset({"$lt", "$le", "$gt", "$ge"})


def when_findings(subject: Subject) -> Iterator[Finding]:
    """What is wrong with the conditions of steps."""
    for step in subject.plan.steps:
        if step.when is None:
            continue
        place = f"steps.{step.id}.when"
        wrong = [*problems(step.when), *(_operands(step.when) if not problems(step.when) else ())]
        yield from (codes.BAD_CONDITION(place, sentence) for sentence in wrong)
        if not wrong:
            for atom, known in _atoms(step.when, ()):
                yield from _atom(atom, known, place, subject.scope_of(step.id))


def _operands(condition: Condition) -> Iterator[str]:
    """Operands that are neither a literal nor a reference."""
    for atom, _ in _atoms(condition, ()):
        ((name, body),) = atom.items()
        if name != "$exists":
            for operand in body:
                if isinstance(operand, dict) and not is_ref(operand) and any(str(k).startswith("$") for k in operand):
                    yield f"an operand of {name} is a literal or a $ref, not {brief(operand)}"


def _atoms(condition: Condition, known: Known) -> Iterator[tuple[Condition, Known]]:
    """Each comparison, with what is known where its answer matters: what stands before it, read from left to right."""
    ((name, body),) = condition.items()
    if name == "$not":
        yield from _atoms(body, known)
    elif name in {"$all", "$any"}:
        for part in body:
            yield from _atoms(part, known)
            known = known + (conjuncts(part) if name == "$all" else negated(part))
    else:
        yield condition, known


def _atom(atom: Condition, known: Known, place: str, scope: Scope) -> Iterator[Finding]:
    ((name, body),) = atom.items()
    operands = [body] if name == "$exists" else list(body)
    types = [_operand(operand, known, scope) for operand in operands]
    for operand, typed in zip(operands, types, strict=True):
        if isinstance(typed, Wrong) and typed.code is not None:
            yield typed.code(place, typed.sentence, typed.fix)
        elif isinstance(typed, Typed) and is_ref(operand) and name != "$exists":
            yield from _sure(operand["$ref"], typed, name, place)
    shapes = [list(typed.shapes) for typed in types if isinstance(typed, Typed)]
    if name != "$exists" and len(shapes) == 2:
        why = _incomparable(name, operands, shapes[0], shapes[1])
        if why:
            yield codes.INCOMPARABLE(place, why, _enum_fix(operands, shapes))


def _operand(operand: Any, known: Known, scope: Scope) -> Typed | Wrong:
    return resolve_type(operand["$ref"], scope, known) if is_ref(operand) else Typed((Shape({"const": operand}, {}),))


def _sure(path: str, typed: Typed, name: str, place: str) -> Iterator[Finding]:
    """Null can be compared for equality; what is not there at all can only be asked for with $exists."""
    guard = f'write {{"$all": [{{"$exists": {{"$ref": "{path}"}}}}, …]}}'
    if typed.skipped:
        yield codes.UNSURE_REFERENCE(
            place, f"the step {typed.skipped} may be skipped, and then there is no {path}", guard
        )
    elif typed.missing and not (name in {"$eq", "$ne"} and typed.missing.endswith("null")):
        yield codes.MAY_BE_MISSING(place, f"{typed.missing}, and the condition then has no answer", guard)


def _incomparable(name: str, operands: list[Any], left: list[Shape], right: list[Shape]) -> str:
    """Why a comparison makes no sense, or an empty string."""
    if name in {"$in", "$has"}:
        many, one = (right, left) if name == "$in" else (left, right)
        return _membership(many, one, operands)
    common = any(_meet(a, b) for a in left for b in right) or None in operands
    if not common:
        return f"{_shown(operands[0])} and {_shown(operands[1])} have no value in common"
    if name in _ORDER and not all(_orderable(a, b) for a in left for b in right):
        return f"{_shown(operands[0])} and {_shown(operands[1])} have no order: two numbers have, or two texts"
    return ""


def _membership(many: list[Shape], one: list[Shape], operands: list[Any]) -> str:
    inside: list[Shape] = []
    for shape in many:
        const = shape.node.get("const")
        if isinstance(const, list):
            inside += [Shape({"const": value}, {}) for value in const]
        elif shape.kinds == ("array",):
            items = shape.node.get("items", {})
            inside += alternatives(Shape(items if isinstance(items, dict) else {}, shape.root))
        else:
            return "membership needs a list to look in"
    if not any(_meet(a, b) for a in one for b in inside):
        return f"{' and '.join(_shown(operand) for operand in operands)} have no value in common"
    return ""


def _meet(one: Shape, other: Shape) -> bool:
    """Whether two simple shapes may have a value in common."""
    if one.semantic and other.semantic and one.semantic != other.semantic:
        return False
    for finite, wider in ((one, other), (other, one)):
        values = [finite.node["const"]] if "const" in finite.node else finite.node.get("enum")
        if values is not None:
            return any(not misfits(value, wider) for value in values)
    numbers = {"integer", "number"}
    kinds = {*one.kinds}, {*other.kinds}
    return not all(kinds) or bool(kinds[0] & kinds[1]) or (kinds[0] <= numbers and kinds[1] <= numbers)


def _orderable(one: Shape, other: Shape) -> bool:
    number, text = Shape({"type": "number"}, {}), Shape({"type": "string"}, {})
    bare = [Shape({k: v for k, v in shape.node.items() if k != "x-semantic"}, shape.root) for shape in (one, other)]
    return any(fit(bare[0], kind) is None and fit(bare[1], kind) is None for kind in (number, text))


def _enum_fix(operands: list[Any], shapes: list[list[Shape]]) -> str:
    """The nearest value of an enum for a literal that is compared with it."""
    for literal, side in ((operands[0], shapes[1]), (operands[1], shapes[0])):
        values = [value for shape in side if not is_null(shape) for value in shape.node.get("enum", ())]
        if values and not is_ref(literal):
            return nearest(literal, values) or f"it is one of {listed(values)}"
    return ""


def _shown(operand: Any) -> str:
    return str(operand["$ref"]) if is_ref(operand) else brief(operand)
