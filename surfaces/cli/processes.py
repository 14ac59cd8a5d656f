"""Processes that a command starts beside itself: begun together, ended together, never left behind."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from governance.errors import Unavailable

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 10.0
_PR_SET_PDEATHSIG = 1
SYSTEMS = 12


@dataclass(frozen=True)
class Child:
    """A process of ours, with a name for people."""

    name: str
    process: asyncio.subprocess.Process


@asynccontextmanager
async def child(name: str, command: Sequence[str], *, quiet: Path) -> AsyncIterator[Child]:
    """A process for as long as the block lasts; the file ``quiet`` takes its output.

    It has a session of its own, so that Ctrl-C reaches only us and things end in their order.
    """
    with quiet.open("ab") as out:
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=ROOT,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=out,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=_die_with_parent if sys.platform == "linux" else None,
        )
    try:
        yield Child(name, process)
    finally:
        await _end(process)


async def until_there(file: Path, waited_for: Child, seconds: float = 20.0) -> None:
    """Return once the process has written ``file``. Raises Unavailable when it ends first or takes too long."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while waited_for.process.returncode is None:
                if _is_there(file):
                    return
                await asyncio.sleep(0.05)
    raise Unavailable(f"The {waited_for.name} did not start.")


def sandbox_command(base_port: int, state: Path, ports_file: Path | None = None) -> list[str]:
    """The sandbox company's program."""
    ports = ["--ports-file", str(ports_file.resolve())] if ports_file else []
    return [sys.executable, "-m", "sandbox", "--base-port", str(base_port), "--state", str(state.resolve()), *ports]


def program() -> str:
    """How to call `steward` from the folder one is in: its path, for it need not be on a person's PATH."""
    path = Path(sys.executable).parent / "steward"  # not resolved: a venv's interpreter is a link
    if not path.exists():
        return "steward"
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def free_block() -> int:
    """The first of thirteen ports in a row that are free now, for a sandbox of one's own. Raises Unavailable."""
    start = 20_000 + os.getpid() % 20_000
    for base in range(start, start + 10_000, SYSTEMS + 1):
        if all(is_free(base + offset) for offset in range(SYSTEMS + 1)):
            return base
    raise Unavailable("No thirteen free ports in a row were found.")


def is_free(port: int) -> bool:
    """Whether nobody listens on this port of this machine."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _is_there(file: Path) -> bool:
    return file.exists()


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await process.wait()
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
