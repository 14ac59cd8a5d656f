"""The checker: is a document a plan that may be dispatched? Pure, total, and it gives all findings at once."""

from __future__ import annotations

from typing import Any

from governance.findings import Severity
from plans.arguments import argument_findings
from plans.begun import begun_findings
from plans.catalog_use import tool_findings
from plans.checked import Checked, CheckedPlan, Premises
from plans.documents import read
from plans.effects_order import order_findings, undo_findings
from plans.gates import rule_steps
from plans.goal_reach import goal_findings
from plans.inside import inside_findings
from plans.pivot import pivot_findings
from plans.recall import step_references
from plans.repetition import repetition_findings
from plans.spending import spending_findings
from plans.subject import lay_out
from plans.timing import timing_findings
from plans.whens import when_findings


def check(document: Any, premises: Premises) -> Checked:
    """All that can be said against ``document`` as a plan under ``premises``, and the plan if nothing forbids it.

    Any value may be given; nothing is raised. A step that is not well formed does not keep the others from being
    checked. Findings stand in the order of the plan's shape, tools, arguments, conditions, order, undo, goals, gates.
    """
    reading = read(document, premises.max_steps)
    if reading.plan is None:
        return Checked(reading.findings, (), None)
    subject = lay_out(reading.plan, reading, premises)
    rulings, gate_findings = rule_steps(subject)
    findings = (
        *reading.findings,
        *tool_findings(subject),
        *begun_findings(subject),
        *argument_findings(subject),
        *inside_findings(subject),
        *when_findings(subject),
        *repetition_findings(subject),
        *timing_findings(subject),
        *spending_findings(subject),
        *order_findings(subject),
        *undo_findings(subject),
        *goal_findings(subject),
        *gate_findings,
        *pivot_findings(subject, rulings),
    )
    passed = not any(finding.severity is Severity.ERROR for finding in findings)
    checked = CheckedPlan(
        plan=reading.plan,
        needs=subject.needs,
        references={step.id: step_references(step) for step in reading.plan.steps},
        rulings={ruling.step: ruling for ruling in rulings},
        tools={step.tool: premises.tools[step.tool] for step in reading.plan.steps if step.tool in premises.tools},
    )
    return Checked(tuple(findings), rulings, checked if passed else None)
