"""The checker: is a document a plan that may be dispatched? Pure, total, and it gives all findings at once."""

from __future__ import annotations

from typing import Any

from governance.findings import Severity
from plans.arguments import argument_findings
from plans.begun import begun_findings
from plans.catalog_use import tool_findings
from plans.checked import Checked, CheckedPlan, Premises
from plans.effects_order import order_findings, undo_findings
from plans.gates import rule_steps
from plans.goal_reach import goal_findings
from plans.inside import inside_findings
from plans.outline import Unreadable
from plans.pivot import pivot_findings
from plans.prepared import prepare
from plans.repetition import repetition_findings
from plans.spending import spending_findings
from plans.timing import timing_findings
from plans.whens import when_findings


def check(document: Any, premises: Premises, *, known_as: str = "") -> Checked:
    """All that can be said against ``document`` as a plan under ``premises``, and the plan if nothing forbids it.

    Any value may be given; nothing is raised. A step that is not well formed does not keep the others from being
    checked. Findings stand in the order of the plan's shape, tools, arguments, conditions, order, undo, goals, gates.
    The request is taken to fit its schema, as admission saw to. ``known_as``: the document's digest, where that is known.
    """
    prepared = prepare(document, premises, known_as=known_as)
    if isinstance(prepared, Unreadable):
        return Checked(prepared.findings, (), None)
    subject = prepared.under(premises)
    rulings, gate_findings = rule_steps(subject)
    findings = (
        *prepared.outline.findings,
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
        plan=subject.plan,
        needs=subject.needs,
        references=subject.references,
        rulings={ruling.step: ruling for ruling in rulings},
        tools={step.tool: premises.tools[step.tool] for step in subject.plan.steps if step.tool in premises.tools},
    )
    return Checked(tuple(findings), rulings, checked if passed else None)
