"""Set-up: once, again when something changed, one at a time, and with a sentence when it cannot be done.

The real set-up (venv, uv, the lock) runs in `.ci/run`, in a fresh clone. Here a small program stands for uv, because what
is shown is when uv is called, not what it does.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import bootstrap
from tests.house.tree import ROOT

UV = f"""#!/bin/sh
if [ "$1" = --version ]; then echo "uv {bootstrap.UV} (test)"; exit 0; fi
echo "$*" >> calls.txt
if [ -e broken ]; then echo "no network" >&2; exit 2; fi
mkdir -p .venv/bin && ln -sf {sys.executable} .venv/bin/python
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with the set-up, a lock and something in the place of uv."""
    shutil.copy(ROOT / "bootstrap.py", tmp_path)
    (tmp_path / "uv.lock").write_text("version = 1\n", encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text("[project]\n", encoding="utf-8")
    uv = tmp_path / ".boot" / "bin" / "uv"
    uv.parent.mkdir(parents=True)
    uv.write_text(UV, encoding="utf-8")
    uv.chmod(0o755)
    return tmp_path


def set_up(checkout: Path) -> subprocess.CompletedProcess[str]:
    """Run the set-up, from another folder."""
    return subprocess.run(
        [sys.executable, str(checkout / "bootstrap.py"), "setup"],
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def syncs(checkout: Path) -> int:
    """How often uv was asked to sync."""
    calls = checkout / "calls.txt"
    return len(calls.read_text(encoding="utf-8").splitlines()) if calls.exists() else 0


def test_the_second_set_up_does_and_says_nothing(checkout: Path) -> None:
    """A stamp remembers what the environment was made from."""
    assert set_up(checkout).returncode == 0
    again = set_up(checkout)
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")
    assert syncs(checkout) == 1


@pytest.mark.parametrize("changed", ["uv.lock", "pyproject.toml"])
def test_a_changed_lock_or_project_is_synced(checkout: Path, changed: str) -> None:
    """After a pull the next command brings the environment up to date."""
    set_up(checkout)
    with (checkout / changed).open("a", encoding="utf-8") as file:
        file.write("# changed\n")
    set_up(checkout)
    set_up(checkout)
    assert syncs(checkout) == 2


def test_a_moved_checkout_is_synced(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Environments hold absolute paths: a copied one does not count."""
    set_up(checkout)
    moved = tmp_path_factory.mktemp("elsewhere") / "steward"
    shutil.copytree(checkout, moved, symlinks=True)
    set_up(moved)
    assert syncs(moved) == 2


def test_a_failed_set_up_says_so_and_is_tried_again(checkout: Path) -> None:
    """No stamp is left behind by a failure; the last line is a sentence, not a trace."""
    (checkout / "broken").touch()
    failed = set_up(checkout)
    assert failed.returncode == 1
    assert failed.stderr.splitlines()[-1].startswith("steward: The set-up failed at: ")
    assert "Traceback" not in failed.stderr
    (checkout / "broken").unlink()
    assert set_up(checkout).returncode == 0
    assert syncs(checkout) == 2


def test_two_set_ups_at_once_become_one(checkout: Path) -> None:
    """The second waits for the first, and then finds its work done."""
    with (checkout / ".setup.lock").open("a+b") as first:
        fcntl.flock(first, fcntl.LOCK_EX)
        second = subprocess.Popen(
            [sys.executable, str(checkout / "bootstrap.py"), "setup"], stdout=subprocess.PIPE, text=True
        )
        assert second.stdout is not None
        assert "waiting for another set-up" in second.stdout.readline()
        (checkout / ".venv" / "bin").mkdir(parents=True)
        (checkout / ".venv" / "bin" / "python").symlink_to(sys.executable)
        (checkout / ".venv" / "steward-setup.txt").write_text(stamp(checkout), encoding="utf-8")
    assert second.wait(timeout=30) == 0
    assert syncs(checkout) == 0


def stamp(checkout: Path) -> str:
    """What a finished set-up of that folder writes."""
    code = "import bootstrap; print(bootstrap.wanted(), end='')"
    return subprocess.run([sys.executable, "-c", code], cwd=checkout, capture_output=True, text=True, check=True).stdout


def test_caches_go_home_where_home_can_hold_them(tmp_path: Path) -> None:
    """A cache that other projects share is used, if it can be."""
    assert "UV_CACHE_DIR" not in bootstrap.environment({"HOME": str(tmp_path)})


@pytest.mark.parametrize("home", ["", "/nonexistent", "/proc"])
def test_caches_stay_in_the_checkout_without_a_usable_home(home: str) -> None:
    """No home, a home that is not there, one that cannot be written: set-up works all the same."""
    env = bootstrap.environment({"HOME": home})
    assert env["UV_CACHE_DIR"] == str(ROOT / ".boot" / "cache" / "uv")
    assert env["PIP_CACHE_DIR"] == str(ROOT / ".boot" / "cache" / "pip")


def test_a_cache_that_was_named_is_kept(tmp_path: Path) -> None:
    """Whoever sets uv's own variable means it."""
    assert bootstrap.environment({"UV_CACHE_DIR": str(tmp_path)})["UV_CACHE_DIR"] == str(tmp_path)


def test_another_environment_does_not_lead_astray() -> None:
    """An active virtual environment is not ours to fill."""
    env = bootstrap.environment({**os.environ, "VIRTUAL_ENV": "/elsewhere", "PYTHONPATH": "/elsewhere"})
    assert env["UV_PROJECT_ENVIRONMENT"] == str(ROOT / ".venv")
    assert not {"VIRTUAL_ENV", "PYTHONPATH"} & set(env)


def test_a_python_that_is_too_old_is_told_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """One sentence with a way out."""
    monkeypatch.setattr(bootstrap, "PYTHONS", ((3, 99),))
    with pytest.raises(SystemExit, match=r"^steward: Steward needs Python .* make PYTHON="):
        bootstrap.require_python()


def test_a_python_without_ensurepip_is_told_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """Debian splits it off; the sentence says which package brings it back."""
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(SystemExit, match="apt install python3-venv"):
        bootstrap.require_python()
