"""A cancelled onboarding on the sandbox company: what its systems count as made, they count as taken back."""

from __future__ import annotations

from pathlib import Path

import pytest

from governance.errors import Refused
from governance.events import RunStatus, StepEnded
from governance.reviews import approve, reject, respond
from runtime.application import Application
from tests.conftest import DatabaseUrls
from tests.fixtures.company import ADA, FINANCE, HR, SECURITY, open_reviews, person, steward_on, until
from tests.sandbox.running import Company

UNDONE_BY = {
    "create_user": "deactivate_user",
    "add_member": "remove_member",
    "create_employee": "terminate_employee",
    "put_position": "delete_position",
    "assign_desk": "release_desk",
    "issue_badge": "revoke_badge",
    "enrol": "withdraw",
    "open_account": "close_account",
}


def _standing(company: Company) -> list[str]:
    """What the systems made and did not take back, by their own count; nothing may have happened twice."""
    effects = [effect for system in company.ports if system != "control" for effect in company.effects(system)]
    assert all(effect["count"] == 1 for effect in effects)
    names = {(effect["operation"], effect["subject"]) for effect in effects}
    undoing = {*UNDONE_BY.values(), "cancel_enrolment"}
    taken_back = {subject for operation, subject in names if operation == "cancel_enrolment"}
    return sorted(
        f"{operation} {subject}"
        for operation, subject in names
        if operation not in undoing
        and (UNDONE_BY.get(operation), subject) not in names
        and not (operation == "enrol" and subject in taken_back)
    )


async def _employed(steward: Application) -> str:
    """A run with Ada on the payroll, more on its way, and the badge still a question."""
    run = await steward.start("onboarding", ADA, by=person(steward, HR))
    await until(steward, run.id, "review.asked", count=2)
    asked = await open_reviews(steward, run.id)
    await steward.decide(asked["employee"].card.id, approve(), by=person(steward, FINANCE))
    async for entry in steward.events(run.id):
        if isinstance(body := entry.parsed(), StepEnded) and body.step == "employee":
            break
    return run.id


async def test_an_onboarding_cancelled_half_way_leaves_nothing_standing(
    database_urls: DatabaseUrls, home: Path, company: Company
) -> None:
    """Also not what was on its way when the cancel came; some answers of undos are lost, and nothing happens twice."""
    company.order_fault(system="identity", kind="drop_after", method="DELETE", path_prefix="/groups", times=1)
    company.order_fault(system="training", kind="error_after", status=500, path_prefix="/enrolments/", times=1)
    async with steward_on(database_urls, home) as steward, steward.working():
        run_id = await _employed(steward)
        assert len(_standing(company)) >= 6
        await steward.cancel(run_id, reason="she declined", by=person(steward, HR))
        await until(steward, run_id, "run.ended")
        assert _standing(company) == []
        view = await steward.show(run_id)
        assert {step.state for step in view.undos} <= {"done", "found"}
        count = len(view.undos)
        assert count >= 6
        assert view.undo == ()
        assert f"{count} of {count} effects are taken back" in view.report
        assert (await steward.verify(run_id)).ok


async def test_an_undo_that_a_system_refuses_is_put_before_people(
    database_urls: DatabaseUrls, home: Path, company: Company
) -> None:
    """Half is taken back, the run says what stands and why; it cannot be cancelled again; resumed, it comes to its end."""
    company.order_fault(system="payroll", kind="status", status=422, method="POST", path_prefix="/employees/", times=1)
    async with steward_on(database_urls, home) as steward, steward.working():
        run_id = await _employed(steward)
        badge = (await open_reviews(steward, run_id))["badge"].card.id
        await steward.decide(badge, reject(reason="no tour yet"), by=person(steward, SECURITY))
        await until(steward, run_id, "run.parked")
        (question,) = (await open_reviews(steward, run_id)).values()
        await steward.decide(question.card.id, respond("undo", reason="all of it"), by=person(steward, HR))
        await until(steward, run_id, "run.parked", count=2)
        assert any(line.startswith("create_employee") for line in _standing(company))
        assert "employee stands" in (await steward.show(run_id)).parked_because
        with pytest.raises(Refused, match="taken back already"):
            await steward.cancel(run_id, reason="once more", by=person(steward, HR))
        await steward.resume(run_id, reason="payroll lets us now", by=person(steward, HR))
        await until(steward, run_id, "run.ended")
        assert _standing(company) == []
    async with steward_on(database_urls, home) as steward:
        (row,) = await steward.runs(status=RunStatus.UNDONE)
        assert row.id == run_id
