"""What must be true at the end of the demo, and whether it is: counted by the sandbox, read from the journal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from governance import events as ev
from governance.chain import Entry, Verified
from governance.effects import FailureClass, LookupAnswer, StepStatus


@dataclass(frozen=True)
class Wanted:
    """A record that a system must hold exactly once: the fields by which it is right, and words for people."""

    system: str
    what: str
    fields: Mapping[str, Any]
    words: str


@dataclass(frozen=True)
class Counted:
    """How often a wanted record is there, and its id."""

    wanted: Wanted
    times: int
    id: str


@dataclass(frozen=True)
class Result:
    """Everything that was looked at. ``wrong`` is empty when all of it holds."""

    counted: tuple[Counted, ...]
    retried: ev.StepAttempted | None
    reconciled: ev.StepReconciled | None
    verified: Verified
    wrong: tuple[str, ...]


def wanted_records(request: Mapping[str, Any], account: str, employee: str) -> tuple[Wanted, ...]:
    """The records of one onboarding in R&D, for the account and employee ids that were given out."""
    mail, name, start = request["email"], request["display_name"], request["start_date"]
    return (
        Wanted("identity", "account", {"mail": mail, "displayName": name, "active": True}, f"{mail} in engineering"),
        Wanted(
            "payroll",
            "employee",
            {"workEmail": mail, "legalName": name, "startsOn": start, "status": "active"},
            f"{request['job_title']} from {start}",
        ),
        Wanted(
            "orgchart",
            "position",
            {"employee_id": employee, "account_id": account, "manager_id": "E-0001", "department": "R&D"},
            "R&D, reports to Grace Hopper",
        ),
        Wanted("facilities", "desk", {"occupant": account, "from_date": start, "state": "active"}, request["site"]),
        Wanted("security", "badge", {"holder_id": account, "accessLevel": "staff", "state": "active"}, "level staff"),
        *(
            Wanted("training", "enrolment", {"learner": mail, "course": course, "status": "enrolled"}, course)
            for course in ("security-awareness", "engineering-onboarding")
        ),
        Wanted(
            "benefits", "enrolment", {"employee": employee, "plan": "health-basic", "state": "active"}, "health-basic"
        ),
        Wanted(
            "expenses", "account", {"owner": employee, "monthlyLimitCents": 50_000, "state": "open"}, "500 EUR a month"
        ),
        Wanted("mail", "message", {"to": [mail], "cc": [request["manager"]]}, f"to {mail}"),
    )


def judge(
    request: Mapping[str, Any],
    records: Sequence[Mapping[str, Any]],
    effects: Sequence[Mapping[str, Any]],
    timeline: Sequence[Entry],
    verified: Verified,
) -> Result:
    """Compare what is wanted with what there is."""
    account = _id_of(records, "identity", "mail", request["email"], "id")
    employee = _id_of(records, "payroll", "workEmail", request["email"], "employeeNo")
    counted = tuple(_count(wanted, records) for wanted in wanted_records(request, account, employee))
    wrong = [f"{c.wanted.system} holds the {c.wanted.what} {c.times} times" for c in counted if c.times != 1]
    wrong += [
        f"{effect['system']} did {effect['operation']} {effect['count']} times for {effect['subject']}"
        for effect in effects
        if effect["count"] != 1
    ]
    if "engineering" not in _groups(records, request["email"]):
        wrong.append("identity does not have the account in the group engineering")
    if len(records) != len(counted):
        wrong.append(f"the systems hold {len(records)} new records, and {len(counted)} are wanted")
    retried, reconciled = _retry(timeline), _reconcile(timeline)
    wrong += [] if retried else ["no retry is in the journal"]
    wrong += [] if reconciled else ["no reconciled call is in the journal"]
    wrong += [f"the journal does not verify: {broken.why}" for broken in verified.broken]
    return Result(counted, retried, reconciled, verified, tuple(wrong))


def _count(wanted: Wanted, records: Sequence[Mapping[str, Any]]) -> Counted:
    fitting = [
        record
        for record in records
        if record["system"] == wanted.system
        and all(record["body"].get(name) == value for name, value in wanted.fields.items())
    ]
    return Counted(wanted, len(fitting), ", ".join(str(record["id"]) for record in fitting))


def _id_of(records: Sequence[Mapping[str, Any]], system: str, field: str, value: Any, name: str) -> str:
    for record in records:
        if record["system"] == system and record["body"].get(field) == value:
            return str(record["body"][name])
    return ""


def _groups(records: Sequence[Mapping[str, Any]], mail: str) -> Sequence[str]:
    for record in records:
        if record["system"] == "identity" and record["body"].get("mail") == mail:
            groups: Sequence[str] = record["body"].get("groups", ())
            return groups
    return ()


def _retry(timeline: Sequence[Entry]) -> ev.StepAttempted | None:
    """A transient failure of a step that was done afterwards."""
    bodies = [entry.parsed() for entry in timeline]
    done = {body.step for body in bodies if isinstance(body, ev.StepEnded) and body.status is StepStatus.DONE}
    for body in bodies:
        if isinstance(body, ev.StepAttempted) and body.failure.failure is FailureClass.TRANSIENT and body.step in done:
            return body
    return None


def _reconcile(timeline: Sequence[Entry]) -> ev.StepReconciled | None:
    """A lost call that was found to have happened."""
    for entry in timeline:
        body = entry.parsed()
        if isinstance(body, ev.StepReconciled) and body.answer is LookupAnswer.OURS:
            return body
    return None
