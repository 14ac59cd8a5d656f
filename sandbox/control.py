"""The control app: orders faults, counts effects, moves the clock, resets. It needs no credentials."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import FastAPI, HTTPException, Query
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, ConfigDict, Field

from sandbox import effects
from sandbox.engine import faults
from sandbox.engine.operation import Engine
from sandbox.engine.settings import Settings, default_settings, merge_settings, save_settings
from sandbox.engine.store import JsonObject, stamp
from sandbox.engine.system import System
from sandbox.page import effects_page
from sandbox.seed import seed


class Advance(BaseModel):
    """How far the company's clock moves on."""

    model_config = ConfigDict(extra="forbid")

    advance_seconds: float = Field(ge=0)


def control_app(engine: Engine, systems: Sequence[System], urls: dict[str, str]) -> FastAPI:
    """Make the control app for the company whose systems listen at these addresses."""
    app = FastAPI(title="Acme control")
    _add_reports(app, engine, systems, urls)
    _add_faults(app, engine, systems)
    _add_company(app, engine, systems)
    return app


def _add_reports(app: FastAPI, engine: Engine, systems: Sequence[System], urls: dict[str, str]) -> None:
    store = engine.store

    @app.get("/health")
    async def health() -> dict[str, str]:
        return {"status": "ok", "system": "control"}

    @app.get("/systems")
    async def list_systems() -> JsonObject:
        return {"systems": [_described(system, urls) for system in systems]}

    @app.get("/effects")
    async def list_effects(
        system: str | None = None, operation: str | None = None, subject: str | None = None
    ) -> JsonObject:
        async with store.transaction() as db:
            counted = effects.counted(db, system=system, operation=operation, subject=subject)
            return {"effects": counted, "requests": effects.requests_counted(db, system=system, operation=operation)}

    @app.get("/requests")
    async def list_requests(
        system: str | None = None, limit: Annotated[int, Query(ge=1, le=10_000)] = 100
    ) -> JsonObject:
        async with store.transaction() as db:
            return {"requests": effects.newest_requests(db, system=system, limit=limit)}

    @app.get("/records")
    async def list_records(system: str | None = None, reference: str | None = None) -> JsonObject:
        async with store.transaction() as db:
            return {"records": effects.records(db, system=system, reference=reference)}

    @app.get("/", response_class=HTMLResponse)
    async def page() -> str:
        async with store.transaction() as db:
            return effects_page(
                systems=[_described(system, urls) for system in systems],
                effects=effects.newest_effects(db, limit=200),
                counts=effects.counts_by_system(db),
                faults=faults.listed(db),
                now=stamp(store.now()),
            )


def _add_faults(app: FastAPI, engine: Engine, systems: Sequence[System]) -> None:
    store = engine.store

    @app.post("/faults", status_code=201)
    async def order_fault(fault: faults.Fault) -> JsonObject:
        known = ["*", *(system.name for system in systems)]
        if fault.system not in known:
            raise HTTPException(422, f"There is no system {fault.system}; there are {', '.join(known)}.")
        async with store.transaction() as db:
            return faults.order(db, fault)

    @app.get("/faults")
    async def list_faults() -> JsonObject:
        async with store.transaction() as db:
            return {"faults": faults.listed(db)}

    @app.delete("/faults")
    async def remove_faults() -> JsonObject:
        async with store.transaction() as db:
            return {"removed": db.execute("DELETE FROM faults").rowcount}

    @app.delete("/faults/{fault_id}")
    async def remove_fault(fault_id: int) -> JsonObject:
        async with store.transaction() as db:
            removed = db.execute("DELETE FROM faults WHERE id = ?", (fault_id,)).rowcount
        if not removed:
            raise HTTPException(404, f"There is no fault {fault_id}.")
        return {"removed": removed}


def _add_company(app: FastAPI, engine: Engine, systems: Sequence[System]) -> None:
    store = engine.store

    @app.get("/settings")
    async def read_settings() -> Settings:
        return engine.settings

    @app.put("/settings")
    async def change_settings(change: Settings) -> Settings:
        try:
            merged = merge_settings(engine.settings, change)
        except ValueError as error:
            raise HTTPException(422, str(error)) from error
        async with store.transaction() as db:
            save_settings(db, merged)
        engine.settings = merged
        engine.limiter.forget()
        return merged

    @app.post("/clock")
    async def move_clock(advance: Advance) -> JsonObject:
        await store.advance(advance.advance_seconds)
        return {"now": stamp(store.now())}

    @app.post("/reset")
    async def reset() -> JsonObject:
        async with store.transaction() as db:
            store.wipe(db)
            seed(db)
        engine.settings = default_settings(systems)
        engine.limiter.forget()
        return {"status": "reset"}


def _described(system: System, urls: dict[str, str]) -> JsonObject:
    return {
        "system": system.name,
        "about": system.about,
        "url": urls[system.name],
        "auth": system.auth,
        "creating": system.creating,
        "key_lifetime_seconds": system.key_lifetime_seconds,
    }
