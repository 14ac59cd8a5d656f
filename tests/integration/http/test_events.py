"""The door for events, over HTTP: signed or nothing, once or the same again, and a run goes on with what came."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from pydantic import SecretStr

from governance.errors import InvalidInput, InvalidSettings
from governance.outside import OutsideEvent
from governance.runs import RunRow
from governance.signatures import Signatures, read_secrets
from runtime.application import Application
from surfaces.http.bodies import MOST_BYTES
from surfaces.http.serving import served
from tests.conftest import DatabaseUrls
from tests.fixtures.company import HR, person, steward_on, until
from tests.integration.http.test_callbacks import _free_port

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
PLAYBOOK: dict[str, Any] = {
    "name": "laptop",
    "version": 1,
    "title": "A laptop on its way",
    "summary": "Waits until a laptop is on its way.",
    "phrases": ["laptop"],
    "request": {
        "type": "object",
        "required": ["asset"],
        "properties": {"asset": {"type": "string", "x-ask": "Which laptop?"}},
    },
    "goals": [
        {
            "id": "shipped",
            "provides": "events.await",
            "args": {
                "type": "laptop.shipped",
                "match": {"asset": {"$ref": "request.asset"}},
                "schema": {"type": "object", "properties": {"carrier": {"type": "string"}}, "required": ["carrier"]},
                "for_seconds": 86400,
            },
            "reason": "somebody wants to know",
        }
    ],
}


@dataclass
class Warehouse:
    """Publishes, and signs what it publishes."""

    steward: Application
    door: httpx.AsyncClient
    signatures: Signatures = field(default_factory=lambda: Signatures(read_secrets(SECRET)))

    def event(self, number: int = 1, **data: Any) -> dict[str, Any]:
        """An event as CloudEvents has it."""
        head = {"specversion": "1.0", "id": f"e-{number}", "source": "warehouse", "type": "laptop.shipped"}
        return {**head, "data": {"asset": "A-1", "carrier": "Nordwind", **data}}

    async def post(self, event: Any, *, minutes: float = 0, **headers: str) -> httpx.Response:
        """Post it, signed so many minutes ago; ``headers`` instead of those that it would have."""
        raw = event if isinstance(event, bytes) else json.dumps(event).encode()
        sent = self.steward.clock.now() - timedelta(minutes=minutes)
        signed = {
            "webhook-id": "msg-1",
            "webhook-timestamp": str(int(sent.timestamp())),
            "webhook-signature": self.signatures.sign("msg-1", sent, raw),
        }
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.door.post("/events", content=raw, headers={**signed, **named})


@asynccontextmanager
async def opened(urls: DatabaseUrls, folder: Path) -> AsyncIterator[tuple[Application, Warehouse]]:
    """Steward with its door open, and somebody who publishes."""
    home = folder / "acme"
    (home / "playbooks").mkdir(parents=True)
    (home / "playbooks" / "laptop@1.yaml").write_text(yaml.safe_dump(PLAYBOOK), encoding="utf-8")
    port = _free_port()
    async with (
        steward_on(urls, home, state=folder / "state", event_secret=SecretStr(SECRET)) as steward,
        served(steward, "127.0.0.1", port),
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", transport=httpx.AsyncHTTPTransport(retries=8)) as client,
    ):
        yield steward, Warehouse(steward, client)


async def started(steward: Application, asset: str = "A-1") -> RunRow:
    """A run that waits for its laptop."""
    row = await steward.start("laptop", {"asset": asset}, by=person(steward, HR))
    await until(steward, row.id, "step.deferred")
    return row


async def test_a_signed_event_wakes_the_run_that_waits_for_it(database_urls: DatabaseUrls, tmp_path: Path) -> None:
    """202 and the run ends with what came; the same again is 200 and changes nothing; another laptop's run sleeps on."""
    async with opened(database_urls, tmp_path) as (steward, warehouse), steward.working():
        row, other = await started(steward), await started(steward, "A-2")
        first = await warehouse.post(warehouse.event())
        assert (first.status_code, first.json()) == (202, {"status": "accepted"})
        again = await warehouse.post(warehouse.event(carrier="somebody else"))
        assert (again.status_code, again.json()) == (200, {"status": "published before"})
        await until(steward, row.id, "run.ended")
        (step,) = (await steward.show(row.id)).steps
        assert step.output is not None
        assert step.output["data"] == {"carrier": "Nordwind"}
        assert (await steward.show(other.id)).steps[0].state == "waiting"


async def test_what_is_not_signed_is_not_taken(database_urls: DatabaseUrls, tmp_path: Path) -> None:
    """Nobody's, somebody else's, changed, without its headers, or of yesterday; and it is not even read."""
    async with opened(database_urls, tmp_path) as (steward, warehouse), steward.working():
        row = await started(steward)
        event = warehouse.event()
        strangers = Warehouse(steward, warehouse.door, Signatures((b"another secret",)))
        refused = [
            await warehouse.door.post("/events", json=event),
            await strangers.post(event),
            await warehouse.post(event, webhook_id="msg-2"),
            await warehouse.post(event, webhook_signature="v1,AAAA"),
            await warehouse.post(event, webhook_signature=""),
            await warehouse.post(event, minutes=6),
            await warehouse.post(event, minutes=-6),
            await strangers.post(b"{"),
        ]
        assert [answer.status_code for answer in refused] == [401] * len(refused)
        assert "five minutes" in refused[5].json()["error"]
        assert (await steward.show(row.id)).steps[0].state == "waiting"
        assert not (await warehouse.post(event, minutes=4)).is_error


async def test_what_the_door_answers(database_urls: DatabaseUrls, tmp_path: Path) -> None:
    """Each status of the page's table; a GET publishes nothing; many at once are one."""
    async with opened(database_urls, tmp_path) as (_, warehouse):
        assert (await warehouse.door.get("/events")).status_code == 405
        for nothing in (b"{", b"[]", b"[" * 60_000, json.dumps({"id": "e"}).encode()):
            assert (await warehouse.post(nothing)).status_code == 422
        unfit = await warehouse.post({**warehouse.event(), "type": ""})
        assert unfit.status_code == 422
        assert "type" in unfit.json()["error"]
        assert (await warehouse.post(b'"' + b"x" * MOST_BYTES + b'"')).status_code == 413
        told = await asyncio.gather(*(warehouse.post(warehouse.event(7, n=n)) for n in range(8)))
        assert sorted(answer.status_code for answer in told) == [200] * 7 + [202]


async def test_a_program_publishes_without_a_signature_and_not_without_an_event(
    database_urls: DatabaseUrls, tmp_path: Path
) -> None:
    """Whoever holds the application is a door of its own; what cannot be kept is refused there too."""
    async with opened(database_urls, tmp_path) as (steward, _):
        event = OutsideEvent(id="e-1", type="t", source="s", data={"x": 1})
        assert (await steward.publish(event)).first
        assert not (await steward.publish(event)).first
        with pytest.raises(InvalidInput):
            await steward.publish(OutsideEvent(id="e-2", type="t", source="s", data={"x": "\x00"}))


async def test_the_secret_is_made_once_and_kept_for_us_alone(database_urls: DatabaseUrls, tmp_path: Path) -> None:
    """A restart takes what was signed before it; an empty or broken setting is named."""
    known = []
    for _ in range(2):
        async with steward_on(database_urls, tmp_path, state=tmp_path / "state") as steward:
            known.append(steward.signatures)
    file = tmp_path / "state" / "event.secret"
    assert known[0] == known[1] == Signatures(read_secrets(file.read_text("utf-8")))
    assert file.stat().st_mode & 0o777 == 0o600
    for wrong in (" ", "whsec_no!"):
        with pytest.raises(InvalidSettings, match="STEWARD_EVENT_SECRET"):
            async with steward_on(database_urls, tmp_path, state=tmp_path, event_secret=SecretStr(wrong)):
                pass
