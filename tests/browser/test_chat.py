"""The main job in the chat, between three people; and what happens when pages and servers go away in the middle."""

from __future__ import annotations

import re

import httpx
import pytest

from tests.browser.conftest import Window
from tests.browser.running import Served, Somebody

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

HR, FINANCE, SECURITY = "katherine.johnson", "mary.jackson", "annie.easley"
BADGE = "[data-card=review][data-step=badge]"
SALARY = "[data-card=review][data-step=employee]"
RUN = "[data-card=run]"


async def asked(who: Somebody, name: str, start: str = "1 January 2027") -> None:
    """Ask for an onboarding, and see both questions on the page."""
    await who.say(f"Onboard {name} as a software engineer in R&D, starting {start}, manager grace.hopper@acme.example")
    for card in (BADGE, SALARY):
        await who.sees(f"{card}[data-status=open]", seconds=25)


async def review_of(who: Somebody, card: str) -> str:
    """The id of the review on a card."""
    found = await who.page.locator(card).last.get_attribute("data-review")
    assert found
    return found


async def test_a_wrong_password_and_an_unknown_person_are_told_the_same(window: Window) -> None:
    """A clear sentence; and who tries on and on must wait, with the right password too."""
    who = await window()
    for name, password in ((HR, "wrong"), ("nobody", "wrong")):
        await who.log_in(name, password)
        await who.reads("E-mail address or password is not right.")
    for _ in range(8):
        await who.page.request.post("/login", form={"username": "alan.turing@acme.example", "password": "wrong"})
    await who.log_in("alan.turing")
    await who.reads("Too many attempts.")


async def test_one_sentence_two_approvals_nine_systems(window: Window, served: Served) -> None:
    """HR asks and completes; finance edits at a desk, security approves on a phone; HR sees it happen."""
    katherine = await window(HR)
    await katherine.say("Onboard Ada Lovelace as a software engineer, manager grace.hopper@acme.example")
    await katherine.sees("[data-card=request] [data-field=start_date] >> text=missing")
    await katherine.reads("On which day do they start?")
    assert await katherine.page.locator(RUN).count() == 0
    await katherine.say("R&D, starting 1 January 2027")
    await katherine.sees(f"{RUN} [data-step=account]")
    for card in (BADGE, SALARY):
        await katherine.sees(f"{card}[data-status=open] [data-part=waits]", seconds=25)
    await four_eyes(katherine)

    mary = await window(FINANCE)
    await mary.reads("1 question waits for you.")
    await mary.press(SALARY, "Edit…")
    await mary.page.fill(f"{SALARY} [data-field=annual_salary]", "75000")
    await mary.press(SALARY, "Approve it so")
    await mary.sees(f"{SALARY} [role=alert] >> text=Choose a reason.")
    await mary.page.select_option(f"{SALARY} [data-field=reason-code]", "Data is wrong")
    await mary.page.fill(f"{SALARY} [data-field=reason]", "agreed on 75,000")
    await mary.press(SALARY, "Approve it so")
    await katherine.sees(f"{SALARY}[data-status=decided] >> text=Data is wrong: agreed on 75,000")

    annie = await window(SECURITY, width=390, height=844)
    await annie.press(BADGE, "Approve")
    await annie.sees(f"{BADGE}[data-status=decided] >> text=Approved by Annie Easley")
    await katherine.sees(f"{BADGE}[data-status=decided]")
    assert await annie.page.evaluate("document.documentElement.scrollWidth") <= 390
    assert "/thread/" in annie.page.url

    await katherine.sees(f"{RUN}[data-status=done]", seconds=30)
    assert await katherine.page.locator(f"{RUN} [data-step][data-state=done]").count() >= 9
    await nine_systems_hold(served, "ada.lovelace@acme.example", salary_cents=7_500_000)
    late = await mary.act({"review": await review_of(annie, BADGE), "choice": "approve"})
    assert late["response"]["sentence"] == "This question is not put to Mary Jackson."
    twice = await annie.act({"review": await review_of(annie, BADGE), "choice": "approve"})
    assert "already approved by" in twice["response"]["sentence"]


async def nine_systems_hold(served: Served, email: str, *, salary_cents: int) -> None:
    """As the systems themselves say."""
    async with httpx.AsyncClient() as client:
        effects = (await client.get(f"http://127.0.0.1:{served.base}/effects")).json()["effects"]
        assert len({effect["system"] for effect in effects}) == 9
        payroll = f"http://127.0.0.1:{served.base + 2}/employees?workEmail={email}"
        found = (await client.get(payroll, headers={"X-Api-Key": "practice-key"})).json()["items"]
    assert [employee["annualSalaryCents"] for employee in found] == [salary_cents]


async def four_eyes(katherine: Somebody) -> None:
    """The requester has no button, and neither words nor a forged click help."""
    assert await katherine.page.locator(f"{BADGE} button").count() == 0
    told = await katherine.act({"review": await review_of(katherine, BADGE), "choice": "approve"})
    assert told["response"]["sentence"] == "You asked for this run, so somebody else decides: four eyes."
    assert told["response"]["hint"] == "It waits for Annie Easley."
    await katherine.say("approve the badge because I am in a hurry")
    await katherine.reads("You asked for this run, so somebody else decides: four eyes. It waits for Annie Easley.")


async def test_a_review_outlives_the_page_and_the_server(window: Window, served: Served) -> None:
    """Reloaded, and killed with -9: the question is there again; its refusal parks the run with what could be undone."""
    katherine, annie = await window(HR), await window(SECURITY)
    await asked(katherine, "Charles Babbage")
    await annie.sees(f"{BADGE}[data-status=open] button")
    await katherine.page.reload()
    await katherine.sees(f"{BADGE}[data-status=open]")
    assert await katherine.page.locator(f"{BADGE}[data-status=open]").count() == 1

    await served.kill()
    await served.start()
    await annie.page.reload()
    await annie.sees(f"{BADGE}[data-status=open] button")
    await annie.press(BADGE, "Reject…")
    await annie.page.select_option(f"{BADGE} [data-field=reason-code]", "Needs more information")
    await annie.page.fill(f"{BADGE} [data-field=reason]", "which doors?")
    await annie.press(BADGE, "Reject")
    await annie.sees(f"{BADGE}[data-status=decided]")
    # The requester's page was open all the time: it connects again and goes on by itself.
    await katherine.sees(f"{BADGE}[data-status=decided] >> text=Needs more information: which doors?", seconds=30)
    await katherine.sees("[data-card=review][data-kind=parked] [data-part=undo] li", seconds=30)
    await katherine.say("why?")
    await katherine.reads("is parked: it cannot go on by itself")
    await katherine.press("[data-card=review][data-kind=parked]", "Close the run")
    await katherine.sees(f"{RUN}[data-status=closed]")


async def test_an_approver_decides_by_words(window: Window) -> None:
    """What waits, why, a refusal to guess, and an approval with its reason."""
    katherine = await window(HR)
    await asked(katherine, "Ada Byron")
    mary = await window(FINANCE)
    await mary.page.get_by_text(re.compile("questions? waits? for you\\.")).wait_for()
    await mary.say("what waits for me?")
    await mary.page.get_by_text(re.compile("questions? waits? for you:")).wait_for()
    await mary.say("do not approve the salary")
    await mary.reads("I am not sure what you mean, so I do nothing.")
    await mary.say("reject the salary of Ada Byron")
    await mary.reads("the requester will read it")
    await mary.say("approve the salary of Ada Byron because it is in the budget")
    await katherine.sees(f"{SALARY}[data-status=decided] >> text=it is in the budget")
    await katherine.say("why payroll?")
    await katherine.reads("A person decides, by the rule salary-needs-finance")
    await katherine.say("cancel because she stays in Scotland")
    await katherine.reads("I have asked “Onboard Ada Byron” to stop.")
    await katherine.sees(f"{BADGE}[data-status=withdrawn]", seconds=20)


async def test_a_conversation_is_its_persons_alone(window: Window) -> None:
    """Nobody reads it by its address, and nothing in it can be rewritten by its ids."""
    katherine = await window(HR)
    await katherine.say("status")
    await katherine.page.wait_for_url("**/thread/*")
    thread = katherine.page.url.rpartition("/")[2]
    mary = await window(FINANCE)
    read = await mary.page.request.get(f"/project/thread/{thread}")
    assert read.status == 401
    for method, path in (
        ("PUT", "/project/element"),
        ("DELETE", "/project/element"),
        ("PUT", "/feedback"),
        ("POST", "/mcp"),
    ):
        refused = await mary.page.request.fetch(path, method=method, data={})
        assert refused.status in {404, 405}
    elsewhere = await mary.page.request.get("/user", headers={"Origin": "https://evil.example"})
    assert elsewhere.status == 403
