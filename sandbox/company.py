"""The company put together: the twelve systems in the order of their ports, their apps, and the shared engine."""

from collections.abc import Callable
from pathlib import Path

from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException

from sandbox.engine.operation import Engine, refused
from sandbox.engine.refusal import from_http
from sandbox.engine.settings import default_settings, load_settings
from sandbox.engine.store import Store
from sandbox.engine.system import System
from sandbox.seed import is_empty, seed
from sandbox.systems.benefits import BENEFITS
from sandbox.systems.billing import BILLING
from sandbox.systems.expenses import EXPENSES
from sandbox.systems.facilities import FACILITIES
from sandbox.systems.identity import IDENTITY
from sandbox.systems.mail import MAIL
from sandbox.systems.orgchart import ORGCHART
from sandbox.systems.payroll import PAYROLL
from sandbox.systems.procurement import PROCUREMENT
from sandbox.systems.security import SECURITY
from sandbox.systems.support import SUPPORT
from sandbox.systems.training import TRAINING

SYSTEMS: tuple[System, ...] = (
    IDENTITY,
    PAYROLL,
    ORGCHART,
    FACILITIES,
    SECURITY,
    TRAINING,
    BENEFITS,
    EXPENSES,
    MAIL,
    PROCUREMENT,
    SUPPORT,
    BILLING,
)


async def open_company(folder: Path, clock: Callable[[], float]) -> Engine:
    """Open or found the company whose state is in this folder.

    Raises OSError or sqlite3.Error when the folder or the file in it cannot be used.
    """
    store = Store(folder, clock)
    async with store.transaction() as db:
        if is_empty(db):
            seed(db)
        settings = load_settings(db, default_settings(SYSTEMS))
    return Engine(store, settings)


def system_app(system: System, engine: Engine) -> FastAPI:
    """Make the HTTP app of one system."""
    app = FastAPI(title=f"Acme {system.name}", description=system.about)
    app.state.engine = engine
    app.state.system = system
    app.include_router(system.router)

    @app.get("/health", name="health")
    async def health() -> dict[str, str]:
        return {"status": "ok", "system": system.name}

    @app.exception_handler(HTTPException)
    async def unknown_address(_request: Request, error: HTTPException) -> Response:
        return refused(system, from_http(error))

    return app
