"""The sandbox company beside the chat, as its own process, so that ``make chat`` alone is enough to play."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from governance.errors import SystemUnavailable
from runtime.settings import Settings

_PATIENCE_SECONDS = 20
_LOOK_SECONDS = 0.1


@asynccontextmanager
async def company(settings: Settings) -> AsyncIterator[None]:
    """The company listens for as long as the block lasts; one that runs already is used and left running.

    Raises:
        SystemUnavailable: it does not start; the sentence is the sandbox's own.

    """
    if await _listens(settings.sandbox_port):
        yield
        return
    settings.state.mkdir(parents=True, exist_ok=True)
    log = settings.state / "sandbox.log"
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "sandbox",
            "--base-port",
            str(settings.sandbox_port),
            "--state",
            str(settings.state / "sandbox"),
            stdout=output,
            stderr=output,
            start_new_session=True,  # Ctrl-C is for the chat, which stops the company in its turn
        )
        try:
            await _started(process, settings.sandbox_port)
            yield
        except _Ended:
            said = log.read_text(encoding="utf-8").strip().splitlines()
            raise SystemUnavailable(
                said[-1] if said else "The sandbox company does not start.", hint=f"{log} has what it said."
            ) from None
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            await process.wait()


class _Ended(Exception):
    """The company stopped, or did not begin to listen, before anybody could use it."""


async def _started(process: asyncio.subprocess.Process, port: int) -> None:
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while not await _listens(port):
                if process.returncode is not None:
                    raise _Ended
                await asyncio.sleep(_LOOK_SECONDS)
    except TimeoutError:
        raise _Ended from None


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return True
