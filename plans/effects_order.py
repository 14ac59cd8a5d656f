"""Do steps come in an order that works: no circles, and what cannot be undone after all that can?"""

from __future__ import annotations

from collections.abc import Iterator

from governance.effects import EffectClass
from governance.findings import Finding
from plans import codes
from plans.catalog_use import permits
from plans.schemas import Interface, Same, close
from plans.subject import Subject
from plans.undo import undo_problems
from tools.contract import ToolSpec


def order_findings(subject: Subject) -> Iterator[Finding]:
    """Circles, unknown ``after``, and irreversible effects that do not come last."""
    yield from _afters(subject)
    for circle in subject.cycles:
        names = " → ".join((*circle, circle[0]))
        yield codes.CYCLE(
            f"steps.{circle[0]}",
            f"steps wait for each other: {names} (each waits for the next)",
            "break it at one of them",
        )
    yield from _pivots(subject)


def undo_findings(subject: Subject) -> Iterator[Finding]:
    """Effects that can neither be undone nor say why not, and undo calls that would not work or are not allowed."""
    for step_id, tool in subject.tools.items():
        spec, place = tool.spec, f"steps.{step_id}.tool"
        if spec.effect is EffectClass.READ:
            continue
        if spec.undo is None:
            if not spec.irreversible:
                yield codes.NO_UNDO(place, f"{spec.id} has an effect, no undo, and no reason why", "use another tool")
            continue
        undo = subject.premises.tools.get(spec.undo.tool)
        if undo is None:
            near = close(spec.undo.tool, list(subject.premises.tools))
            fix = f"did you mean {near}?" if near else ""
            yield codes.BAD_UNDO(place, f"{spec.id} is undone by {spec.undo.tool}, which is not in the catalog", fix)
            continue
        yield from _permission(place, spec.id, undo, subject)
        for problem in undo_problems(Same(spec), Same(undo)):
            yield codes.BAD_UNDO(place, f"the undo of {spec.id} would not work: {problem}", "mend the tool's file")


def _permission(place: str, effect: str, undo: ToolSpec, subject: Subject) -> Iterator[Finding]:
    requester = subject.premises.requester
    if permits(requester, undo.permission):
        return
    able = [p.name for p in subject.premises.directory.everyone() if permits(p, undo.permission)]
    yield codes.UNDO_NOT_PERMITTED(
        place,
        f"{requester.name} may not take {effect} back: {undo.id} needs the permission {undo.permission}",
        f"let {' or '.join(able[:3])} ask for it" if able else f"nobody holds {undo.permission}",
    )


def is_compensable(tool: Interface) -> bool:
    """It has an effect and an undo."""
    return tool.spec.effect is not EffectClass.READ and tool.spec.undo is not None


def is_irreversible(tool: Interface) -> bool:
    """It has an effect and no undo."""
    return tool.spec.effect is not EffectClass.READ and tool.spec.undo is None


def _afters(subject: Subject) -> Iterator[Finding]:
    for step in subject.plan.steps:
        for name in step.after:
            if name not in subject.steps and name not in subject.scope.broken:
                near = close(name, list(subject.steps))
                fix = f"did you mean {near}?" if near else "leave it out"
                yield codes.UNKNOWN_AFTER(f"steps.{step.id}.after", f"there is no step “{name}”", fix)


def _pivots(subject: Subject) -> Iterator[Finding]:
    knotted = {step_id for circle in subject.cycles for step_id in circle}
    free = {step_id: tool for step_id, tool in subject.tools.items() if step_id not in knotted}
    undoable = [step_id for step_id, tool in free.items() if is_compensable(tool)]
    for last in (step_id for step_id, tool in free.items() if is_irreversible(tool)):
        early = [step_id for step_id in undoable if last in subject.before[step_id]]
        for step_id in early:
            yield codes.IRREVERSIBLE_EARLY(
                f"steps.{step_id}",
                f"{step_id} runs after {last}, which cannot be undone",
                f"let {last} come after {step_id}",
            )
        loose = [s for s in undoable if s not in subject.before[last] and s not in early]
        if loose:
            ends = [s for s in loose if not any(s in subject.before[other] for other in loose)]
            wanted = [*subject.steps[last].after, *(s for s in ends if s not in subject.steps[last].after)]
            yield codes.IRREVERSIBLE_UNORDERED(
                f"steps.{last}.after",
                f"{last} cannot be undone and does not wait for {', '.join(loose)}",
                f"after: [{', '.join(wanted)}]",
            )
