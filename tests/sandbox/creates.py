"""For each system: how something is created, found and undone, and what its errors look like."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx

from tests.sandbox.running import Company


@dataclass(frozen=True)
class Create:
    """`broken` has wrong values in the fields `wrong`; `undo` is method, path with {id}, body. None: there is none."""

    system: str
    method: str
    path: str
    body: dict[str, Any]
    id_field: str
    id_pattern: str
    subject: str
    broken: dict[str, Any]
    wrong: set[str]
    fields_of: Callable[[Any], set[str]]
    invalid_status: int
    reference: str | None = None
    find: str | None = None
    undo: tuple[str, str, dict[str, Any] | None] | None = None
    lag: float = 0

    def send(self, acme: Company, **headers: str) -> httpx.Response:
        return acme[self.system].request(self.method, self.path, json=self.body, headers=headers)

    def identifier(self, answer: httpx.Response) -> str:
        return str(unwrapped(answer)[self.id_field])

    def take_back(self, acme: Company, identifier: str) -> httpx.Response:
        assert self.undo is not None
        method, path, body = self.undo
        return acme[self.system].request(method, path.format(id=identifier), json=body)

    def found(self, acme: Company, reference: str) -> list[dict[str, Any]]:
        assert self.find is not None
        answer = acme[self.system].get(self.find.format(reference=reference)).json()
        return next(value for value in answer.values() if isinstance(value, list))


def unwrapped(answer: httpx.Response) -> dict[str, Any]:
    """Give the record, also where the system puts it into an envelope."""
    body: dict[str, Any] = answer.json()
    account: dict[str, Any] = body.get("account", body)
    return account


CREATES = (
    Create(
        system="identity",
        method="POST",
        path="/users",
        body={
            "userName": "ada.lovelace",
            "displayName": "Ada Lovelace",
            "mail": "ada@acme.example",
            "externalId": "ours",
        },
        id_field="id",
        id_pattern=r"acc-\d{6}",
        subject="ada@acme.example",
        broken={"userName": "Ada!", "displayName": "Ada", "mail": "nowhere", "surprise": 1},
        wrong={"userName", "mail", "surprise"},
        fields_of=lambda body: {error["path"] for error in body["errors"]},
        invalid_status=400,
        reference="externalId",
        find="/users?externalId={reference}",
        undo=("POST", "/users/{id}/deactivate", None),
    ),
    Create(
        system="payroll",
        method="POST",
        path="/employees",
        body={
            "legalName": "Ada Lovelace",
            "workEmail": "ada@acme.example",
            "jobTitle": "Software Engineer",
            "department": "R&D",
            "annualSalaryCents": 7_200_000,
            "startsOn": "2027-02-01",
            "externalRef": "ours",
        },
        id_field="employeeNo",
        id_pattern=r"E-\d{5}",
        subject="ada@acme.example",
        broken={"legalName": "Ada", "workEmail": "x", "jobTitle": "", "department": "R&D", "annualSalaryCents": 1},
        wrong={"workEmail", "jobTitle", "annualSalaryCents", "startsOn"},
        fields_of=lambda body: {error["field"] for error in body["error"]["fields"]},
        invalid_status=422,
        reference="externalRef",
        find="/employees?externalRef={reference}",
        undo=("POST", "/employees/{id}/terminate", {"lastDay": "2027-03-01"}),
    ),
    Create(
        system="orgchart",
        method="PUT",
        path="/positions/E-00101",
        body={
            "display_name": "Ada Lovelace",
            "mail": "ada@acme.example",
            "title": "Software Engineer",
            "department": "R&D",
            "manager_id": "E-0001",
            "starts_on": "2027-02-01",
            "reference": "ours",
        },
        id_field="employee_id",
        id_pattern=r"E-\d{5}",
        subject="E-00101",
        broken={"display_name": "Ada", "mail": "ada@acme.example", "manager_id": "Grace", "starts_on": "soon"},
        wrong={"title", "department", "manager_id", "starts_on"},
        fields_of=lambda body: {error["name"] for error in body["invalid_params"]},
        invalid_status=422,
        reference="reference",
        find="/people?mail=ada@acme.example",
    ),
    Create(
        system="facilities",
        method="POST",
        path="/assignments",
        body={"occupant": "acc-000101", "site": "Berlin", "from_date": "2027-02-01", "external_ref": "ours"},
        id_field="assignment_id",
        id_pattern=r"asg-\d{4}",
        subject="acc-000101",
        broken={"occupant": "Ada", "site": "Berlin", "external_ref": ""},
        wrong={"occupant", "from_date", "external_ref"},
        fields_of=lambda body: {error["field"] for error in body["details"]},
        invalid_status=400,
        reference="external_ref",
        find="/assignments?external_ref={reference}",
        undo=("DELETE", "/assignments/{id}", None),
        lag=2,
    ),
    Create(
        system="security",
        method="POST",
        path="/badges",
        body={
            "holder_id": "acc-000101",
            "holderName": "Ada Lovelace",
            "site": "Berlin",
            "accessLevel": "staff",
            "validFrom": "2027-02-01",
            "reference": "ours",
        },
        id_field="badgeNo",
        id_pattern=r"bdg-\d{4}",
        subject="acc-000101",
        broken={"holder_id": "Ada", "holderName": "Ada", "site": "Berlin", "accessLevel": "everywhere"},
        wrong={"holder_id", "accessLevel", "validFrom"},
        fields_of=lambda body: set(body["fieldErrors"]),
        invalid_status=400,
        reference="reference",
        find="/badges?reference={reference}",
        undo=("POST", "/badges/{id}/revoke", {"reason": "undo"}),
    ),
    Create(
        system="training",
        method="POST",
        path="/enrolments",
        body={"learner": "ada@acme.example", "course": "security-awareness", "reference": "ours"},
        id_field="enrolment_id",
        id_pattern=r"enr-\d{4}",
        subject="ada@acme.example/security-awareness",
        broken={"learner": "Ada", "due_on": "soon"},
        wrong={"learner", "course", "due_on"},
        fields_of=lambda body: {error["field"] for error in body["errors"]},
        invalid_status=422,
        reference="reference",
        find="/enrolments?learner=ada@acme.example&reference={reference}",
        undo=("POST", "/enrolments/{id}/withdraw", None),
    ),
    Create(
        system="benefits",
        method="POST",
        path="/enrolments",
        body={"employee": "E-00101", "plan": "health-basic", "startsOn": "2027-02-01", "reference": "ours"},
        id_field="enrolmentId",
        id_pattern=r"ben-\d{4}",
        subject="E-00101/health-basic",
        broken={"employee": "Ada", "startsOn": "2027-02-31"},
        wrong={"employee", "plan", "startsOn"},
        fields_of=lambda body: {error["attribute"] for error in body["fault"]["violations"]},
        invalid_status=422,
        reference="reference",
        find="/enrolments?employee=E-00101",
        undo=("DELETE", "/enrolments/{id}", None),
    ),
    Create(
        system="expenses",
        method="POST",
        path="/accounts",
        body={
            "owner": "E-00101",
            "ownerMail": "ada@acme.example",
            "monthlyLimitCents": 50_000,
            "reference": "ours",
        },
        id_field="accountId",
        id_pattern=r"exp-\d{4}",
        subject="E-00101",
        broken={"owner": "Ada", "ownerMail": "x", "monthlyLimitCents": 0},
        wrong={"owner", "ownerMail", "monthlyLimitCents"},
        fields_of=lambda body: set(body["fields"]),
        invalid_status=400,
        reference="reference",
        find="/accounts?reference={reference}",
        undo=("POST", "/accounts/{id}/close", None),
    ),
    Create(
        system="mail",
        method="POST",
        path="/messages",
        body={"to": ["ada@acme.example"], "subject": "Welcome", "text": "See you on Monday."},
        id_field="id",
        id_pattern=r"msg-\d{4}",
        subject="ada@acme.example",
        broken={"to": [], "subject": "", "text": "hello"},
        wrong={"to", "subject"},
        fields_of=lambda body: {reason.partition(":")[0] for reason in body["reasons"]},
        invalid_status=400,
    ),
    Create(
        system="procurement",
        method="POST",
        path="/orders",
        body={
            "item": "12 workstations",
            "amountCents": 4_700_000,
            "supplier": "Keystone Computing",
            "category": "hardware",
            "costCentre": "R&D",
            "expectedStanding": "known",
            "expectedLeftCents": 12_000_000,
            "reference": "ours",
        },
        id_field="orderId",
        id_pattern=r"po-\d{4}",
        subject="Keystone Computing",
        broken={"item": "", "amountCents": 0, "supplier": "Keystone Computing", "expectedStanding": "friendly"},
        wrong={"item", "amountCents", "category", "costCentre", "expectedStanding", "expectedLeftCents"},
        fields_of=lambda body: {problem["field"] for problem in body["error"]["problems"]},
        invalid_status=422,
        reference="reference",
        find="/orders?reference={reference}",
        undo=("POST", "/orders/{id}/cancel", None),
    ),
    Create(
        system="support",
        method="POST",
        path="/tickets",
        body={"customer": "office@kestrel.example", "body": "We cannot log in.", "reference": "ours"},
        id_field="ticket_id",
        id_pattern=r"tck-\d{4}",
        subject="office@kestrel.example",
        broken={"customer": "Kestrel", "body": "", "channel": "pigeon"},
        wrong={"customer", "body", "channel"},
        fields_of=lambda body: {problem.partition(":")[0] for problem in body["problems"]},
        invalid_status=400,
        reference="reference",
        find="/tickets?reference={reference}",
        undo=("POST", "/tickets/{id}/close", None),
    ),
    Create(
        system="billing",
        method="POST",
        path="/credit-notes",
        body={"invoiceNo": "INV-1006", "amountCents": 30_000, "reference": "ours"},
        id_field="creditNoteId",
        id_pattern=r"crn-\d{4}",
        subject="INV-1006",
        broken={"invoiceNo": "", "amountCents": 0},
        wrong={"invoiceNo", "amountCents"},
        fields_of=lambda body: set(body["invalid"]),
        invalid_status=422,
        reference="reference",
        find="/credit-notes?reference={reference}",
        undo=("POST", "/credit-notes/{id}/void", None),
    ),
)
BY_SYSTEM = {create.system: create for create in CREATES}
