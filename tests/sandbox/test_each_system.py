"""What is particular to each system: keys, conflicts, lag, duplicates."""

import httpx
import pytest

from sandbox import credentials
from tests.sandbox.creates import BY_SYSTEM, unwrapped
from tests.sandbox.running import OAUTH, Company


@pytest.mark.parametrize("system", OAUTH)
def test_a_token_opens_its_system_for_five_minutes(acme: Company, system: str) -> None:
    """A token is refused by the other systems and after its 300 seconds."""
    form = {"grant_type": "client_credentials"}
    client = (credentials.CLIENT_ID, credentials.CLIENT_SECRET)
    given = httpx.post(f"{acme.url(system)}/oauth/token", data=form, auth=client).json()
    assert (given["token_type"], given["expires_in"]) == ("Bearer", 300)
    headers = {"Authorization": f"Bearer {given['access_token']}"}
    paths = {
        "identity": "/groups",
        "orgchart": "/departments",
        "expenses": "/categories",
        "procurement": "/budgets",
    }
    other = OAUTH[OAUTH.index(system) - 1]
    assert httpx.get(acme.url(system) + paths[system], headers=headers).status_code == 200
    assert httpx.get(acme.url(other) + paths[other], headers=headers).status_code == 401
    acme.advance(301)
    assert httpx.get(acme.url(system) + paths[system], headers=headers).status_code == 401


def test_a_wrong_client_gets_no_token(acme: Company) -> None:
    """The token endpoint answers as OAuth2 says."""
    url = f"{acme.url('identity')}/oauth/token"
    wrong = httpx.post(url, data={"grant_type": "client_credentials", "client_id": "x", "client_secret": "y"})
    assert (wrong.status_code, wrong.json()) == (401, {"error": "invalid_client"})
    assert httpx.post(url, data={"grant_type": "password"}).json() == {"error": "unsupported_grant_type"}


@pytest.mark.parametrize(("system", "lifetime"), [("payroll", 86_400), ("security", 60), ("expenses", 1_800)])
def test_a_key_replays_for_its_lifetime_and_then_acts_again(acme: Company, system: str, lifetime: int) -> None:
    """Within the lifetime the same answer without an effect, past it a second record."""
    create = BY_SYSTEM[system]
    first = create.send(acme, **{"Idempotency-Key": "k1"})
    acme.advance(lifetime - 5)
    again = create.send(acme, **{"Idempotency-Key": "k1"})
    assert (again.status_code, again.json()) == (first.status_code, first.json())
    assert again.headers["Idempotent-Replay"] == "true"
    assert acme.effect_count(system) == 1
    acme.advance(6)
    late = create.send(acme, **{"Idempotency-Key": "k1"})
    assert create.identifier(late) != create.identifier(first)
    (effect,) = acme.effects(system)
    assert (effect["count"], effect["keys"]) == (2, ["k1"])


@pytest.mark.parametrize("system", ["payroll", "security", "expenses"])
def test_a_key_with_another_body_is_refused(acme: Company, system: str) -> None:
    """422, and the first answer stays good."""
    create = BY_SYSTEM[system]
    create.send(acme, **{"Idempotency-Key": "k1"})
    other = acme[system].post(create.path, json={**create.body, "surprise": 1}, headers={"Idempotency-Key": "k1"})
    assert other.status_code == 422
    assert "key_reused" in other.text
    assert create.send(acme, **{"Idempotency-Key": "k1"}).headers["Idempotent-Replay"] == "true"


def test_a_refused_call_does_not_use_up_its_key(acme: Company) -> None:
    """Only a good answer is stored under a key."""
    create = BY_SYSTEM["payroll"]
    key = {"Idempotency-Key": "k1"}
    assert acme["payroll"].post(create.path, json=create.broken, headers=key).status_code == 422
    assert create.send(acme, **key).status_code == 201


@pytest.mark.parametrize("system", ["payroll", "security", "training", "expenses", "mail", "facilities"])
def test_without_a_natural_key_the_same_call_twice_makes_two(acme: Company, system: str) -> None:
    """That is what a careless retry does here."""
    create = BY_SYSTEM[system]
    assert create.identifier(create.send(acme)) != create.identifier(create.send(acme))
    assert acme.effect_count(system) == 2


def test_identity_refuses_a_second_user_with_the_same_mail(acme: Company) -> None:
    """The 409 names the user that exists, also when it is locked."""
    create = BY_SYSTEM["identity"]
    account = create.identifier(create.send(acme))
    create.take_back(acme, account)
    answer = create.send(acme)
    assert (answer.status_code, answer.json()["existingId"]) == (409, account)
    assert (answer.json()["existingActive"], answer.json()["conflictField"]) == (False, "mail")
    assert acme["identity"].post(f"/users/{account}/reactivate").json()["active"] is True
    assert acme.effect_count("identity") == 3


def test_identity_keeps_group_members(acme: Company) -> None:
    """Putting a member twice is one effect; the user shows the groups."""
    account = BY_SYSTEM["identity"].identifier(BY_SYSTEM["identity"].send(acme))
    path = f"/groups/engineering/members/{account}"
    for _ in range(2):
        assert acme["identity"].put(path).json() == {"group": "engineering", "userId": account, "member": True}
    assert acme["identity"].get(f"/users/{account}").json()["groups"] == ["engineering", "everyone"]
    sizes = {row["name"]: row["memberCount"] for row in acme["identity"].get("/groups").json()["resources"]}
    assert (sizes["engineering"], sizes["everyone"]) == (2, 6)
    assert acme["identity"].delete(path).json()["member"] is False
    assert acme["identity"].put(f"/groups/nobody/members/{account}").status_code == 404
    assert acme.effect_count("identity") == 3


def test_payroll_changes_salaries_and_takes_terminations_back(acme: Company) -> None:
    """The previous salary is told; a terminated employee has none to change until reinstated."""
    number = BY_SYSTEM["payroll"].identifier(BY_SYSTEM["payroll"].send(acme))
    raised = {"annualSalaryCents": 8_000_000, "effectiveOn": "2027-06-01"}
    answer = acme["payroll"].put(f"/employees/{number}/salary", json=raised).json()
    assert (answer["annualSalaryCents"], answer["previousAnnualSalaryCents"]) == (8_000_000, 7_200_000)
    BY_SYSTEM["payroll"].take_back(acme, number)
    assert acme["payroll"].put(f"/employees/{number}/salary", json=raised).status_code == 409
    assert acme["payroll"].post(f"/employees/{number}/reinstate").json()["status"] == "active"
    unknown = {**BY_SYSTEM["payroll"].body, "department": "Magic"}
    assert acme["payroll"].post("/employees", json=unknown).json()["error"]["fields"][0]["field"] == "department"


def test_orgchart_counts_only_a_put_that_changes_something(acme: Company) -> None:
    """The same PUT again is 200 without an effect, another one replaces."""
    create = BY_SYSTEM["orgchart"]
    statuses = [create.send(acme).status_code, create.send(acme).status_code]
    assert (statuses, acme.effect_count("orgchart")) == ([201, 200], 1)
    changed = acme["orgchart"].put(create.path, json={**create.body, "title": "Architect"})
    assert (changed.status_code, acme.effect_count("orgchart")) == (200, 2)
    assert acme["orgchart"].get(create.path).json() == changed.json()


def test_orgchart_keeps_the_lines_whole(acme: Company) -> None:
    """A manager with reports stays, an unknown manager and a taken mail are refused, a leaf can go once."""
    create = BY_SYSTEM["orgchart"]
    create.send(acme)
    assert acme["orgchart"].delete("/positions/E-0001").json()["reports"] == ["E-00101"]
    for change, status in (({"manager_id": "E-9999"}, 422), ({"mail": "grace.hopper@acme.example"}, 409)):
        assert acme["orgchart"].put(create.path, json={**create.body, **change}).status_code == status
    people = acme["orgchart"].get("/departments/R%26D/positions").json()["positions"]
    assert [person["employee_id"] for person in people] == ["E-0001", "E-00101"]
    assert [acme["orgchart"].delete(create.path).status_code for _ in range(2)] == [200, 404]


def test_facilities_search_runs_two_seconds_behind(acme: Company) -> None:
    """A new assignment is not found at once, a released one is found as active a while longer."""
    create = BY_SYSTEM["facilities"]
    assignment = create.identifier(create.send(acme))
    assert create.found(acme, "ours") == []
    acme.advance(2)
    assert [row["state"] for row in create.found(acme, "ours")] == ["active"]
    create.take_back(acme, assignment)
    assert [row["state"] for row in create.found(acme, "ours")] == ["active"]
    acme.advance(2)
    assert [row["state"] for row in create.found(acme, "ours")] == ["released"]


def test_facilities_gives_each_desk_once(acme: Company) -> None:
    """A named desk that is taken is a conflict; released it is free again."""
    wish = {"occupant": "acc-000101", "from_date": "2027-02-01", "desk_code": "BER-2-014"}
    assignment = acme["facilities"].post("/assignments", json=wish).json()["assignment_id"]
    taken = acme["facilities"].post("/assignments", json={**wish, "occupant": "acc-000102"})
    assert (taken.status_code, taken.json()["error_code"]) == (409, "desk_taken")
    free = acme["facilities"].get("/desks", params={"site": "Berlin", "free": True}).json()["desks"]
    assert len(free) == 17
    acme["facilities"].delete(f"/assignments/{assignment}")
    assert len(acme["facilities"].get("/desks?site=Berlin&free=true").json()["desks"]) == 18
    for wrong in ({**wish, "site": "Berlin"}, {**wish, "desk_code": "BER-9-999"}):
        assert acme["facilities"].post("/assignments", json=wrong).status_code == 400


def test_facilities_can_run_out_of_desks(acme: Company) -> None:
    """The twenty-first desk of a site is a conflict."""
    wish = {"occupant": "acc-000101", "from_date": "2027-02-01", "site": "Vilnius"}
    answers = [acme["facilities"].post("/assignments", json=wish) for _ in range(20)]
    assert [answer.status_code for answer in answers] == [201] * 19 + [409]
    assert answers[-1].json()["error_code"] == "site_full"


def test_security_wants_an_approval_for_the_data_centre(acme: Company) -> None:
    """403 without, granted with; a revoked badge takes no level."""
    badge = BY_SYSTEM["security"].identifier(BY_SYSTEM["security"].send(acme))
    path = f"/badges/{badge}/access"
    assert acme["security"].put(path, json={"accessLevel": "datacentre"}).status_code == 403
    approved = {"accessLevel": "datacentre", "approvedBy": "alan.turing@acme.example"}
    answer = acme["security"].put(path, json=approved).json()
    assert (answer["accessLevel"], answer["previousAccessLevel"]) == ("datacentre", "staff")
    BY_SYSTEM["security"].take_back(acme, badge)
    assert acme["security"].put(path, json={"accessLevel": "lab"}).status_code == 409


def test_benefits_enrols_once_and_again_after_a_cancellation(acme: Company) -> None:
    """The 409 names the enrolment that exists; a cancelled one is no longer in the way."""
    create = BY_SYSTEM["benefits"]
    first = create.send(acme)
    conflict = create.send(acme)
    assert (conflict.status_code, conflict.json()["fault"]["enrolment"]) == (409, first.json())
    create.take_back(acme, create.identifier(first))
    assert create.send(acme).status_code == 201
    states = [row["state"] for row in acme["benefits"].get("/enrolments?employee=E-00101").json()["enrolments"]]
    assert states == ["cancelled", "active"]


def test_expenses_reads_back_in_its_envelope(acme: Company) -> None:
    """The default categories are filled in; unknown ones are refused."""
    create = BY_SYSTEM["expenses"]
    account = create.identifier(create.send(acme))
    answer = acme["expenses"].get(f"/accounts/{account}")
    assert (answer.json()["ok"], unwrapped(answer)["categories"]) == (True, ["travel", "meals"])
    assert acme["expenses"].post("/accounts", json={**create.body, "categories": ["yachts"]}).status_code == 400


def test_mail_has_an_outbox_and_nothing_to_look_up_by(acme: Company) -> None:
    """The outbox shows the newest first; messages carry no reference, and a reference is refused."""
    create = BY_SYSTEM["mail"]
    first, second = create.identifier(create.send(acme)), create.identifier(create.send(acme))
    messages = acme["mail"].get("/outbox").json()["messages"]
    assert [message["id"] for message in messages] == [second, first]
    assert acme["mail"].post("/messages", json={**create.body, "reference": "ours"}).status_code == 400
    assert acme["mail"].get(f"/messages/{first}").status_code == 404


def test_the_catalogues_are_there_from_the_start(acme: Company) -> None:
    """Courses, plans, levels, titles, categories, sites and departments are seeded, and count as no effect."""
    assert len(acme["training"].get("/courses").json()["courses"]) == 3
    assert len(acme["benefits"].get("/plans").json()["plans"]) == 3
    assert len(acme["security"].get("/access-levels").json()["accessLevels"]) == 3
    assert acme["payroll"].get("/job-titles").json()["count"] == 9
    assert len(acme["expenses"].get("/categories").json()["categories"]) == 4
    assert [site["desks_total"] for site in acme["facilities"].get("/sites").json()["sites"]] == [20, 20, 20]
    departments = acme["orgchart"].get("/departments").json()["departments"]
    assert {row["department"] for row in departments} == {"R&D", "Finance", "Sales", "People", "IT"}
    grace = acme["orgchart"].get("/people?mail=grace.hopper@acme.example").json()["people"][0]
    assert (grace["employee_id"], grace["account_id"]) == ("E-0001", "acc-000001")
    assert acme["control"].get("/effects").json()["effects"] == []
