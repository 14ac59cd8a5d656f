"""Small tools for planning, declared as models so that their schemas are real ones."""

from __future__ import annotations

from typing import Any

from governance.effects import EffectClass, UndoCall
from governance.goals import Goal
from tools.contract import Tool, ToolModel, ToolSpec
from tools.semantic import AccountId, CourseId, DeskCode, Email, EmployeeId, EnrolmentId, PersonName, Site


class ByEmail(ToolModel):
    """Somebody by e-mail."""

    email: Email


class NewAccount(ByEmail):
    """A new account."""

    display_name: PersonName


class Account(ToolModel):
    """An account."""

    user_id: AccountId
    email: Email


class Employee(ToolModel):
    """An employee; the manager's number is None at the top."""

    employee_id: EmployeeId
    email: Email
    manager_id: EmployeeId | None = None


class NewPosition(ToolModel):
    """A place under a manager."""

    employee_id: EmployeeId
    manager_id: EmployeeId
    account_id: AccountId | None = None
    note: str = ""


class Position(ToolModel):
    """A place."""

    employee_id: EmployeeId


class NewBadge(ToolModel):
    """A badge for an account at a site."""

    account_id: AccountId
    site: Site


class Badge(ToolModel):
    """A badge."""

    account_id: AccountId
    site: Site


class Letter(ToolModel):
    """A letter."""

    to: Email
    cc: tuple[Email, ...] = ()


class Sent(ToolModel):
    """A letter that is sent."""

    to: Email


class Course(ToolModel):
    """Somebody's enrolment in a course."""

    email: Email
    course: CourseId


class EnrolmentRef(ToolModel):
    """An enrolment."""

    enrolment_id: EnrolmentId


class Enrolment(EnrolmentRef):
    """An enrolment with its course."""

    email: Email
    course: CourseId


class NewContract(ByEmail):
    """A contract with its pay."""

    annual_salary: int


class Contract(Employee):
    """A contract as payroll has it."""

    annual_salary: int


class JobTitle(ToolModel):
    """A job title."""

    job_title: str


class UsualPay(JobTitle):
    """What a job title usually earns."""

    annual_salary: int


class BadgeRef(ToolModel):
    """A badge by its account."""

    account_id: AccountId


class Desk(ToolModel):
    """A desk's assignment, which mentions whose account it is for."""

    desk: DeskCode
    account_id: AccountId


class DeskRef(ToolModel):
    """A desk."""

    desk: DeskCode


async def _never(*_: Any) -> ToolModel:
    raise AssertionError


def spec(
    name: str,
    given: type[ToolModel],
    answer: type[ToolModel],
    *,
    provides: str = "",
    final: bool = False,
    version: int = 1,
) -> ToolSpec:
    """A read, or with ``provides`` an effect; ``final``: one that cannot be taken back."""
    effect = EffectClass.NATURAL_KEY if provides else EffectClass.READ
    return Tool(
        name=name,
        version=version,
        system=name.partition(".")[0],
        summary=name,
        input=given,
        output=answer,
        effect=effect,
        run=_never,
        simulate=_never,  # type: ignore[arg-type]  # never called
        provides=provides,
        undo=UndoCall(tool="x.undo@1") if provides and not final else None,
        irreversible="it is gone" if final else "",
    ).spec


CREATE_ACCOUNT = spec("identity.create_account", NewAccount, Account, provides="identity.account")
FIND_ACCOUNT = spec("identity.find_account", ByEmail, Account)
CREATE_EMPLOYEE = spec("payroll.create_employee", ByEmail, Employee, provides="payroll.employee")
FIND_EMPLOYEE = spec("payroll.find_employee", ByEmail, Employee)
FIND_PERSON = spec("orgchart.find_person", ByEmail, Employee)
PLACE = spec("orgchart.place_person", NewPosition, Position, provides="orgchart.position")
BADGE = spec("security.issue_badge", NewBadge, Badge, provides="security.badge")
SEND = spec("mail.send", Letter, Sent, provides="mail.message", final=True)
FIND_ENROLMENT = spec("training.find_enrolment", Course, Enrolment)
WITHDRAW = spec("training.withdraw", EnrolmentRef, Enrolment, provides="training.enrolment_ended")
HIRE = spec("payroll.hire", NewContract, Contract, provides="payroll.contract")
FIND_CONTRACT = spec("payroll.find_contract", ByEmail, Contract)
FIND_PAY = spec("payroll.find_usual_pay", JobTitle, UsualPay)
RELEASE = spec("facilities.release_desk", DeskRef, Desk, provides="facilities.desk_released")
REVOKE = spec("security.revoke_badge", BadgeRef, Badge, provides="security.badge_revoked")


def catalog(*specs: ToolSpec) -> dict[str, ToolSpec]:
    """Specs by id."""
    return {one.id: one for one in specs}


def goal(goal_id: str, provides: str, **more: Any) -> Goal:
    """A goal with a reason."""
    return Goal(id=goal_id, provides=provides, reason=f"because of {goal_id}", **more)


SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "x-semantic": "PersonName"},
        "email": {"type": "string", "format": "email", "x-semantic": "Email"},
        "manager": {"type": "string", "format": "email", "x-semantic": "Email"},
        "site": {"enum": ["Berlin", "London"], "type": "string", "x-semantic": "Site"},
        "mode": {"enum": ["office", "remote"]},
    },
}
REQUEST = {
    "name": "Ada Lovelace",
    "email": "ada.lovelace@acme.example",
    "manager": "grace.hopper@acme.example",
    "site": "Berlin",
    "mode": "office",
}
