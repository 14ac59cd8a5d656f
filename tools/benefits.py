"""Benefits: health and pension plans. Natural key: employee and plan; our key stands in ``reference``."""

from __future__ import annotations

from datetime import date, timedelta
from functools import partial

from pydantic import Field

from governance.effects import EffectClass, UndoCall
from tools.contract import ApiKey, Call, Existing, Found, Tool, ToolModel
from tools.paths import path
from tools.practice import practice_system
from tools.records import Record, judged, the_only
from tools.semantic import BenefitEnrolmentId, BenefitPlanId, EmployeeId
from tools.simulated_ids import SIMULATED_DAY, simulated_id


class NewBenefit(ToolModel):
    """Who joins which plan, from when."""

    employee_id: EmployeeId
    plan: BenefitPlanId = Field(description="the plan's short name, such as health-basic")
    start_date: date = Field(description="the first day of cover")


class BenefitRef(ToolModel):
    """A benefit enrolment by its id."""

    benefit_id: BenefitEnrolmentId


class BenefitQuery(ToolModel):
    """Whose benefit from which plan."""

    employee_id: EmployeeId
    plan: BenefitPlanId


class Benefit(ToolModel):
    """An employee in a plan."""

    benefit_id: BenefitEnrolmentId
    employee_id: EmployeeId
    plan: BenefitPlanId
    start_date: date
    state: str = Field(description="active or cancelled")


class PlanQuery(ToolModel):
    """Nothing is asked: all plans."""


class BenefitPlan(ToolModel):
    """A plan and what it costs the company. ``monthly_cost`` is in whole units of ``currency``, rounded down."""

    plan: BenefitPlanId
    title: str
    monthly_cost: int
    currency: str


class BenefitPlans(ToolModel):
    """All plans."""

    plans: tuple[BenefitPlan, ...]


def _benefit(record: Record) -> Benefit:
    return Benefit(
        benefit_id=record["enrolmentId"],
        employee_id=record["employee"],
        plan=record["plan"],
        start_date=record["startsOn"],
        state=record["state"],
    )


def _plan(record: Record) -> BenefitPlan:
    return BenefitPlan(
        plan=record["plan"],
        title=record["title"],
        monthly_cost=record["monthlyCostCents"] // 100,
        currency=record["currency"],
    )


def _is_active(record: Record) -> bool:
    return bool(record["state"] == "active")


async def _search(call: Call, employee_id: str, plan: str) -> list[Record]:
    answer = await call.http.request("GET", "/enrolments", params={"employee": employee_id, "plan": plan})
    found: list[Record] = answer.body["enrolments"]
    return found


async def list_plans(call: Call, _: PlanQuery) -> BenefitPlans:
    """List the plans."""
    plans = (await call.http.request("GET", "/plans")).body["plans"]
    return BenefitPlans(plans=tuple(_plan(record) for record in plans))


async def enrol(call: Call, wanted: NewBenefit) -> Benefit | Existing:
    """Enrol the employee; who is in the plan already, and not by us, is Existing."""
    body = {
        "employee": wanted.employee_id,
        "plan": wanted.plan,
        "startsOn": wanted.start_date.isoformat(),
        "reference": call.key,
    }
    answer = await call.http.request("POST", "/enrolments", json=body, expect=(409,))
    if answer.status != 409:
        return _benefit(answer.body)
    there = answer.body["fault"]["enrolment"]
    return _benefit(there) if there["reference"] == call.key else Existing(_benefit(there))


async def look_for_benefit(call: Call, wanted: NewBenefit) -> Found:
    """Ours by ``reference``; someone else's is an active enrolment of the same employee in the same plan."""
    found = await _search(call, wanted.employee_id, wanted.plan)
    name, read = "enrolmentId", _benefit
    return judged(found, key=call.key, reference="reference", name=name, read=read, live=_is_active)


async def find_enrolment(call: Call, wanted: BenefitQuery) -> Benefit:
    """Find the employee's active enrolment in the plan."""
    active = [record for record in await _search(call, wanted.employee_id, wanted.plan) if _is_active(record)]
    return _benefit(the_only(active, what=f"enrolment of {wanted.employee_id} in {wanted.plan}", name="enrolmentId"))


async def cancel(call: Call, wanted: BenefitRef) -> Benefit | Existing:
    """Take the employee out of the plan; who is out of it already is Existing."""
    target = path("enrolments", wanted.benefit_id)
    there = _benefit((await call.http.request("GET", target)).body)
    if there.state == "cancelled":
        return Existing(there)
    return _benefit((await call.http.request("DELETE", target)).body)


def _pretend_new(wanted: NewBenefit, _: str) -> Benefit:
    number = simulated_id("ben-", 4, wanted.employee_id, wanted.plan)
    return Benefit(benefit_id=number, state="active", **wanted.model_dump())


def _pretend_found(wanted: BenefitQuery, key: str) -> Benefit:
    return _pretend_new(NewBenefit(start_date=SIMULATED_DAY, **wanted.model_dump()), key)


def _pretend_cancelled(wanted: BenefitRef, _: str) -> Benefit:
    return Benefit(
        benefit_id=wanted.benefit_id,
        employee_id="E-00000",
        plan="health-basic",
        start_date=SIMULATED_DAY,
        state="cancelled",
    )


SYSTEM = practice_system("benefits", "Benefits", ApiKey(), offset=7)
_reads = partial(Tool, system="benefits", effect=EffectClass.READ, permission="benefits:read")
_changes = partial(
    Tool,
    system="benefits",
    output=Benefit,
    effect=EffectClass.NATURAL_KEY,
    settle=timedelta(seconds=2),
    permission="benefits:write",
    data_classes=frozenset({"personal"}),
)
TOOLS = (
    _reads(
        name="benefits.list_plans",
        summary="List the benefit plans with what they cost.",
        input=PlanQuery,
        output=BenefitPlans,
        run=list_plans,
        simulate=lambda _wanted, _key: BenefitPlans(plans=()),
    ),
    _changes(
        name="benefits.enrol",
        summary="Enrol an employee in a benefit plan.",
        input=NewBenefit,
        run=enrol,
        simulate=_pretend_new,
        lookup=look_for_benefit,
        undo=UndoCall(tool="benefits.cancel@1", args={"benefit_id": {"$ref": "output.benefit_id"}}),
        provides="benefits.enrolment",
    ),
    _reads(
        name="benefits.find_enrolment",
        summary="Find an employee's enrolment in a benefit plan.",
        input=BenefitQuery,
        output=Benefit,
        run=find_enrolment,
        simulate=_pretend_found,
        data_classes=frozenset({"personal"}),
    ),
    _changes(
        name="benefits.cancel",
        summary="Take an employee out of a benefit plan.",
        input=BenefitRef,
        run=cancel,
        simulate=_pretend_cancelled,
        undo=UndoCall(
            tool="benefits.enrol@1",
            args={name: {"$ref": f"output.{name}"} for name in ("employee_id", "plan", "start_date")},
        ),
        provides="benefits.ended",
    ),
)
