"""Plans without a finding, each with the premises under which it has none."""

from __future__ import annotations

from typing import Any

from governance.goals import Goal
from plans.checked import Premises
from tests.unit.plans.company import IN_OFFICE, REQUEST, eq, goal, plan, premises, ref, step

FULL_NAME = {"$text": "{request.first_name} {request.last_name}"}
ONBOARDING_GOALS: tuple[Goal, ...] = (
    goal("account", "identity.account", args={"email": ref("request.email")}),
    goal("group", "identity.membership", args={"group": "engineering"}),
    goal("payroll", "payroll.employee"),
    goal("position", "orgchart.position"),
    goal("desk", "facilities.desk", when=IN_OFFICE),
    goal("badge", "security.badge", when=IN_OFFICE, args={"level": "staff"}),
    goal("safety", "training.enrolment", args={"course": "security-awareness"}),
    goal("course", "training.enrolment", args={"course": "engineering"}, when=eq("request.department", "R&D")),
    goal("health", "benefits.enrolment", args={"plan": "health-basic"}),
    goal("expenses", "expenses.account", args={"monthly_limit": 500}),
    goal("welcome", "mail.message", args={"to": ref("request.email")}, after=("account",)),
)
COMPENSABLE = ["group", "place", "assign", "badge", "safety", "course", "health", "expenses"]


def onboarding() -> dict[str, Any]:
    """Somebody new, in nine systems: fourteen steps."""
    return plan(
        step("account", "identity.create_account", {"email": ref("request.email"), "display_name": FULL_NAME}),
        step("group", "identity.add_to_group", {"user_id": ref("account.user_id"), "group": "engineering"}),
        step(
            "employee",
            "payroll.create_employee",
            {
                "email": ref("request.email"),
                "legal_name": FULL_NAME,
                "department": ref("request.department"),
                "start_date": ref("request.start_date"),
                "annual_salary": ref("request.salary"),
            },
        ),
        step("boss", "orgchart.find_person", {"email": ref("request.manager")}),
        step(
            "place",
            "orgchart.place_person",
            {
                "employee_id": ref("employee.employee_id"),
                "manager_id": ref("boss.employee_id"),
                "department": ref("request.department"),
            },
        ),
        step("desk", "facilities.find_free_desk", {"site": ref("request.site")}, when=IN_OFFICE),
        step(
            "assign",
            "facilities.assign_desk",
            {"desk_code": ref("desk.desk_code"), "user_id": ref("account.user_id")},
            when=IN_OFFICE,
        ),
        step(
            "badge",
            "security.issue_badge",
            {"employee_id": ref("employee.employee_id"), "site": ref("desk.site"), "level": "staff"},
            when=IN_OFFICE,
        ),
        step("safety", "training.enrol", {"email": ref("request.email"), "course": "security-awareness"}),
        step(
            "course",
            "training.enrol",
            {"email": ref("request.email"), "course": "engineering"},
            when=eq("request.department", "R&D"),
        ),
        step("health", "benefits.enrol", {"employee_id": ref("employee.employee_id"), "plan": "health-basic"}),
        step("expenses", "expenses.open_account", {"employee_id": ref("employee.employee_id"), "monthly_limit": 500}),
        step("again", "identity.find_account", {"email": ref("request.email")}, after=["account"]),
        step(
            "welcome",
            "mail.send",
            {
                "to": ref("request.email"),
                "subject": {"$text": "Welcome, {request.first_name}"},
                "body": {"$text": "Your account is {again.user_id}. Desk: see the intranet."},
            },
            after=COMPENSABLE,
        ),
        account="account",
        group="group",
        payroll="employee",
        position="place",
        desk="assign",
        badge="badge",
        safety="safety",
        course="course",
        health="health",
        expenses="expenses",
        welcome="welcome",
    )


def fallback() -> dict[str, Any]:
    """A value with a fallback, and a step that is guarded by what another one found."""
    return plan(
        step("known", "identity.find_account", {"email": ref("request.email")}),
        step(
            "desk", "facilities.find_free_desk", {"site": ref("request.site")}, when=eq("request.work_mode", "office")
        ),
        step(
            "note",
            "mail.send",
            {
                "to": ref("request.manager"),
                "subject": {"$first": [ref("request.nickname"), "no nickname"]},
                "body": {"$first": [ref("desk.desk_code"), {"$text": "no desk for {request.first_name}"}]},
            },
        ),
        step(
            "nickname",
            "mail.send",
            {"to": ref("request.email"), "subject": "Your alias", "body": ref("known.alias")},
            when={"$all": [eq("known.active", True), {"$exists": ref("known.alias")}]},
        ),
        note="note",
        nickname="nickname",
    )


def deep() -> dict[str, Any]:
    """References four deep, and a nested object made of them."""
    return plan(
        step("boss", "orgchart.find_person", {"email": ref("request.manager")}),
        step("desk", "facilities.find_free_desk", {"site": ref("request.site")}),
        step("account", "identity.create_account", {"email": ref("request.email"), "display_name": FULL_NAME}),
        step(
            "assign",
            "facilities.assign_desk",
            {"desk_code": ref("desk.desk_code"), "user_id": ref("account.user_id")},
        ),
        step(
            "parcel",
            "post.send_parcel",
            {
                "address": {"street": {"$text": "Desk {assign.assignment}"}, "number": ref("desk.floor")},
                "labels": ["fragile", ref("assign.assignment")],
            },
        ),
        parcel="parcel",
    )


def simple() -> dict[str, Any]:
    """Two enrolments and a letter."""
    return plan(
        step("one", "training.enrol", {"email": ref("request.email"), "course": "a"}),
        step("two", "training.enrol", {"email": ref("request.email"), "course": "b"}, after=["one"]),
        step("tell", "mail.send", {"to": ref("request.email"), "subject": "Courses", "body": "Two."}, after=["two"]),
        one="one",
        two="two",
        tell="tell",
    )


def repeated() -> dict[str, Any]:
    """A group for each that is written down, a course for each that the request names, and a letter on the first day."""
    return plan(
        step("account", "identity.create_account", {"email": ref("request.email"), "display_name": FULL_NAME}),
        step(
            "groups",
            "identity.add_to_group",
            {"user_id": ref("account.user_id"), "group": ref("item.name")},
            for_each={
                "items": [{"name": "engineering", "on": True}, {"name": "staff", "on": False}],
                "key": ref("item.name"),
            },
            when=eq("item.on", True),
        ),
        step(
            "courses",
            "training.enrol",
            {"email": ref("request.email"), "course": ref("item")},
            for_each={"items": ["a", "b"], "key": ref("item"), "max": 5},
        ),
        step(
            "notes",
            "mail.send",
            {"to": ref("request.email"), "subject": "Your phone", "body": {"$text": "It is {item}."}},
            for_each={"items": {"$first": [ref("request.phones"), []]}, "key": ref("item")},
            after=["groups", "courses"],
            not_before=ref("request.start_date"),
        ),
        courses="courses",
    )


_MAIL = "mail.message"
GOOD: dict[str, tuple[dict[str, Any], Premises]] = {
    "onboarding": (onboarding(), premises(ONBOARDING_GOALS)),
    "fallback": (
        fallback(),
        premises(
            [
                goal("note", _MAIL, args={"to": ref("request.manager")}),
                goal("nickname", _MAIL, when={"$all": [eq("known.active", True), {"$exists": ref("known.alias")}]}),
            ]
        ),
    ),
    "deep": (
        deep(),
        premises([goal("parcel", "post.parcel")]),
    ),
    "repeated": (
        repeated(),
        premises([goal("courses", "training.enrolment")], request={**REQUEST, "phones": ["a", "b"]}),
    ),
    "simple": (
        simple(),
        premises(
            [
                goal("one", "training.enrolment", args={"course": "a"}),
                goal("two", "training.enrolment", args={"course": "b"}, after=("one",)),
                goal("tell", _MAIL),
            ]
        ),
    ),
}
