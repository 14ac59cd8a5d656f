"""The page of a run's decisions: from its card, behind the log-in, for those who may see the run, on any screen."""

from __future__ import annotations

import httpx
import pytest

from tests.browser.conftest import Window
from tests.browser.running import Served, Somebody

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

HR, FINANCE, OTHER = "katherine.johnson", "mary.jackson", "grace.hopper"
RUN = "[data-card=run]"
SALARY = "[data-card=review][data-step=employee]"
ASK = "Onboard Hedy Lamarr as a software engineer in R&D, starting 1 January 2027, manager alan.turing@acme.example"


async def begun(who: Somebody) -> str:
    """Ask for an onboarding until people are asked; the address of its decisions, from its card."""
    await who.say(ASK)
    await who.sees(f"{SALARY}[data-status=open]", seconds=25)
    found = await who.page.locator(f"{RUN} [data-part=decisions]").last.get_attribute("href")
    assert found
    return found


async def test_the_run_card_leads_to_its_decisions_and_only_those_who_may_see_it_get_there(
    window: Window, served: Served
) -> None:
    """Requester and whoever was asked read it; somebody else, an unknown run and no log-in are refused."""
    katherine = await window(HR)
    address = await begun(katherine)
    async with katherine.context.expect_page() as opened:
        await katherine.page.locator(f"{RUN} [data-part=decisions]").last.click()
    page = await opened.value
    await page.wait_for_selector("[data-decision=plan]")
    assert await page.locator("h1").inner_text() == "Onboard Hedy Lamarr"
    assert await page.locator("[data-decision=ruling]").count() >= 9
    assert await page.locator("script, form, button").count() == 0

    mary = await window(FINANCE, width=390, height=844)
    answer = await mary.page.goto(address)
    assert answer is not None
    assert answer.status == 200
    assert answer.headers["cache-control"] == "no-store"
    await mary.sees("[data-step=employee] [data-decision=advice]")
    assert await mary.page.evaluate("document.documentElement.scrollWidth") <= 390

    grace = await window(OTHER)
    for path in (address, address.replace("/runs/", "/runs/0"), "/runs/01a2/decisions"):
        refused = await grace.page.goto(path)
        assert refused is not None
        assert refused.status == 404
        await grace.reads("There is no such run, or none that you may see.")

    async with httpx.AsyncClient(base_url=served.url) as nobody:
        for headers in ({}, {"cookie": "access_token=forged"}):
            told = await nobody.get(address, headers=headers)
            assert told.status_code == 401
            assert "Log in first" in told.text
            assert "Lamarr" not in told.text
        assert (await nobody.post(address)).status_code == 405
