"""One company and one embedded database for all acceptance tests of a session."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import pytest_asyncio

from memory.embedded import embedded_postgres
from surfaces.cli.processes import free_block
from tests.acceptance.terminal import ADA, ROOT, Here, Steward


@contextmanager
def company(port: int, folder: Path) -> Iterator[None]:
    """The sandbox company on a block of ports."""
    command = [sys.executable, "-m", "sandbox", "--base-port", str(port), "--state", str(folder)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert any("stops it" in line for line in process.stdout)
        yield
        process.terminate()


@pytest.fixture(scope="session")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The base port of a company that runs."""
    base = free_block()
    with company(base, tmp_path_factory.mktemp("acme")):
        yield base


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def state(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Path]:
    """A state folder whose database runs all the time, so that each command finds it."""
    folder = tmp_path_factory.mktemp("state")
    async with embedded_postgres(folder / "postgres"):
        yield folder


@pytest.fixture
def steward(state: Path, port: int, tmp_path: Path) -> Steward:
    """The command line, with a database and a company."""
    return Steward({"STEWARD_STATE": str(state), "STEWARD_SANDBOX_PORT": str(port)}, tmp_path)


@pytest.fixture
def alone(tmp_path: Path) -> Steward:
    """The command line where neither database nor company can be reached."""
    return Steward({"STEWARD_STATE": str(tmp_path / "state"), "STEWARD_DATABASE_URL": _NOBODY}, tmp_path)


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Here:
    """The command line in this process, in an empty folder; it is Katherine Johnson who acts."""
    monkeypatch.chdir(tmp_path)
    return Here(monkeypatch, capsys)


@pytest.fixture
def ada(tmp_path: Path) -> str:
    """A file with a good request."""
    path = tmp_path / "ada.json"
    path.write_text(json.dumps(ADA), encoding="utf-8")
    return str(path)


_NOBODY = "postgresql://nobody@127.0.0.1:9/nothing"
