"""Every finding code is found where it belongs, and every one has its section in the reference."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from governance.findings import Severity
from plans.checker import check
from plans.codes import CODES, page
from plans.documents import document_schema
from tests.unit.plans.broken_plans import CASES, Broken
from tests.unit.plans.company import premises
from tests.unit.plans.good_plans import GOOD

REFERENCE = Path(__file__).parents[3] / "docs" / "reference"


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.code}-{case.place}")
def test_a_broken_plan_has_its_finding_at_its_place(case: Broken) -> None:
    """The code, the place, a sentence, and no plan where it is an error."""
    checked = check(case.document, case.premises)
    found = [finding for finding in checked.findings if (finding.code, finding.place) == (case.code, case.place)]
    assert found, [(finding.code, str(finding)) for finding in checked.findings]
    assert all(len(finding.sentence) > 10 for finding in found)
    assert (checked.plan is None) == bool(checked.errors)
    assert checked.plan is None or found[0].severity is Severity.WARNING


def test_each_code_is_found_at_least_twice() -> None:
    """The table of broken plans leaves no code out."""
    count = Counter(case.code for case in CASES)
    assert {code.name: count[code.name] for code in CODES if count[code.name] < 2} == {}
    assert set(count) <= {code.name for code in CODES}


@pytest.mark.parametrize("name", GOOD)
def test_a_good_plan_has_no_finding(name: str) -> None:
    """Not even a warning, and a ruling for each step."""
    document, given = GOOD[name]
    checked = check(document, given)
    assert checked.findings == ()
    assert checked.plan is not None
    assert set(checked.plan.rulings) == {step["id"] for step in document["steps"]} == set(checked.plan.needs)


def test_the_gates_of_onboarding_name_people() -> None:
    """Approvers are resolved to person ids; a step that passes has none."""
    document, given = GOOD["onboarding"]
    plan = check(document, given).plan
    assert plan is not None
    gated = {step_id: ruling.approvers for step_id, ruling in plan.rulings.items() if ruling.kind == "gate"}
    assert gated == {"employee": ("mary.jackson@acme.example",), "badge": ("annie.easley@acme.example",)}
    assert plan.needs["badge"] == {"desk", "employee"}


def test_all_findings_come_at_once() -> None:
    """A plan that is wrong in many ways says all of them."""
    arguments = [case for case in CASES if case.place.startswith("steps.it.args")]
    broken = [case for case in arguments if case.premises == premises()]
    assert len(broken) > 30
    steps = [
        {**step, "id": f"it{number}"}
        for number, case in enumerate(broken)
        for step in case.document["steps"]
        if step["id"] == "it"
    ]
    support = [step for step in broken[0].document["steps"] if step["id"] != "it"]
    checked = check({**broken[0].document, "steps": [*support, *steps]}, broken[0].premises)
    assert {f"it{number}" for number in range(len(steps))} <= {
        finding.place.split(".")[1] for finding in checked.findings
    }


def test_the_page_of_findings_is_current() -> None:
    """`docs/reference/findings.md` is what `plans.codes.page()` says."""
    assert (REFERENCE / "findings.md").read_text(encoding="utf-8") == page()


def test_the_plan_schema_is_current() -> None:
    """`docs/reference/plan.schema.json` is what the language says."""
    written = json.loads((REFERENCE / "plan.schema.json").read_text(encoding="utf-8"))
    assert written == json.loads(json.dumps(document_schema()))
