"""Would a tool's undo work? A question about two tools, whatever the plan: asked once for each pair."""

from __future__ import annotations

from functools import lru_cache

from plans.expressions import parse
from plans.references import Scope
from plans.schemas import Same, Shape, interface
from plans.values import Where, check_value
from tools.contract import ToolSpec


@lru_cache(maxsize=1024)
def undo_problems(effect: Same, undo: Same) -> tuple[str, ...]:
    """Why the undo arguments of one tool do not fit the input of the other, as sentences."""
    spec: ToolSpec = effect.document
    if spec.undo is None:
        return ()
    target = interface(undo.document)
    scope = Scope(roots={"input": Shape(spec.input, spec.input), "output": Shape(spec.output, spec.output)})
    found = [f"it needs {name}" for name in sorted(target.required - spec.undo.args.keys())]
    for name, value in spec.undo.args.items():
        shape = target.inputs.get(name)
        if shape is None:
            found.append(f"{undo.document.id} takes no argument {name}")
            continue
        where = Where(name, scope, (), lambda _shape, _place: "")
        may_lack = name not in target.required
        found += [f"{f.place}: {f.sentence}" for f in check_value(parse(value), shape, where, may_lack=may_lack)]
    return tuple(found)
