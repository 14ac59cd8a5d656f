"""What is particular to one system: its conflicts, its units, its names."""

from __future__ import annotations

import pytest

from governance.errors import Permanent
from tests.contract.scenes import (
    ADA,
    GRACE,
    MESSAGE,
    NEW_ACCOUNT,
    NEW_BADGE,
    NEW_BENEFIT,
    NEW_DESK,
    NEW_EMPLOYEE,
    NEW_ENROLMENT,
    NEW_EXPENSES,
    NEW_NOTE,
    NEW_ORDER,
    NEW_POSITION,
    NEW_TICKET,
)
from tests.contract.world import World
from tools.paths import path

# One event loop for all, because the systems' clients live as long as the session.
pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_identity_leaves_a_locked_account_to_a_person(world: World) -> None:
    """An account with the e-mail that is locked is neither found nor made: a person decides."""
    made = await world.call("identity.create_account", **NEW_ACCOUNT)
    await world.call("identity.deactivate_account", user_id=made.output["user_id"])
    with pytest.raises(Permanent, match="locked") as refusal:
        await world.call("identity.create_account", **NEW_ACCOUNT)
    assert refusal.value.code == "account_locked"
    assert "reactivate" in refusal.value.hint


async def test_identity_tells_a_taken_user_name_from_an_account_that_is_there(world: World) -> None:
    """The same user name at another domain is another person."""
    await world.call("identity.create_account", **NEW_ACCOUNT)
    other = NEW_ACCOUNT | {"email": "ada.lovelace@elsewhere.example"}
    with pytest.raises(Permanent) as refusal:
        await world.call("identity.create_account", **other)
    assert refusal.value.code == "user_name_taken"


async def test_identity_makes_a_user_name_from_any_address(world: World) -> None:
    """Capitals and signs of the address become a user name that identity takes."""
    made = await world.call("identity.create_account", email="Ada+L@acme.example", display_name="Ada Lovelace")
    assert made.output["user_name"] == "ada.l"


async def test_identity_membership_and_its_end(world: World) -> None:
    """Groups are seen on the account."""
    user_id = (await world.call("identity.create_account", **NEW_ACCOUNT)).output["user_id"]
    await world.call("identity.add_to_group", user_id=user_id, group="engineering")
    assert "engineering" in (await world.call("identity.get_account", user_id=user_id)).output["groups"]
    await world.call("identity.remove_from_group", user_id=user_id, group="engineering")
    assert "engineering" not in (await world.call("identity.get_account", user_id=user_id)).output["groups"]


async def test_payroll_is_paid_in_cents_and_told_in_euros(world: World) -> None:
    """72 000 EUR a year arrive as 7 200 000 cents, and come back as 72 000."""
    made = await world.call("payroll.create_employee", **NEW_EMPLOYEE)
    held = world.company["payroll"].get(f"/employees/{made.output['employee_id']}").json()
    assert held["annualSalaryCents"] == 7_200_000
    assert held["externalRef"] == made.key
    assert made.output["annual_salary"] == 72_000


async def test_payroll_finds_the_active_employee_and_never_guesses(world: World) -> None:
    """A former employment does not hide the present one; two present ones are named to a person."""
    former = await world.call("payroll.create_employee", **NEW_EMPLOYEE)
    await world.call("payroll.terminate_employee", employee_id=former.output["employee_id"], last_day="2027-06-30")
    present = await world.call("payroll.create_employee", **NEW_EMPLOYEE)
    assert (await world.call("payroll.find_employee", email=ADA)).output == present.output
    held = world.company["payroll"].get(f"/employees/{present.output['employee_id']}").json()
    again = {name: held[name] for name in held if name not in {"employeeNo", "status", "createdAt", "lastDay"}}
    third = world.company["payroll"].post("/employees", json={**again, "externalRef": "by hand"}).json()
    with pytest.raises(Permanent, match=third["employeeNo"]) as refusal:
        await world.call("payroll.find_employee", email=ADA)
    assert refusal.value.code == "several"


async def test_payroll_employs_nobody_twice(world: World) -> None:
    """Another run for the same person is refused before anything is sent; the same call again is the same employee."""
    made = await world.call("payroll.create_employee", **NEW_EMPLOYEE)
    same = await world.call("payroll.create_employee", made.key, **NEW_EMPLOYEE)
    assert same.output == made.output
    with pytest.raises(Permanent, match=f"employed already, as {made.output['employee_id']}"):
        await world.call("payroll.create_employee", **NEW_EMPLOYEE)
    assert world.count("payroll") == 1


async def test_payroll_proposes_the_nearest_job_title(world: World) -> None:
    """A typing error in a job title comes back with the right one."""
    with pytest.raises(Permanent) as refusal:
        await world.call("payroll.find_job_title", job_title="Sofware Enginer")
    assert refusal.value.fix == "Software Engineer"
    found = await world.call("payroll.find_job_title", job_title="SOFTWARE engineer")
    assert found.output == {"job_title": "Software Engineer", "department": "R&D", "annual_salary": 72_000}


async def test_payroll_terminates_on_the_given_day(world: World) -> None:
    """The last day is kept."""
    made = await world.call("payroll.create_employee", **NEW_EMPLOYEE)
    ended = await world.call(
        "payroll.terminate_employee", employee_id=made.output["employee_id"], last_day="2027-06-30"
    )
    assert (ended.output["status"], ended.output["last_day"]) == ("terminated", "2027-06-30")


async def test_orgchart_never_overwrites_a_position_of_others(world: World) -> None:
    """A different position of the same employee is a conflict that says what differs, and stays as it is."""
    await world.call("orgchart.place_person", **NEW_POSITION)
    moved = NEW_POSITION | {"department": "Finance", "manager_id": "E-0004"}
    before = world.count("orgchart")
    with pytest.raises(Permanent, match="department, manager_id"):
        await world.call("orgchart.place_person", **moved)
    assert world.count("orgchart") == before
    assert (await world.call("orgchart.find_person", email=ADA)).output["department"] == "R&D"


async def test_orgchart_puts_back_just_what_was_removed(world: World) -> None:
    """Removing and restoring leaves the position as it was, with a new id."""
    placed = (await world.call("orgchart.place_person", **NEW_POSITION)).output
    removed = (await world.call("orgchart.remove_position", employee_id="E-00101")).output
    assert removed["position"] == placed
    await world.call("orgchart.restore_position", **removed)
    there = (await world.call("orgchart.find_person", email=ADA)).output
    assert there | {"position_id": ""} == placed | {"position_id": ""}


async def test_orgchart_lists_a_department_whose_name_needs_quoting(world: World) -> None:
    """R&D is one path segment; its head is Grace, by whom managers are found."""
    await world.call("orgchart.place_person", **NEW_POSITION)
    listed = (await world.call("orgchart.list_department", department="R&D")).output
    assert {person["email"] for person in listed["positions"]} == {ADA, GRACE}
    assert listed["head_id"] == (await world.call("orgchart.find_person", email=GRACE)).output["employee_id"]


async def test_facilities_spreads_runs_over_the_free_desks(world: World) -> None:
    """The same call chooses the same desk; calls of many runs choose many; a full site is said."""
    chosen = {
        (await world.call("facilities.find_free_desk", f"key-{n}", site="Vilnius")).output["desk_code"]
        for n in range(20)
    }
    assert len(chosen) >= 10
    again = [(await world.call("facilities.find_free_desk", "key", site="Berlin")).output for _ in range(2)]
    assert again[0] == again[1]
    desks = world.company["facilities"].get("/desks", params={"site": "London", "free": "true"}).json()["desks"]
    for desk in desks:
        await world.call("facilities.assign_desk", **NEW_DESK | {"desk_code": desk["desk_code"]})
    with pytest.raises(Permanent, match="No desk is free in London"):
        await world.call("facilities.find_free_desk", site="London")


async def test_facilities_search_is_behind_and_its_lookup_says_so_by_lag(world: World) -> None:
    """Right after the call the lookup does not see it yet: the declared lag is what invocation waits for."""
    made = await world.call("facilities.assign_desk", **NEW_DESK)
    assert (await world.look_up("facilities.assign_desk", made.key, **NEW_DESK)).answer.value == "none"
    world.catch_up()
    assert (await world.look_up("facilities.assign_desk", made.key, **NEW_DESK)).answer.value == "ours"


async def test_facilities_refuses_a_desk_that_is_taken_and_gives_a_released_one(world: World) -> None:
    """One desk, one person; after the release the next."""
    made = await world.call("facilities.assign_desk", **NEW_DESK)
    other = NEW_DESK | {"account_id": "acc-000001"}
    with pytest.raises(Permanent, match="taken"):
        await world.call("facilities.assign_desk", **other)
    await world.call("facilities.release_desk", assignment_id=made.output["assignment_id"])
    await world.call("facilities.assign_desk", **other)


async def test_facilities_gives_another_desk_of_the_site_when_somebody_was_faster(world: World) -> None:
    """Two runs chose the same desk: with a site the second takes the next free one, and its lookup finds that."""
    made = await world.call("facilities.assign_desk", **NEW_DESK)
    other = NEW_DESK | {"account_id": "acc-000001", "site": "Berlin"}
    second = await world.call("facilities.assign_desk", **other)
    assert second.output["desk_code"] != made.output["desk_code"]
    world.catch_up()
    assert (await world.look_up("facilities.assign_desk", second.key, **other)).answer.value == "ours"


async def test_security_wants_an_approval_for_the_data_centre(world: World) -> None:
    """Without an approver it is refused; with one it is granted, and taken back to what was before."""
    with pytest.raises(Permanent, match="approvedBy"):
        await world.call("security.issue_badge", **NEW_BADGE | {"access_level": "datacentre"})
    badge_id = (await world.call("security.issue_badge", **NEW_BADGE)).output["badge_id"]
    granted = await world.call(
        "security.grant_access", badge_id=badge_id, access_level="datacentre", approved_by="annie.easley@acme.example"
    )
    assert granted.output["previous_access_level"] == "staff"
    await world.call("security.grant_access", badge_id=badge_id, access_level="staff")
    assert (await world.call("security.get_badge", badge_id=badge_id)).output["access_level"] == "staff"


async def test_security_still_knows_what_a_badge_opened_before_a_lost_answer(world: World) -> None:
    """The same grant again gives the first answer, so that it can be taken back to what was before."""
    badge_id = (await world.call("security.issue_badge", **NEW_BADGE)).output["badge_id"]
    granted = await world.call("security.grant_access", badge_id=badge_id, access_level="lab")
    again = await world.call("security.grant_access", granted.key, badge_id=badge_id, access_level="lab")
    assert again.output == granted.output
    assert again.output["previous_access_level"] == "staff"


async def test_security_forgets_its_keys_after_the_declared_minute(world: World) -> None:
    """Why the tool has a lookup: past 60 s the same call makes a second badge, and the lookup still knows the first."""
    made = await world.call("security.issue_badge", **NEW_BADGE)
    world.company.advance(61)
    found = await world.look_up("security.issue_badge", made.key, **NEW_BADGE)
    assert found.answer.value == "ours"
    assert found.output is not None
    assert found.output.model_dump(mode="json") == made.output
    assert (await world.call("security.issue_badge", made.key, **NEW_BADGE)).output != made.output


async def test_training_makes_duplicates_which_is_why_it_is_looked_up(world: World) -> None:
    """Twice makes two, both ours; withdrawing leaves nothing to find."""
    made = await world.call("training.enrol", **NEW_ENROLMENT)
    twice = await world.call("training.enrol", made.key, **NEW_ENROLMENT)
    assert world.count("training") == 2
    found = await world.look_up("training.enrol", made.key, **NEW_ENROLMENT)
    assert twice.output["enrolment_id"] in found.evidence
    for enrolment in (made, twice):
        await world.call("training.withdraw", enrolment_id=enrolment.output["enrolment_id"])
    with pytest.raises(Permanent, match="no enrolment"):
        await world.call("training.find_enrolment", email=ADA, course=NEW_ENROLMENT["course"])


async def test_benefits_may_be_joined_again_after_cancelling(world: World) -> None:
    """A cancelled enrolment is no conflict, and no answer to who is in the plan."""
    made = await world.call("benefits.enrol", **NEW_BENEFIT)
    await world.call("benefits.cancel", benefit_id=made.output["benefit_id"])
    with pytest.raises(Permanent, match="no enrolment"):
        await world.call("benefits.find_enrolment", employee_id="E-00101", plan="health-basic")
    assert not (await world.call("benefits.enrol", **NEW_BENEFIT)).found


async def test_expenses_limits_are_cents_there_and_euros_here(world: World) -> None:
    """500 EUR arrive as 50 000 cents; the usual categories are asked for."""
    made = await world.call("expenses.open_account", **NEW_EXPENSES)
    account_id = made.output["expense_account_id"]
    held = world.company["expenses"].get(f"/accounts/{account_id}").json()["account"]
    assert held["monthlyLimitCents"] == 50_000
    assert (made.output["monthly_limit"], made.output["categories"]) == (500, ["travel", "meals"])
    await world.call("expenses.close_account", expense_account_id=account_id)
    assert (await world.call("expenses.get_account", expense_account_id=account_id)).output["state"] == "closed"


async def test_mail_sends_each_time(world: World) -> None:
    """Nothing keeps a second message back: that is what unsafe means."""
    sent = [await world.call("mail.send", "one-key", **MESSAGE) for _ in range(2)]
    outbox = world.company["mail"].get("/outbox").json()["messages"]
    assert [message["id"] for message in outbox] == [answer.output["message_id"] for answer in reversed(sent)]
    assert outbox[0]["cc"] == [GRACE]


async def test_procurement_refuses_an_order_on_old_figures(world: World) -> None:
    """Money went elsewhere after the decision, or the supplier is not what was believed: nothing is ordered."""
    for believed in ({"budget_left": 120_001}, {"supplier_standing": "new"}, {"supplier": "Quickline Freight"}):
        with pytest.raises(Permanent):
            await world.call("procurement.place_order", **NEW_ORDER | believed)
    assert world.count("procurement") == 0


async def test_procurement_sets_money_aside_and_gives_it_back(world: World) -> None:
    """A reservation is missing from what is left until it is released."""
    left = [(await world.call("procurement.budget_left", cost_centre="R&D")).output["budget_left"]]
    order_id = (await world.call("procurement.place_order", **NEW_ORDER)).output["order_id"]
    wish = {"order_id": order_id, "cost_centre": "R&D", "amount": 47_000}
    made = await world.call("procurement.reserve_budget", **wish)
    left.append((await world.call("procurement.budget_left", cost_centre="R&D")).output["budget_left"])
    await world.call("procurement.release_budget", reservation_id=made.output["reservation_id"])
    left.append((await world.call("procurement.budget_left", cost_centre="R&D")).output["budget_left"])
    assert left == [120_000, 73_000, 120_000]


async def test_procurement_says_that_an_unknown_supplier_is_new(world: World) -> None:
    """Nothing was bought from them: that is an answer, not a failure. Capitals do not matter."""
    found = (await world.call("procurement.supplier_history", supplier="Nobody Inc")).output
    assert (found["supplier_standing"], found["orders"], found["spent"]) == ("new", 0, 0)
    known = (await world.call("procurement.supplier_history", supplier="KEYSTONE computing")).output
    assert (known["supplier"], known["supplier_standing"], known["orders"]) == ("Keystone Computing", "known", 14)


async def test_support_reads_invoices_with_their_words(world: World) -> None:
    """Each number once, in the order of the text, with the words that it was read from."""
    text = "You billed us twice: inv 1006, and INV-1005 as well (INV-1006 again). It is urgent!"
    read = (await world.call("support.read_ticket", text=text)).output
    assert (read["kind"], read["urgency"], read["invoice"]) == ("dispute", "high", "INV-1006")
    assert read["invoices"] == [
        {"number": "INV-1006", "quote": "inv 1006"},
        {"number": "INV-1005", "quote": "INV-1005"},
    ]
    assert all(invoice["quote"] in text for invoice in read["invoices"])


async def test_support_puts_a_ticket_back_where_it_was(world: World) -> None:
    """An assignment says which queue the ticket left: that is its undo."""
    ticket_id = (await world.call("support.open_ticket", **NEW_TICKET)).output["ticket_id"]
    moved = (await world.call("support.assign_ticket", ticket_id=ticket_id, queue="senior")).output
    assert (moved["queue"], moved["previous_queue"], moved["agent"]) == ("senior", "inbox", GRACE)
    assert (await world.call("support.assign_ticket", ticket_id=ticket_id, queue="senior")).found
    await world.call("support.assign_ticket", ticket_id=ticket_id, queue=moved["previous_queue"])
    assert world.company["support"].get(f"/tickets/{ticket_id}").json()["queue"] == "inbox"


async def test_billing_shows_a_customer_only_their_own_invoices(world: World) -> None:
    """Somebody else's invoice is not there for them; an unknown address is an unknown customer."""
    of_another = {"invoice": "INV-1002", "customer": NEW_TICKET["customer"]}
    assert (await world.call("billing.check_invoice", **of_another)).output == {"theirs": False}
    with pytest.raises(Permanent, match="no invoice INV-1002 of"):
        await world.call("billing.get_invoice", **of_another)
    nobody = (await world.call("billing.find_customer", customer="nobody@else.example")).output
    assert (nobody["tier"], nobody["customer_id"]) == ("unknown", None)


async def test_billing_reckons_a_credit_from_the_contract_and_not_above_the_invoice(world: World) -> None:
    """44 units were billed and 40 agreed, at 75 USD: 300 are due, and not twice the invoice."""
    due = (await world.call("billing.compare_with_contract", invoice_id="INV-1006")).output
    assert (due["billed"], due["agreed"], due["credit_due"]) == (3_300, 3_000, 300)
    assert (await world.call("billing.compare_with_contract", invoice_id="INV-1005")).output["credit_due"] == 0
    with pytest.raises(Permanent, match="more than its total"):
        await world.call("billing.issue_credit_note", **NEW_NOTE | {"amount": 3_301})


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("identity.find_account", {"email": "nobody@acme.example"}),
        ("payroll.find_employee", {"email": "nobody@acme.example"}),
        ("orgchart.find_person", {"email": "nobody@acme.example"}),
        ("facilities.find_assignment", {"account_id": "acc-999999"}),
        ("security.find_badge", {"account_id": "acc-999999"}),
        ("benefits.find_enrolment", {"employee_id": "E-99999", "plan": "pension"}),
        ("expenses.find_account", {"employee_id": "E-99999"}),
    ],
)
async def test_finding_nothing_is_said_in_a_sentence(world: World, name: str, args: dict[str, str]) -> None:
    """A search that must find one thing says what was not there, and what to do."""
    with pytest.raises(Permanent, match="There is no ") as refusal:
        await world.call(name, **args)
    assert refusal.value.code == "not_found"
    assert refusal.value.hint


async def test_ids_cannot_climb_out_of_their_place(world: World) -> None:
    """An id is one quoted segment; what is empty or climbs is refused before anything is sent."""
    assert path("departments", "R&D", "positions") == "/departments/R%26D/positions"
    for user_id in ("", "..", "a/../../groups"):
        with pytest.raises(Permanent):
            await world.call("identity.get_account", user_id=user_id)
