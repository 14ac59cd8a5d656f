"""The way of one call: authenticate, limit, strike faults, apply with its effect in one transaction, strike again."""

import asyncio
import sqlite3
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute

from sandbox.engine import faults, keys
from sandbox.engine.auth import TOKEN_OPERATION, authenticate
from sandbox.engine.limiter import Limiter
from sandbox.engine.refusal import Refusal, from_validation
from sandbox.engine.settings import Settings
from sandbox.engine.silence import Silence
from sandbox.engine.store import Store, stamp
from sandbox.engine.system import System
from sandbox.engine.work import Call, Work

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class Operation(APIRoute):
    """A route of a system: FastAPI validates and calls the function, the engine does all that surrounds it."""

    def get_route_handler(self) -> Handler:
        """Put the engine around FastAPI's own handler."""
        inner = super().get_route_handler()

        async def handle(request: Request) -> Response:
            engine: Engine = request.app.state.engine
            return await engine.serve(request.app.state.system, self.name, request, inner)

        return handle


class Engine:
    """Serves the calls of all systems on one store."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self.store = store
        self.settings = settings
        self.limiter = Limiter()

    async def serve(self, system: System, operation: str, request: Request, inner: Handler) -> Response:
        """Answer one call and log it as a request with its outcome."""
        call = Call(
            system=system.name,
            operation=operation,
            method=request.method,
            path=request.url.path,
            key=request.headers.get("Idempotency-Key"),
            body=await request.body(),
        )
        number, verdict = await self._arrive(system, call, request)
        answer, outcome = await self._answer(system, call, request, inner, verdict)
        async with self.store.transaction() as db:
            db.execute("UPDATE requests SET outcome = ? WHERE number = ?", (outcome, number))
        return answer

    async def _arrive(
        self, system: System, call: Call, request: Request
    ) -> tuple[int | None, Refusal | faults.Fault | None]:
        now = self.store.now()
        async with self.store.transaction() as db:
            cursor = db.execute(
                "INSERT INTO requests (at, system, operation, method, path, key, outcome)"
                " VALUES (?, ?, ?, ?, ?, ?, 'in progress')",
                (stamp(now), call.system, call.operation, call.method, call.path, call.key),
            )
            refusal = None
            if call.operation != TOKEN_OPERATION:
                refusal = authenticate(request, system.auth, system.name, db, now)
            refusal = refusal or self.limiter.check(system.name, self.settings.limits[system.name], now)
            return cursor.lastrowid, refusal or faults.take(db, call, after=False)

    async def _answer(
        self, system: System, call: Call, request: Request, inner: Handler, verdict: Refusal | faults.Fault | None
    ) -> tuple[Response, str]:
        if isinstance(verdict, Refusal):
            return refused(system, verdict), str(verdict.status)
        if isinstance(verdict, faults.Fault) and verdict.kind != "latency":
            return _struck(system, verdict, None), f"fault {verdict.kind}"
        if verdict is not None:
            await asyncio.sleep(verdict.wait)
        try:
            async with self.store.transaction() as db:
                answer = await self._apply(db, call, request, inner)
                fault = faults.take(db, call, after=True) if answer.status_code < 300 else None
        except RequestValidationError as error:
            return refused(system, from_validation(error)), str(system.invalid_status)
        except Refusal as refusal:
            return refused(system, refusal), str(refusal.status or system.invalid_status)
        if fault is not None:
            return _struck(system, fault, answer), f"fault {fault.kind}"
        replayed = "replayed " if "Idempotent-Replay" in answer.headers else ""
        return answer, f"{replayed}{answer.status_code}"

    async def _apply(self, db: sqlite3.Connection, call: Call, request: Request, inner: Handler) -> Response:
        now = self.store.now()
        lifetime = self.settings.key_lifetime_seconds.get(call.system)
        keyed = call.key is not None and lifetime is not None and call.method != "GET"
        if keyed and lifetime is not None:
            stored = keys.replay(db, call, now, lifetime)
            if stored is not None:
                return stored
        request.state.work = Work(db, call, now, self.settings.facilities_lag_seconds)
        answer = await inner(request)
        if keyed and answer.status_code < 300:
            keys.remember(db, call, now, answer)
        return answer


def refused(system: System, refusal: Refusal) -> JSONResponse:
    """Put the system's own error shape around a refusal."""
    refusal.status = refusal.status or system.invalid_status
    return JSONResponse(system.shape(refusal), refusal.status, refusal.headers, system.error_media_type)


def _struck(system: System, fault: faults.Fault, answer: Response | None) -> Response:
    if fault.kind.startswith("hang"):
        return Silence(fault.wait)
    if fault.kind.startswith("drop"):
        return Silence(0)
    if answer is not None and fault.kind == "malformed":
        return Response(bytes(answer.body)[: len(answer.body) // 2], answer.status_code, media_type="application/json")
    headers = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
    code = "rate_limited" if fault.answer_status == 429 else "internal_error"
    return refused(system, Refusal(fault.answer_status, code, "This fault was ordered.", headers=headers))
