"""The locks are current, agree with each other, and cannot take in what would break or endanger us."""

from __future__ import annotations

import shutil
import subprocess
import tomllib
import zipfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from packaging.version import Version

import bootstrap
from tests.house import requirements
from tests.house.tree import ROOT, project

UV = str(bootstrap.program(bootstrap.BOOT, "uv"))

# Distribution, the oldest version without the known hole, and the hole.
FLOORS = [
    ("langgraph", "1.0.10", "CVE-2026-28277: strict checkpoints can be switched on from here"),
    ("langgraph-checkpoint", "3.0.0", "CVE-2025-64439: json mode runs code"),
    ("langgraph-checkpoint", "4.0.0", "CVE-2026-27794: pickle in the cache"),
    ("langgraph-checkpoint-postgres", "3.1.1", "CVE-2026-71433: a namespace's prefix reads another tenant"),
    ("langchain-core", "1.2.5", "CVE-2025-68664: lc injection"),
    ("langchain-core", "1.2.11", "CVE-2026-26013: image addresses reach inside"),
    ("langchain-core", "1.2.22", "CVE-2026-34070: load_prompt leaves its folder"),
    ("langchain-core", "1.3.3", "CVE-2026-44843: broad load()"),
    ("langchain-openai", "1.1.14", "CVE-2026-41488: the same by DNS rebinding"),
    ("chainlit", "2.9.4", "CVE-2026-22218 and CVE-2026-22219: reads any file, reaches inside"),
    ("chainlit", "2.10.1", "a restored session was not bound to its user"),
    ("chainlit", "2.12.0", "CVE-2026-45018 and CVE-2026-45019: MCP runs programs, reaches inside"),
    ("python-socketio", "5.14.0", "CVE-2025-61765: pickle"),
    ("python-socketio", "5.16.2", "CVE-2026-48804: denial of service"),
    ("mcp", "1.23.0", "CVE-2025-66416: no protection against DNS rebinding"),
    ("mcp", "1.27.2", "CVE-2026-52869 and CVE-2026-52870: sessions not bound to who opened them"),
    ("mcp", "1.28.1", "CVE-2026-59950"),
    ("starlette", "1.3.1", "open advisories below it"),
    ("python-multipart", "0.0.27", "open advisories below it"),
]


@pytest.mark.parametrize(("name", "floor", "hole"), FLOORS, ids=[f"{name}>={floor}" for name, floor, _ in FLOORS])
def test_no_known_hole_is_installed(name: str, floor: str, hole: str) -> None:
    """What runs here is at or above the version that closed the hole."""
    assert Version(version(name)) >= Version(floor), hole


def test_what_is_installed_is_what_is_locked() -> None:
    """The floors above speak of the locked versions, too."""
    locked = {package["name"]: package.get("version") for package in lock()["package"]}
    assert {name: version(name) for name, _, _ in FLOORS} == {name: locked[name] for name, _, _ in FLOORS}


def test_the_lock_fits_the_project() -> None:
    """Somebody who changes pyproject.toml renews uv.lock (`make lock`)."""
    metadata = next(package for package in lock()["package"] if package["name"] == "steward")["metadata"]
    declared = project()
    assert len(metadata["requires-dist"]) == len(declared["project"]["dependencies"])
    assert {item["name"] for item in metadata["requires-dev"]["dev"]} == {
        name_of(line) for line in declared["dependency-groups"]["dev"]
    }
    assert {item["name"] for item in metadata["requires-dist"]} == {
        name_of(line) for line in declared["project"]["dependencies"]
    }


def test_the_lock_names_the_public_index_only() -> None:
    """A lock made behind a mirror would be useless to everybody else."""
    sources = {package["source"].get("registry") for package in lock()["package"] if package["name"] != "steward"}
    assert sources == {"https://pypi.org/simple"}


def test_requirements_lock_is_current() -> None:
    """Plain pip gets exactly what uv gets; `make lock` renews the file."""
    assert requirements.FILE.read_text(encoding="utf-8") == requirements.exported()


def test_requirements_lock_pins_every_line_with_hashes() -> None:
    """Pip can check each file that it downloads."""
    lines = requirements.FILE.read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert len(pins) > 100
    assert all("==" in line and "--hash=sha256:" in line for line in pins)


def test_openai_agents_cannot_be_locked(tmp_path: Path) -> None:
    """A distribution that ships `agents` is refused by our constraint, direct or through another one."""
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    wheel(shelf, "openai_agents", "0.24.0")
    wheel(shelf, "innocent", "1.0", requires="openai-agents")
    constraint = project()["tool"]["uv"]["constraint-dependencies"]
    for wanted in ("openai-agents", "innocent"):
        assert lockable(tmp_path / f"free-{wanted}", wanted, [], shelf) == ""
        refusal = lockable(tmp_path / f"bound-{wanted}", wanted, constraint, shelf)
        assert "openai-agents" in refusal
    assert "openai-agents" not in {package["name"] for package in lock()["package"]}


def lock() -> dict[str, Any]:
    """``uv.lock``, parsed."""
    return tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))


def name_of(requirement: str) -> str:
    """The distribution that a requirement names."""
    return "".join(letter if letter.isalnum() or letter in "-_" else " " for letter in requirement).split()[0]


def wheel(shelf: Path, name: str, release: str, requires: str = "") -> None:
    """An empty wheel for a resolver to find."""
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {release}\n"
    info = f"{name}-{release}.dist-info"
    with zipfile.ZipFile(shelf / f"{name}-{release}-py3-none-any.whl", "w") as file:
        file.writestr(f"{info}/METADATA", metadata + (f"Requires-Dist: {requires}\n" if requires else ""))
        file.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        file.writestr(f"{info}/RECORD", "")


def lockable(folder: Path, wanted: str, constraints: list[str], shelf: Path) -> str:
    """What uv says when a project wants a distribution; nothing when it locks. Looks at the shelf only."""
    folder.mkdir()
    (folder / "pyproject.toml").write_text(
        f'[project]\nname = "customer"\nversion = "1"\nrequires-python = ">=3.11"\ndependencies = ["{wanted}"]\n'
        f"[tool.uv]\nconstraint-dependencies = {constraints!r}\n",
        encoding="utf-8",
    )
    done = subprocess.run(
        [UV, "lock", "--no-index", "--find-links", str(shelf), "--cache-dir", str(folder / "cache")],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    shutil.rmtree(folder / "cache", ignore_errors=True)
    return done.stderr if done.returncode else ""
