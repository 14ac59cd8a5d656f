"""`steward event`: a person publishes in another system's place."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.acceptance.terminal import Here, Said, Steward
from tests.conftest import DatabaseUrls
from tests.fixtures.company import until
from tests.integration.http.test_events import opened, started


async def test_a_person_publishes_what_a_run_waits_for(database_urls: DatabaseUrls, tmp_path: Path) -> None:
    """It goes to the step that waits for it, and the run goes on; the same id again is the same event."""
    own = {"STEWARD_DATABASE_URL": database_urls.app_url, "STEWARD_DATABASE_OWNER_URL": database_urls.owner_url}
    command = Steward({**own, "STEWARD_HOME": str(tmp_path / "acme")}, tmp_path)
    (tmp_path / "data.yaml").write_text("asset: A-1\ncarrier: somebody\n", encoding="utf-8")

    async def publish(*more: str) -> Said:
        words = ("event", "laptop.shipped", "--data", "data.yaml", "--set", "carrier=Nordwind", "--id", "e-1", *more)
        return await asyncio.to_thread(command, *words)

    async with opened(database_urls, tmp_path) as (steward, _), steward.working():
        row = await started(steward)
        first = await publish()
        assert (first.status, first.out.partition(". ")[0]) == (0, "Published, to 1 step")
        await until(steward, row.id, "run.ended")
        (step,) = (await steward.show(row.id)).steps
        assert step.output is not None
        assert (step.output["source"], step.output["data"]) == ("cli", {"carrier": "Nordwind"})
        assert (await publish("--json")).json == {"id": "e-1", "first": False, "woken": 1}


def test_what_is_no_event_is_a_sentence(here: Here) -> None:
    """Before any database is asked."""
    wrong = here("event", "")
    assert wrong.status == 2
    assert "type" in wrong.err
