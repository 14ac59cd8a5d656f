"""A small pretend catalog, people and policy to check plans against. Real tool models, no systems behind them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from pydantic import Field

from governance.effects import EffectClass, UndoCall
from governance.goals import Goal
from governance.people import Person
from governance.policy import Policy, PolicyRule, RulingKind
from plans.checked import Premises
from tools.contract import Call, Tool, ToolModel, ToolSpec
from tools.semantic import AccountId, BadgeId, CourseId, Department, DeskCode, Email, EmployeeId, PersonName, Site


class Nothing(ToolModel):
    pass


class AccountIn(ToolModel):
    email: Email
    display_name: PersonName
    title: str | None = None


class AccountOut(ToolModel):
    user_id: AccountId
    active: bool
    alias: str | None = None


class AccountRef(ToolModel):
    user_id: AccountId


class GroupIn(ToolModel):
    user_id: AccountId
    group: Literal["engineering", "sales", "staff"]


class EmployeeIn(ToolModel):
    email: Email
    legal_name: PersonName
    department: Department
    start_date: date
    annual_salary: int = Field(ge=0, le=1_000_000)


class EmployeeOut(ToolModel):
    employee_id: EmployeeId
    grade: int


class EmployeeRef(ToolModel):
    employee_id: EmployeeId


class EmailIn(ToolModel):
    email: Email


class PlaceIn(ToolModel):
    employee_id: EmployeeId
    manager_id: EmployeeId
    department: Department


class SiteIn(ToolModel):
    site: Site


class DeskOut(ToolModel):
    desk_code: DeskCode
    site: Site
    floor: int


class AssignIn(ToolModel):
    desk_code: DeskCode
    user_id: AccountId


class AssignOut(ToolModel):
    assignment: str


class AssignRef(ToolModel):
    assignment: str


class BadgeIn(ToolModel):
    employee_id: EmployeeId
    site: Site
    level: Literal["visitor", "staff", "lab"] = "staff"


class BadgeOut(ToolModel):
    badge_id: BadgeId


class BadgeRef(ToolModel):
    badge_id: BadgeId


class EnrolIn(ToolModel):
    email: Email
    course: CourseId


class BenefitIn(ToolModel):
    employee_id: EmployeeId
    plan: Literal["health-basic", "health-plus"]


class ExpenseIn(ToolModel):
    employee_id: EmployeeId
    monthly_limit: float = Field(ge=0)


class MailIn(ToolModel):
    to: Email
    subject: str = Field(min_length=1, max_length=200)
    body: str
    copies: tuple[Email, ...] = ()


class MailOut(ToolModel):
    accepted: bool


class InboxOut(ToolModel):
    body: str
    sender: Email


class Address(ToolModel):
    street: str
    number: int


class ParcelIn(ToolModel):
    address: Address
    labels: tuple[str, ...] = ()


async def _run(call: Call, given: Any) -> ToolModel:
    raise NotImplementedError


def _simulate(given: Any, key: str) -> ToolModel:
    raise NotImplementedError


def tool(
    name: str, input_: type[ToolModel], output: type[ToolModel], effect: EffectClass = EffectClass.READ, **more: Any
) -> ToolSpec:
    """A tool's spec; its system is the first word of its name, which is also its permission unless given."""
    system = name.partition(".")[0]
    contract = {"permission": f"{system}:use", "summary": name, **more}
    return Tool(
        name=name, system=system, input=input_, output=output, effect=effect, run=_run, simulate=_simulate, **contract
    ).spec


def _out(name: str) -> dict[str, str]:
    return {"$ref": f"output.{name}"}


def _in(name: str) -> dict[str, str]:
    return {"$ref": f"input.{name}"}


def _ended(name: str, reference: type[ToolModel]) -> ToolSpec:
    return tool(name, reference, Nothing, EffectClass.NATURAL_KEY, irreversible="it is an end itself")


KEY, REC = EffectClass.KEYED, EffectClass.RECONCILABLE
SPECS: tuple[ToolSpec, ...] = (
    tool("identity.find_account", EmailIn, AccountOut),
    tool(
        "identity.create_account",
        AccountIn,
        AccountOut,
        EffectClass.NATURAL_KEY,
        provides="identity.account",
        undo=UndoCall(tool="identity.close_account@1", args={"user_id": _out("user_id")}),
    ),
    _ended("identity.close_account", AccountRef),
    tool(
        "identity.add_to_group",
        GroupIn,
        Nothing,
        EffectClass.NATURAL_KEY,
        provides="identity.membership",
        sensitive=frozenset({"group"}),
        undo=UndoCall(tool="identity.leave_group@1", args={"user_id": _in("user_id"), "group": _in("group")}),
    ),
    _ended("identity.leave_group", GroupIn),
    tool(
        "payroll.create_employee",
        EmployeeIn,
        EmployeeOut,
        KEY,
        provides="payroll.employee",
        amount="annual_salary",
        sensitive=frozenset({"annual_salary"}),
        undo=UndoCall(tool="payroll.end_employment@1", args={"employee_id": _out("employee_id")}),
    ),
    _ended("payroll.end_employment", EmployeeRef),
    tool("orgchart.find_person", EmailIn, EmployeeOut),
    tool(
        "orgchart.place_person",
        PlaceIn,
        Nothing,
        EffectClass.NATURAL_KEY,
        provides="orgchart.position",
        undo=UndoCall(tool="orgchart.remove_position@1", args={"employee_id": _in("employee_id")}),
    ),
    _ended("orgchart.remove_position", EmployeeRef),
    tool("facilities.find_free_desk", SiteIn, DeskOut),
    tool(
        "facilities.assign_desk",
        AssignIn,
        AssignOut,
        REC,
        provides="facilities.desk",
        undo=UndoCall(tool="facilities.release_desk@1", args={"assignment": _out("assignment")}),
    ),
    _ended("facilities.release_desk", AssignRef),
    tool(
        "security.issue_badge",
        BadgeIn,
        BadgeOut,
        KEY,
        provides="security.badge",
        sensitive=frozenset({"level"}),
        undo=UndoCall(tool="security.revoke_badge@1", args={"badge_id": _out("badge_id")}),
    ),
    _ended("security.revoke_badge", BadgeRef),
    tool(
        "training.enrol",
        EnrolIn,
        Nothing,
        REC,
        provides="training.enrolment",
        undo=UndoCall(tool="training.withdraw@1", args={"email": _in("email"), "course": _in("course")}),
    ),
    _ended("training.withdraw", EnrolIn),
    tool(
        "benefits.enrol",
        BenefitIn,
        Nothing,
        EffectClass.NATURAL_KEY,
        provides="benefits.enrolment",
        undo=UndoCall(tool="benefits.cancel@1", args={"employee_id": _in("employee_id"), "plan": _in("plan")}),
    ),
    _ended("benefits.cancel", BenefitIn),
    tool(
        "expenses.open_account",
        ExpenseIn,
        Nothing,
        KEY,
        provides="expenses.account",
        amount="monthly_limit",
        undo=UndoCall(tool="expenses.close_account@1", args={"employee_id": _in("employee_id")}),
    ),
    _ended("expenses.close_account", EmployeeRef),
    tool(
        "mail.send",
        MailIn,
        MailOut,
        EffectClass.UNSAFE,
        provides="mail.message",
        sensitive=frozenset({"to"}),
        irreversible="a mail that was sent cannot be called back",
    ),
    tool("mail.read", Nothing, InboxOut, untrusted_output=True),
    tool(
        "post.send_parcel",
        ParcelIn,
        Nothing,
        KEY,
        provides="post.parcel",
        undo=UndoCall(tool="post.recall@1", args={}),
    ),
    _ended("post.recall", Nothing),
)
CATALOG = {spec.id: spec for spec in SPECS}

REQUEST_SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": [
        "first_name",
        "last_name",
        "email",
        "department",
        "start_date",
        "manager",
        "site",
        "work_mode",
        "salary",
    ],
    "properties": {
        "first_name": {"type": "string", "x-semantic": "PersonName"},
        "last_name": {"type": "string", "x-semantic": "PersonName"},
        "email": {"type": "string", "x-semantic": "Email"},
        "department": {"type": "string", "enum": ["R&D", "Sales"], "x-semantic": "Department"},
        "start_date": {"type": "string", "format": "date"},
        "manager": {"type": "string", "x-semantic": "Email"},
        "site": {"type": "string", "enum": ["Berlin", "London"], "x-semantic": "Site"},
        "work_mode": {"type": "string", "enum": ["office", "hybrid", "remote"]},
        "salary": {"type": "integer", "minimum": 0, "maximum": 500000},
        "nickname": {"type": "string"},
        "phones": {"type": "array", "items": {"type": "string"}},
    },
}
REQUEST: dict[str, Any] = {
    "first_name": "Ada",
    "last_name": "Lovelace",
    "email": "ada.lovelace@acme.example",
    "department": "R&D",
    "start_date": "2027-02-01",
    "manager": "grace.hopper@acme.example",
    "site": "Berlin",
    "work_mode": "hybrid",
    "salary": 72000,
}
KATHERINE = Person(
    id="katherine.johnson@acme.example",
    name="Katherine Johnson",
    roles=frozenset({"hr"}),
    permissions=frozenset({"*"}),
    manager="grace.hopper@acme.example",
)
PEOPLE: tuple[Person, ...] = (
    Person(id="annie.easley@acme.example", name="Annie Easley", roles=frozenset({"security", "facilities"})),
    Person(id="grace.hopper@acme.example", name="Grace Hopper", roles=frozenset({"manager"})),
    KATHERINE,
    Person(
        id="mary.jackson@acme.example",
        name="Mary Jackson",
        roles=frozenset({"finance"}),
        permissions=frozenset({"payroll:*"}),
    ),
)


@dataclass(frozen=True)
class Company:
    """A directory of a few people."""

    people: tuple[Person, ...] = PEOPLE

    def find(self, person_id: str) -> Person | None:
        return next((person for person in self.people if person.id == person_id.lower()), None)

    def members_of(self, role: str) -> Sequence[Person]:
        return [person for person in self.people if role in person.roles]

    def manager_of(self, person_id: str) -> Person | None:
        person = self.find(person_id)
        return self.find(person.manager) if person and person.manager else None

    def delegate_of(self, person_id: str) -> Person | None:
        return None

    def everyone(self) -> Sequence[Person]:
        return self.people


def eq(path: str, value: Any) -> dict[str, Any]:
    """The condition that a reference has a value."""
    return {"$eq": [{"$ref": path}, value]}


def ne(path: str, value: Any) -> dict[str, Any]:
    """The condition that a reference has another value."""
    return {"$ne": [{"$ref": path}, value]}


def ref(path: str) -> dict[str, str]:
    """A reference."""
    return {"$ref": path}


REVERSIBLE_GO = PolicyRule(
    name="reversible", then=RulingKind.GO, when=eq("reversible", True), because="it can be taken back"
)
MAIL_GO = PolicyRule(name="mail", then=RulingKind.GO, when=eq("tool", "mail.send@1"), because="a welcome does no harm")
PAYROLL_GATE = PolicyRule(
    name="payroll",
    then=RulingKind.GATE,
    when=eq("tool", "payroll.create_employee@1"),
    because="it is money",
    approvers=("finance",),
)
BADGE_GATE = PolicyRule(
    name="badge",
    then=RulingKind.GATE,
    when=eq("system", "security"),
    because="it opens doors",
    approvers=("security",),
)
TAINT_GATE = PolicyRule(
    name="taint",
    then=RulingKind.GATE,
    when=eq("tainted_sensitive", True),
    because="it came from outside",
    approvers=("manager",),
)
POLICY = Policy((REVERSIBLE_GO, MAIL_GO, PAYROLL_GATE, BADGE_GATE))
IN_OFFICE = ne("request.work_mode", "remote")


def goal(name: str, provides: str, **more: Any) -> Goal:
    """A goal."""
    return Goal(id=name, provides=provides, reason=f"{name} is wanted", **more)


def premises(goals: Iterable[Goal] = (), **more: Any) -> Premises:
    """What plans are checked against here, with any part replaced."""
    given: dict[str, Any] = {
        "tools": CATALOG,
        "request_schema": REQUEST_SCHEMA,
        "request": REQUEST,
        "goals": tuple(goals),
        "policy": POLICY,
        "directory": Company(),
        "requester": KATHERINE,
    }
    return Premises(**{**given, **more})


def step(step_id: str, tool_name: str, args: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """A step's document."""
    tool_id = tool_name if "@" in tool_name else f"{tool_name}@1"
    return {"id": step_id, "tool": tool_id, "args": args or {}, "reason": "it is needed", "confidence": 0.9, **more}


def plan(*steps: dict[str, Any], **goal_steps: str) -> dict[str, Any]:
    """A plan's document."""
    return {"schema": 1, "playbook": "onboarding@1", "goal_steps": goal_steps, "steps": list(steps)}
