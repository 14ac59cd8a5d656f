"""What a reference refers to: its type, and whether it is surely there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from governance.conditions import MISSING, look_up
from plans import codes
from plans.codes import Code
from plans.implication import Condition, Known, exists, implies
from plans.language import RESERVED
from plans.schemas import Shape, alternatives, close, field_names, is_null, listed, member


@dataclass(frozen=True)
class Scope:
    """What references may name. ``broken`` are roots that are written but whose output nobody can know.

    ``seen`` keeps what was worked out for references where nothing is known; a scope lives for one check.
    """

    roots: Mapping[str, Shape]
    whens: Mapping[str, Condition | None] = field(default_factory=dict)
    broken: frozenset[str] = frozenset()
    request: Mapping[str, Any] | None = None
    seen: dict[str, Typed | Wrong] = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True)
class Typed:
    """A reference's type: its alternatives other than null, and why it may not be there (empty: it surely is).

    ``skipped`` is the step that may be skipped; ``missing`` says which field may be absent or null.
    """

    shapes: tuple[Shape, ...]
    skipped: str = ""
    missing: str = ""

    @property
    def sure(self) -> bool:
        """It is there, and not null, whenever it is needed."""
        return not self.skipped and not self.missing


@dataclass(frozen=True)
class Wrong:
    """A reference that cannot be typed, and why. Without a code it is somebody else's finding."""

    code: Code | None = None
    sentence: str = ""
    fix: str = ""


def known_value(path: str, scope: Scope) -> Any:
    """The value of a reference that is known before the run (a field of the request), or ``MISSING``."""
    if scope.request is None or not (path == "request" or path.startswith("request.")):
        return MISSING
    return look_up(path, {"request": scope.request})


def resolve_type(path: str, scope: Scope, known: Known = ()) -> Typed | Wrong:
    """The type of a reference where everything in ``known`` holds."""
    if known:
        return _resolve(path, scope, known)
    if path not in scope.seen:
        scope.seen[path] = _resolve(path, scope, known)
    return scope.seen[path]


def _resolve(path: str, scope: Scope, known: Known) -> Typed | Wrong:
    root, *parts = path.split(".")
    if root in scope.broken:
        return Wrong()
    if root not in scope.roots:
        return _no_root(root, scope)
    skipped = root if not implies(known, scope.whens.get(root)) else ""
    shapes, missing, prefix = alternatives(scope.roots[root]), "", root
    for part in parts:
        step_in = _member(shapes, part)
        if step_in is None:
            return _no_field(path, prefix, part, shapes, scope)
        shapes, optional = step_in
        prefix = f"{prefix}.{part}"
        if known and implies(known, exists(prefix)):
            skipped = missing = ""
        elif known_value(prefix, scope) not in (MISSING, None):
            missing = ""
        elif optional:
            missing = missing or f"{prefix} may be missing"
        elif any(is_null(shape) for shape in shapes):
            missing = missing or f"{prefix} may be null"
        shapes = [shape for shape in shapes if not is_null(shape)]
    return Typed(tuple(shapes), skipped, missing)


def _member(shapes: list[Shape], name: str) -> tuple[list[Shape], bool] | None:
    found = [member(shape, name) for shape in shapes]
    there = [each for each in found if each is not None]
    if not there:
        return None
    optional = len(there) < len(found) or any(each.optional and "default" not in each.shape.node for each in there)
    return [simple for each in there for simple in alternatives(each.shape)], optional


def _no_root(root: str, scope: Scope) -> Wrong:
    if root == "item":
        return Wrong(
            codes.UNKNOWN_REFERENCE, "“item” is there only in a step with for_each", "give the step a for_each"
        )
    if root in RESERVED and root != "request":
        return Wrong(codes.NOT_RUN_YET, f"“{root}” cannot be referred to yet", "refer to the request or to a step")
    near = close(root, list(scope.roots))
    fix = f"did you mean {near}?" if near else f"there are {listed(sorted(scope.roots))}"
    return Wrong(codes.UNKNOWN_REFERENCE, f"there is no step “{root}” to refer to", fix)


def _no_field(path: str, prefix: str, part: str, shapes: list[Shape], scope: Scope) -> Typed | Wrong:
    """A field that no schema declares: wrong, unless this run's request has it (a derived field)."""
    value = known_value(path, scope)
    if value is not MISSING:
        return Typed((Shape({"const": value}, {}),), missing=f"{path} may be null" if value is None else "")
    names = [name for shape in shapes for name in field_names(shape)]
    near = close(part, names)
    fix = f"did you mean {prefix}.{near}?" if near else (f"it has {listed(sorted(set(names)))}" if names else "")
    return Wrong(codes.UNKNOWN_REFERENCE, f"{prefix} has no field “{part}”", fix)
