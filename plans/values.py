"""Does a value of the plan language fit what is wanted? One question for arguments of steps and of undo calls."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from governance.conditions import MISSING
from governance.findings import Finding
from plans import codes
from plans.assignability import Kind, Misfit, fit, fits_semantic
from plans.expressions import Bad, Expression, Fields, First, Items, Literal, Ref, Text
from plans.implication import Known
from plans.references import Scope, Typed, Wrong, known_value, resolve_type
from plans.resolve import evaluate_expression
from plans.schemas import Problem, Shape, alternatives, brief, close, field_names, is_null, listed, member, misfits

# Semantic types that are what a person writes, so that a text put together from parts may be one.
WRITTEN_KINDS = frozenset({"Email", "PersonName"})


@dataclass(frozen=True)
class Where:
    """Where a value stands: its place, what may be referred to, and what is known to hold there.

    ``propose`` gives a reference that would fit a shape at a place, or an empty string.
    """

    place: str
    scope: Scope
    known: Known
    propose: Callable[[Shape, str], str]

    def inside(self, name: str) -> Where:
        """One level further in."""
        return Where(f"{self.place}.{name}", self.scope, self.known, self.propose)


def check_value(value: Expression, wanted: Shape, where: Where, *, may_lack: bool) -> Iterator[Finding]:
    """All that keeps ``value`` from fitting ``wanted``. ``may_lack``: it may be missing or null, and is then left out."""
    match value:
        case Literal(plain):
            yield from (_literal(problem, where) for problem in misfits(plain, wanted))
        case Ref():
            yield from _ref(value, wanted, where, may_lack=may_lack)
        case Text():
            yield from _text(value, wanted, where, may_lack=may_lack)
        case First(options):
            for option in options:
                yield from check_value(option, wanted, where, may_lack=True)
            if not may_lack:
                yield from _some_option(options, where)
        case Fields() | Items():
            yield from _composite(value, wanted, where)
        case Bad(sentence, fix):
            yield codes.BAD_EXPRESSION(where.place, sentence, fix)


def _literal(problem: Problem, where: Where) -> Finding:
    place = f"{where.place}.{problem.path}" if problem.path else where.place
    return codes.BAD_LITERAL(place, problem.sentence, problem.fix)


def _ref(ref: Ref, wanted: Shape, where: Where, *, may_lack: bool) -> Iterator[Finding]:
    typed = resolve_type(ref.path, where.scope, where.known)
    if isinstance(typed, Wrong):
        yield from _wrong(typed, wanted, where)
        return
    targets = alternatives(wanted)
    if not may_lack:
        takes_null = any(is_null(target) for target in targets) and typed.missing.endswith("null")
        yield from _presence(ref, typed, where, takes_null=takes_null)
    misfit = _misfit(ref, typed, wanted, targets, where.scope)
    if misfit is not None:
        code = {Kind.SEMANTIC: codes.SEMANTIC_MISMATCH, Kind.NULL: codes.MAY_BE_MISSING}.get(
            misfit.kind, codes.TYPE_MISMATCH
        )
        yield code(where.place, f"{ref.path} {misfit.why}", where.propose(wanted, where.place))


def _wrong(wrong: Wrong, wanted: Shape, where: Where) -> Iterator[Finding]:
    if wrong.code is not None:
        yield wrong.code(where.place, wrong.sentence, where.propose(wanted, where.place) or wrong.fix)


def _presence(ref: Ref, typed: Typed, where: Where, *, takes_null: bool = False) -> Iterator[Finding]:
    if typed.skipped:
        yield codes.UNSURE_REFERENCE(
            where.place,
            f"the step {typed.skipped} may be skipped, and then there is no {ref.path}",
            f"give this step the same `when` as {typed.skipped}, or write $first with a fallback",
        )
    elif typed.missing and not takes_null:
        yield codes.MAY_BE_MISSING(
            where.place,
            f"{typed.missing}, and a value is needed here",
            'write {"$first": [' + f'{{"$ref": "{ref.path}"}}, fallback]' + "}",
        )


def _misfit(ref: Ref, typed: Typed, wanted: Shape, targets: list[Shape], scope: Scope) -> Misfit | None:
    """Known values are judged themselves; others by their type; what this request does not have never arrives."""
    value = known_value(ref.path, scope)
    if typed.missing and ref.root == "request" and scope.request is not None:
        return None
    for shape in typed.shapes:
        if value is MISSING or value is None:
            misfit = fit(shape, wanted)
        else:
            misfit = _value_misfit(value, shape.semantic, targets)
        if misfit is not None:
            return misfit
    return None


def _value_misfit(value: Any, semantic: str, targets: list[Shape]) -> Misfit | None:
    open_to_it = fits_semantic(semantic, targets)
    if all(is_null(target) for target in open_to_it):
        wanted = " or ".join(target.semantic for target in targets if target.semantic)
        return Misfit(Kind.SEMANTIC, f"is {semantic or 'plain text'}, but {wanted} is wanted")
    problems = [misfits(value, target) for target in open_to_it]
    if any(not each for each in problems):
        return None
    return Misfit(Kind.TYPE, f"is {brief(value)} in this request, and {problems[0][0].sentence}")


def _text(text: Text, wanted: Shape, where: Where, *, may_lack: bool) -> Iterator[Finding]:
    for part in text.parts:
        if isinstance(part, Ref):
            yield from _hole(part, wanted, where, may_lack=may_lack)
    targets = [part for part in alternatives(wanted) if not part.kinds or "string" in part.kinds]
    if not targets:
        yield codes.BAD_TEXT(
            where.place, "a text is made here, but no text is taken", where.propose(wanted, where.place)
        )
        return
    open_to_it = [part for part in targets if not part.semantic or part.semantic in WRITTEN_KINDS]
    if not open_to_it:
        kind = targets[0].semantic
        yield codes.SEMANTIC_MISMATCH(
            where.place, f"a text made by $text is no {kind}", where.propose(wanted, where.place) or f"refer to {kind}"
        )
        return
    value = _known_text(text, where.scope)
    if value is not MISSING:
        problems = [misfits(value, target) for target in open_to_it]
        if all(problems):
            yield codes.TYPE_MISMATCH(where.place, problems[0][0].sentence, problems[0][0].fix)
        return
    length = sum(len(part) for part in text.parts if isinstance(part, str))
    made = Shape({"type": "string", "minLength": length}, {})
    bare = [Shape({k: v for k, v in part.node.items() if k != "x-semantic"}, part.root) for part in open_to_it]
    reasons = [fit(made, target) for target in bare]
    if None not in reasons and reasons[0] is not None:
        yield codes.TYPE_MISMATCH(where.place, f"the text {reasons[0].why}", where.propose(wanted, where.place))


def _known_text(text: Text, scope: Scope) -> Any:
    if any(known_value(part.path, scope) is MISSING for part in text.parts if isinstance(part, Ref)):
        return MISSING
    return evaluate_expression(text, {"request": scope.request})


def _hole(ref: Ref, wanted: Shape, where: Where, *, may_lack: bool) -> Iterator[Finding]:
    typed = resolve_type(ref.path, where.scope, where.known)
    if isinstance(typed, Wrong):
        yield from _wrong(typed, wanted, where)
        return
    if not may_lack:
        yield from _presence(ref, typed, where)
    value = known_value(ref.path, where.scope)
    scalar = all(_is_scalar(shape) for shape in typed.shapes) if value in (MISSING, None) else _is_plain(value)
    if not scalar:
        yield codes.BAD_TEXT(
            where.place, f"{ref.path} is no text, number or boolean", "refer to one of its fields that is"
        )


def _is_plain(value: Any) -> bool:
    return isinstance(value, str | int | float)


def _is_scalar(shape: Shape) -> bool:
    if shape.kinds:
        return set(shape.kinds) <= {"string", "integer", "number", "boolean"}
    return all(_is_plain(value) for value in shape.node.get("enum", [shape.node.get("const")]))


def _some_option(options: tuple[Expression, ...], where: Where) -> Iterator[Finding]:
    """The last option's reason, where no option is surely there."""
    last: list[Finding] = []
    for option in options:
        last = list(_lack(option, where))
        if not last:
            return
    yield from last


def _lack(option: Expression, where: Where) -> Iterator[Finding]:
    """Why an option may turn out missing or null."""
    if isinstance(option, Literal):
        if option.value is None:
            yield codes.MAY_BE_MISSING(where.place, "the last fallback is null", "end $first with a value")
    elif isinstance(option, First):
        yield from _some_option(option.options, where)
    else:
        for ref in (part for part in _direct(option)):
            typed = resolve_type(ref.path, where.scope, where.known)
            if isinstance(typed, Typed):
                yield from _presence(ref, typed, where)


def _direct(option: Expression) -> Iterator[Ref]:
    if isinstance(option, Ref):
        yield option
    elif isinstance(option, Text):
        yield from (part for part in option.parts if isinstance(part, Ref))


def _composite(value: Fields | Items, wanted: Shape, where: Where) -> Iterator[Finding]:
    """An object or list with expressions in it: against the alternative that it fits best."""
    kind = "object" if isinstance(value, Fields) else "array"
    targets = [part for part in alternatives(wanted) if not part.kinds or kind in part.kinds]
    if not targets:
        yield codes.TYPE_MISMATCH(where.place, f"an {kind} is written here, but none is taken", "")
        return
    attempts = [list(_against(value, target, where)) for target in targets]
    yield from min(attempts, key=len)


def _against(value: Fields | Items, target: Shape, where: Where) -> Iterator[Finding]:
    if isinstance(value, Fields):
        yield from _fields(value, target, where)
    else:
        yield from _items(value, target, where)


def _fields(value: Fields, target: Shape, where: Where) -> Iterator[Finding]:
    declared = field_names(target)
    for name, part in value.fields.items():
        found = member(target, name)
        if found is not None:
            yield from check_value(part, found.shape, where.inside(name), may_lack=False)
        elif target.node.get("additionalProperties") is False:
            near = close(name, declared)
            fix = f"did you mean {near}?" if near else f"there are {listed(declared)}"
            yield codes.UNKNOWN_ARGUMENT(f"{where.place}.{name}", f"there is no field “{name}” here", fix)
        else:
            yield from check_value(part, Shape({}, target.root), where.inside(name), may_lack=False)
    for name in target.node.get("required", ()):
        if name not in value.fields:
            found = member(target, name)
            fix = where.propose(found.shape, f"{where.place}.{name}") if found else ""
            yield codes.MISSING_ARGUMENT(f"{where.place}.{name}", f"the field “{name}” is required", fix)
    yield from _strange(target, {"minProperties", "maxProperties", "propertyNames", "patternProperties"}, where)


def _items(value: Items, target: Shape, where: Where) -> Iterator[Finding]:
    first = target.node.get("prefixItems", [])
    rest = target.node.get("items", {})
    for number, part in enumerate(value.items):
        node = first[number] if number < len(first) else rest
        if node is False:
            yield codes.TYPE_MISMATCH(f"{where.place}.{number}", f"only {len(first)} items are taken", "leave it out")
        else:
            shape = Shape(node if isinstance(node, dict) else {}, target.root)
            yield from check_value(part, shape, where.inside(str(number)), may_lack=False)
    count = len(value.items)
    least, most = target.node.get("minItems", 0), target.node.get("maxItems", count)
    if not least <= count <= most:
        yield codes.TYPE_MISMATCH(where.place, f"the list has {count} items, not {least} to {most}", "")
    yield from _strange(target, {"uniqueItems", "contains"}, where)


def _strange(target: Shape, keywords: set[str], where: Where) -> Iterator[Finding]:
    for name in sorted(keywords | {"not", "if", "enum", "const", "dependentRequired"}):
        if target.node.get(name):
            yield codes.TYPE_MISMATCH(where.place, f"that {name} holds cannot be shown for a computed value", "")
