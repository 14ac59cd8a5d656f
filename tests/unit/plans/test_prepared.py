"""What is found out once for a document holds for every request: the findings are those of a check that knows nothing."""

from __future__ import annotations

import random
from typing import Any

import pytest

from plans.checker import check
from plans.outline import Unreadable
from plans.prepared import Prepared, prepare
from plans.subject import lay_out
from tests.unit.plans.broken_plans import CASES
from tests.unit.plans.company import CATALOG, REQUEST, REQUEST_SCHEMA, plan, premises, step
from tests.unit.plans.good_plans import GOOD, onboarding
from tests.unit.plans.worlds import world


@pytest.fixture
def nothing_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every argument is judged anew for each request."""
    monkeypatch.setattr(Prepared, "under", lambda self, given: lay_out(self.outline, given, frozenset()))


def _all_findings() -> list[Any]:
    worlds = [world(random.Random(seed)) for seed in range(300)]
    drawn = [(each.document, each.premises) for each in worlds]
    drawn += [(case.document, case.premises) for case in CASES] + list(GOOD.values())
    return [check(document, given).findings for document, given in drawn]


def test_what_is_sure_changes_no_finding(request: pytest.FixtureRequest) -> None:
    """Three hundred random worlds, all broken and all good plans."""
    with_what_is_sure = _all_findings()
    request.getfixturevalue("nothing_known")
    assert _all_findings() == with_what_is_sure


@pytest.mark.parametrize(("form", "sure"), [("date", True), ("date-time", False)])
def test_what_admission_does_not_look_at_is_looked_at_here(form: str, sure: bool) -> None:
    """A format that is not asserted when a request is admitted is judged by the value, for every request."""
    field = {"type": "string", "format": form}
    schema = {**REQUEST_SCHEMA, "properties": {**REQUEST_SCHEMA["properties"], "moment": field}}
    schema["required"] = [*schema["required"], "moment"]
    takes = {"type": "object", "additionalProperties": False, "properties": {"at": field}, "required": ["at"]}
    tool = CATALOG["mail.read@1"].model_copy(update={"input": takes})
    given = premises(request_schema=schema, tools={tool.id: tool}, request={**REQUEST, "moment": "soon"})
    document = plan(step("read", "mail.read", {"at": {"$ref": "request.moment"}}))
    prepared = prepare(document, given)
    assert not isinstance(prepared, Unreadable)
    assert (("read", "at") in prepared.sure) is sure
    assert any(finding.place == "steps.read.args.at" for finding in check(document, given).findings) is not sure


def test_most_arguments_of_a_good_plan_are_sure() -> None:
    """Or it would not be worth while."""
    found = prepare(onboarding(), premises())
    assert not isinstance(found, Unreadable)
    arguments = [(each["id"], name) for each in onboarding()["steps"] for name in each["args"]]
    assert len(found.sure) > 0.6 * len(arguments)


def test_requests_share_what_was_found_out_and_nothing_of_them_is_in_it() -> None:
    """One preparation for any number of requests."""
    one, other = premises(), premises(request={**REQUEST, "first_name": "Joan"})
    assert prepare(onboarding(), one) is prepare(onboarding(), other)


def test_another_catalog_or_schema_is_prepared_for_anew() -> None:
    """What is sure under one need not be under another."""
    narrow = {**REQUEST_SCHEMA, "properties": dict(REQUEST_SCHEMA["properties"])}
    assert prepare(onboarding(), premises()) is not prepare(onboarding(), premises(request_schema=narrow))
    assert prepare(onboarding(), premises()) is not prepare(onboarding(), premises(tools=dict(premises().tools)))
