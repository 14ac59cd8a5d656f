"""The recommendation on a question: the advisor, told what the run has read and what people decided before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agents.ports import Background
from governance.decisions import Decision
from governance.effects import EffectClass, StepStatus
from governance.policy import Ruling
from graphs.engine import Engine
from graphs.fold import RunFold
from graphs.replanning import summary
from plans.language import Step


async def recommendation(
    engine: Engine, state: RunFold, step: Step, args: dict[str, Any], ruling: Ruling
) -> Decision | None:
    """What the advisor says to an exact action; None when nobody knows who asked for it."""
    admitted = state.admitted
    requester = engine.directory.find(admitted.requester) if admitted else None
    if admitted is None or requester is None:
        return None
    cases = (
        await engine.cases.like(
            tool=step.tool,
            playbook=admitted.playbook,
            words=[value for value in args.values() if isinstance(value, str)],
            besides=state.run_id,
        )
        if engine.cases is not None and not admitted.dry
        else ()
    )
    return await engine.advisor.advise(
        step=step.id,
        tool=engine.tools[step.tool].spec,
        args=args,
        ruling=ruling,
        request=state.request or {},
        requester=requester,
        background=Background(cases, _facts(engine, state)),
        run=state.run_id,
    )


def _facts(engine: Engine, state: RunFold) -> Mapping[str, Mapping[str, Any]]:
    """What the run's reads found, as far as it can carry no instruction."""
    found: dict[str, Mapping[str, Any]] = {}
    for step_id, known in state.steps.items():
        ended = known.ended
        if ended is None or ended.status is not StepStatus.DONE or ended.output is None or step_id in state.expanded:
            continue
        spec = engine.specs.get(ended.tool)
        if spec is not None and spec.effect is EffectClass.READ:
            found[step_id] = summary(ended.output, spec)
    return {step_id: fields for step_id, fields in found.items() if fields}
