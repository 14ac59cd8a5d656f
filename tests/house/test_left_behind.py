"""CI notices a process that was left behind, and only such."""

from __future__ import annotations

import os
import runpy
import subprocess
import sys
from collections.abc import Callable
from typing import cast

from tests.house.tree import ROOT

leftovers = cast("Callable[[str], list[str]]", runpy.run_path(str(ROOT / ".ci" / "left_behind.py"))["leftovers"])


def test_a_marked_process_is_found_until_it_ends() -> None:
    """Whatever inherits the mark is seen, however it was started; when it is gone, so is the finding."""
    mark = f"test-{os.getpid()}"
    child = subprocess.Popen(
        [sys.executable, "-c", "print(1, flush=True); input()"],
        env={**os.environ, "STEWARD_CI_MARK": mark},
        cwd="/",
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        assert child.stdout is not None
        child.stdout.readline()
        assert [line.split()[0] for line in leftovers(mark) if line.startswith(f"{child.pid} ")] == [str(child.pid)]
    finally:
        child.communicate(b"\n", timeout=20)
    assert not [line for line in leftovers(mark) if line.startswith(f"{child.pid} ")]


def test_those_who_called_us_are_not_left_behind() -> None:
    """The check does not find itself, make, or the shell that runs CI."""
    numbers = {int(line.split()[0]) for line in leftovers("none")}
    assert not {os.getpid(), os.getppid()} & numbers
