"""A crew of real processes: begun together, replaced when they die, ended together, and never left behind."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from governance.errors import InvalidInput
from surfaces import crew as crews
from surfaces.crew import cores, crew
from surfaces.lifeline import hold
from tests.house.tree import ROOT


def command(folder: Path, manner: str) -> tuple[str, ...]:
    """The program of a hand."""
    return (sys.executable, "-m", "tests.integration.crew.hand", str(folder), manner)


def there(folder: Path, suffix: str) -> set[int]:
    """The processes that noted this."""
    return {int(path.stem) for path in folder.glob(f"*.{suffix}")}


def lives(pid: int) -> bool:
    """Whether there is such a process, and it is not only waiting to be buried."""
    try:
        return Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def until(holds: Callable[[], bool], seconds: float = 60) -> None:
    """Look again and again at other processes until something holds. Raises TimeoutError."""
    async with asyncio.timeout(seconds):
        while True:
            if holds():
                return
            await asyncio.sleep(0.02)  # sleep: another process has no event


async def test_as_many_as_wanted_are_there_and_all_end_in_good_order(tmp_path: Path) -> None:
    """Three; at the end each hears SIGTERM and is waited for, however slow it is."""
    said: list[str] = []
    leaving = asyncio.Event()

    async def lead() -> None:
        async with crew(3, said.append, command(tmp_path, "slow")):
            await leaving.wait()

    leading = asyncio.create_task(lead())
    await until(lambda: len(there(tmp_path, "here")) == 3)
    pids = there(tmp_path, "here")
    assert {int(line.rstrip(".").split()[-1]) for line in said} == pids
    leaving.set()
    done, _ = await asyncio.wait({leading}, timeout=1)
    assert not done, "it waits for who is not done"
    assert all(lives(pid) for pid in pids)
    (tmp_path / "go").touch()
    await leading
    assert there(tmp_path, "over") == pids
    assert not any(lives(pid) for pid in pids)


async def test_one_that_is_killed_is_replaced(tmp_path: Path) -> None:
    """The others go on, the new one is like the old one, and it is said why."""
    said: list[str] = []
    async with crew(2, said.append, command(tmp_path, "good")):
        await until(lambda: len(there(tmp_path, "here")) == 2)
        first, other = sorted(there(tmp_path, "here"))
        os.kill(first, signal.SIGKILL)
        await until(lambda: len(there(tmp_path, "here")) == 3)
        assert lives(other)
        assert not lives(first)
    assert any("killed by SIGKILL. Another one starts in 0.5 s." in line for line in said)
    assert there(tmp_path, "over") == there(tmp_path, "here") - {first}


async def test_one_that_cannot_live_is_tried_ever_more_seldom(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pauses double up to the longest; a stop does not wait for one; what cannot be started at all is the same."""
    monkeypatch.setattr(crews, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(crews, "LONGEST_PAUSE", 0.04)
    said: list[str] = []
    async with crew(1, said.append, command(tmp_path, "broken")):
        await until(lambda: sum("exit status 3" in line for line in said) >= 4)
    pauses = [line.split()[-2] for line in said if "ended" in line]
    assert pauses[:4] == ["0.01", "0.02", "0.04", "0.04"]
    monkeypatch.setattr(crews, "LONGEST_PAUSE", 3600.0)
    monkeypatch.setattr(crews, "FIRST_PAUSE", 3600.0)
    began = time.monotonic()
    async with crew(1, said.append, [str(tmp_path / "nothing")]):
        await until(lambda: "could not start" in said[-1])
    assert time.monotonic() - began < 60


async def test_one_that_lived_long_starts_again_soon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Long, here, is no time at all: each pause is the first."""
    monkeypatch.setattr(crews, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(crews, "WELL_SECONDS", 0.0)
    said: list[str] = []
    async with crew(1, said.append, command(tmp_path, "broken")):
        await until(lambda: sum("exit status 3" in line for line in said) >= 3)
    assert {line.split()[-2] for line in said if "ended" in line} == {"0.01"}


@pytest.mark.parametrize("manner", ["good", "deaf", "slow"])
async def test_a_killed_master_leaves_nobody_behind(tmp_path: Path, manner: str) -> None:
    """Also those who do not hear or do not end: a few seconds later they are gone."""
    program = [sys.executable, "-m", "tests.integration.crew.master", "2", *command(tmp_path, manner)]
    master = await asyncio.create_subprocess_exec(*program, cwd=ROOT)
    try:
        await until(lambda: len(there(tmp_path, "here")) == 2)
        pids = there(tmp_path, "here")
        master.kill()
        await master.wait()
        await until(lambda: not any(lives(pid) for pid in pids), seconds=20)
        assert (there(tmp_path, "over") == pids) is (manner == "good")
    finally:
        for pid in there(tmp_path, "here"):
            if lives(pid):
                os.kill(pid, signal.SIGKILL)


def test_cores_are_those_that_may_be_used() -> None:
    """Not those of the machine."""
    assert cores() == len(os.sched_getaffinity(0))


def test_a_lifeline_is_a_pipe(tmp_path: Path) -> None:
    """Whoever names another thing hears so, and nobody is ended by mistake."""
    with (tmp_path / "file").open("wb") as file:
        for wrong in (file.fileno(), 9999):
            with pytest.raises(InvalidInput):
                hold(wrong)
