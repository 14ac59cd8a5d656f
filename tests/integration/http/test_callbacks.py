"""The door for callbacks, and docs/how-to/wait-for-other-systems.md done as it says, with a printer that calls back."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
import yaml
from fastapi import BackgroundTasks, FastAPI

from governance.events import RunStatus
from governance.reviews import respond
from governance.runs import RunRow
from runtime.application import Application
from surfaces.http.bodies import MOST_BYTES
from surfaces.http.serving import served
from tests.conftest import DatabaseUrls
from tests.fixtures.company import HR, person, steward_on, until
from tests.house import docs_blocks
from tests.house.docs_blocks import Session
from tests.house.tree import ROOT

PAGE = ROOT / "docs" / "how-to" / "wait-for-other-systems.md"


@dataclass
class Printer:
    """What the printer was asked for. ``prompt``: it calls back by itself, twice."""

    prompt: bool = False
    orders: list[dict[str, Any]] = field(default_factory=list)
    heard: list[int] = field(default_factory=list)
    done: asyncio.Event = field(default_factory=asyncio.Event)
    url: str = ""


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


@asynccontextmanager
async def printing(printer: Printer) -> AsyncIterator[Printer]:
    """The printer, on a free port of this machine."""
    app = FastAPI()

    @app.post("/orders", status_code=202)
    async def order(wanted: dict[str, Any], later: BackgroundTasks) -> dict[str, str]:
        number = f"P-{len(printer.orders) + 1}"
        printer.orders.append({"number": number, "copies": 0, **wanted})
        if printer.prompt:
            later.add_task(call_back, wanted["callback"], {"order": number, "copies": 10})
        return {"number": number}

    @app.get("/orders")
    async def search(reference: str) -> list[dict[str, Any]]:
        return [order for order in printer.orders if order["reference"] == reference]

    async def call_back(address: str, body: dict[str, Any]) -> None:
        async with httpx.AsyncClient() as client:
            for _ in range(2):
                printer.heard.append((await client.post(address, json=body)).status_code)
        printer.done.set()

    port = _free_port()
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="error", lifespan="off"))
    server.config.load()
    server.lifespan = server.config.lifespan_class(server.config)
    await server.startup()
    task = asyncio.create_task(server.main_loop())
    printer.url = f"http://127.0.0.1:{port}"
    try:
        yield printer
    finally:
        server.should_exit = True
        with contextlib.suppress(asyncio.CancelledError):
            await task


@asynccontextmanager
async def _door(
    urls: DatabaseUrls, folder: Path, printer: Printer, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[Application, httpx.AsyncClient]]:
    """Steward as the page's reader has it, its door open, and a client of it."""
    for block in docs_blocks.blocks(PAGE):
        if block.path:
            await docs_blocks.run(block, Session(folder))
    home = folder / "acme"
    (home / "systems.yaml").write_text(yaml.safe_dump({"printer": {"url": printer.url}}), encoding="utf-8")
    monkeypatch.setenv("PRINTER_KEY", "ink")
    port = _free_port()
    address = f"http://127.0.0.1:{port}"
    changes = {"state": folder / "state", "callback_url": f"{address}/callbacks"}
    async with (
        steward_on(urls, home, **changes) as steward,
        served(steward, "127.0.0.1", port),
        httpx.AsyncClient(base_url=address, transport=httpx.AsyncHTTPTransport(retries=8)) as client,
    ):
        yield steward, client


async def _started(steward: Application) -> RunRow:
    return await steward.start("posters", {"headline": "Welcome, Ada Lovelace"}, by=person(steward, HR))


async def test_the_page_is_true(database_urls: DatabaseUrls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The printer calls back over HTTP, at once and twice; the run ends with what it said."""
    async with (
        printing(Printer(prompt=True)) as printer,
        _door(database_urls, tmp_path, printer, monkeypatch) as (
            steward,
            _,
        ),
    ):
        async with steward.working():
            row = await _started(steward)
            await until(steward, row.id, "run.ended")
        view = await steward.show(row.id)
        assert view.steps[0].output == {"order": "P-1", "copies": 10}
        async with asyncio.timeout(10):
            await printer.done.wait()
        assert printer.heard == [202, 200]
        assert len(printer.orders) == 1


async def test_what_the_door_answers(
    database_urls: DatabaseUrls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each status of the page's table, and a GET that decides nothing."""
    good = {"order": "P-1", "copies": 3}
    async with printing(Printer()) as printer, _door(database_urls, tmp_path, printer, monkeypatch) as (steward, door):
        async with steward.working():
            row = await _started(steward)
            await until(steward, row.id, "step.deferred")
        address = printer.orders[0]["callback"]
        assert (await door.get(address)).status_code == 405
        assert (await door.post(address + "x", json=good)).status_code == 404
        assert (await door.post("/callbacks/nothing", json=good)).status_code == 404
        for_an_item = await door.post("/callbacks/a.order%5BR%26D%2FBerlin%5D.c", json=good)
        assert for_an_item.json()["error"] == "No step is answered at this address.", (
            "a slash in a key is no other path"
        )
        assert (await door.post(address, content=b"{")).status_code == 422
        assert (await door.post(address, content=b"[" * 60_000)).status_code == 422
        assert (await door.post(address, content=b'{"order": "P-1", "copies": NaN}')).status_code == 422
        refused = await door.post(address, json={"order": "P-1"})
        assert refused.status_code == 422
        assert "copies is missing" in refused.json()["error"]
        assert (await door.post(address, content=b'"' + b"x" * MOST_BYTES + b'"')).status_code == 413
        assert (await steward.show(row.id)).steps[0].state == "waiting"

        first, *others = await asyncio.gather(*(door.post(address, json={**good, "copies": n}) for n in range(5)))
        answers = sorted([first.status_code, *(other.status_code for other in others)])
        assert answers == [200, 200, 200, 200, 202]
        async with steward.working():
            await until(steward, row.id, "run.ended")
        assert (await steward.show(row.id)).row.status is RunStatus.DONE
        late = await door.post(address, json=good)
        assert late.status_code == 200
        assert late.json()["answer"] == (await steward.show(row.id)).steps[0].output


async def test_an_answer_for_a_step_that_a_person_ended_is_gone(
    database_urls: DatabaseUrls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run was cancelled and closed; the printer hears 410."""
    async with printing(Printer()) as printer, _door(database_urls, tmp_path, printer, monkeypatch) as (steward, door):
        async with steward.working():
            row = await _started(steward)
            await until(steward, row.id, "step.deferred")
            await steward.cancel(row.id, reason="no posters", by=person(steward, HR))
            await until(steward, row.id, "review.asked")
            (asked,) = await steward.reviews(run=row.id)
            await steward.decide(asked.card.id, respond("did_not_happen"), by=person(steward, HR))
            await until(steward, row.id, "run.ended")
        gone = await door.post(printer.orders[0]["callback"], json={"order": "P-1", "copies": 1})
        assert gone.status_code == 410


async def test_the_secret_is_made_once_and_kept_for_us_alone(
    database_urls: DatabaseUrls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A restart gives the same addresses."""
    async with printing(Printer()) as printer:
        made = []
        for _ in range(2):
            async with _door(database_urls, tmp_path, printer, monkeypatch) as (steward, _):
                assert steward.engine.addresses is not None
                made.append(steward.engine.addresses.of("run", "step", 0))
        file = tmp_path / "state" / "callback.secret"
        assert made[0] == made[1]
        assert file.stat().st_mode & 0o777 == 0o600
        assert file.read_text("utf-8").strip() not in made[0]
