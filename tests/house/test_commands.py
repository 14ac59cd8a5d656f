"""The commands that people and CI type: they list themselves, and a failing test fails them."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import bootstrap
from tests.house.tree import ROOT, project

MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = {"demo", "test", "chat", "up", "lint", "types", "contracts", "browser", "chaos", "check", "lock", "clean"}


def ended(*command: str) -> subprocess.CompletedProcess[str]:
    """A command, run in the checkout to its end."""
    # Under `make test` the outer make's variables would have the inner one announce its folders.
    outer = {"MAKEFLAGS", "MAKELEVEL", "MFLAGS", "GNUMAKEFLAGS"}
    env = {name: value for name, value in os.environ.items() if name not in outer}
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False, timeout=100)


def a_test(folder: Path, line: str) -> str:
    """A file with one test."""
    file = folder / "test_one.py"
    file.write_text(f"def test_one():\n    {line}\n", encoding="utf-8")
    return str(file)


def test_make_lists_its_targets_first() -> None:
    """`make` alone explains itself, and leaves out nothing."""
    shown = ended("make").stdout
    assert {line.split()[1] for line in shown.splitlines()} >= TARGETS | {"help"}
    assert set(re.findall(r"^([a-z]+):.*## ", MAKEFILE, re.MULTILINE)) == {
        line.split()[1] for line in shown.splitlines()
    }


def test_bootstrap_and_make_offer_the_same() -> None:
    """Without make, nothing that a newcomer needs is missing."""
    assert set(bootstrap.COMMANDS) == {"setup", *re.findall(r"\$\(BOOT\) (\w+) \$\(ARGS\)", MAKEFILE)}


def test_a_failing_test_fails_the_test_command(tmp_path: Path) -> None:
    """`make test` ends with a failure when a test does, and with success when none does; pytest's last line shows."""
    for line, status, closing in (("assert 1 == 2", 2, "1 failed in"), ("assert 1 == 1", 0, "1 passed in")):
        done = ended("make", "test", f"ARGS=-n 0 {a_test(tmp_path, line)}")
        assert done.returncode == status, done.stdout + done.stderr
        assert closing in done.stdout.splitlines()[-1]


def test_a_battery_says_when_it_is_empty_and_fails_when_it_fails(tmp_path: Path) -> None:
    """An empty battery is named; a failing one is a failure; an unmarked test is not part of it."""
    empty = ended("make", "browser", f"ARGS={a_test(tmp_path, 'assert 1 == 2')}")
    assert empty.returncode == 0
    assert "no test is marked 'browser'" in empty.stdout
    failing = tmp_path / "test_two.py"
    failing.write_text("import pytest\n@pytest.mark.browser\ndef test_two():\n    assert 1 == 2\n", encoding="utf-8")
    assert ended("make", "browser", f"ARGS={failing}").returncode == 2
    assert re.findall(r"call battery,(\w+)", MAKEFILE) == ["browser"]


def test_the_chaos_battery_runs_what_it_is_asked_for_and_fails_when_asked_for_nothing() -> None:
    """`make chaos` is a program of its own, whose failure is make's."""
    assert ended("make", "chaos", "ARGS=--only nothing").returncode == 2
    done = ended("make", "chaos", "ARGS=--only B10")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "every target met" in done.stdout.splitlines()[-1]


def test_the_default_suite_leaves_the_batteries_out() -> None:
    """Plain `pytest` runs what `make test` runs."""
    options = project()["tool"]["pytest"]["ini_options"]["addopts"]
    assert options[options.index("-m") + 1] == "not browser and not chaos and not slow"


def test_ci_runs_the_readmes_test_command() -> None:
    """What a newcomer types is what CI runs."""
    assert re.search(r"^step .*make test$", (ROOT / ".ci" / "run").read_text(encoding="utf-8"), re.MULTILINE)


def test_langgraph_json_names_a_graph_that_is_there() -> None:
    """`langgraph dev` finds what it is told to serve, with strict checkpoints."""
    config = json.loads((ROOT / "langgraph.json").read_text(encoding="utf-8"))
    assert config["env"]["LANGGRAPH_STRICT_MSGPACK"] == "true"
    for target in config["graphs"].values():
        file, name = target.split(":")
        assert re.search(rf"^(async )?def {name}\(", (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE)
