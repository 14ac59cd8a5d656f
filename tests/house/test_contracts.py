"""The import contracts hold, cover every folder, and each of them bites when a wrong import is planted."""

from __future__ import annotations

import configparser
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from runtime import import_guard
from tests.house.tree import ROOT, packages, shipped

OTHER_FOLDERS = {"docs", "tests", "build", "dist", "reports"}

# Contract: the wrong imports planted for it, each with its folder.
PLANTS = {
    "layers": [
        ("governance", "import tools.contract"),
        ("governance", "import memory"),
        ("tools", "import memory"),
        ("memory", "import tools.contract"),
        ("memory", "import graphs.ports"),
        ("tools", "import plans.language"),
        ("plans", "import playbooks.model"),
        ("playbooks", "import plans.language"),
        ("plans", "import agents.ports"),
        ("agents", "import graphs.ports"),
        ("graphs", "import triggers"),
        ("triggers", "import runtime.settings"),
        ("runtime", "import surfaces"),
    ],
    "surfaces": [
        ("surfaces", "import memory"),
        ("surfaces", "import graphs.ports"),
        ("surfaces", "import tools.contract"),
        ("surfaces", "import triggers"),
        ("surfaces", "import agents.planted_inside"),
        ("surfaces", "import runtime.planted_inside"),
    ],
    "adapters": [
        ("graphs", "import memory"),
        ("runtime", "import memory"),
    ],
    "langgraph": [
        ("runtime", "import langgraph.graph"),
        ("agents", "from langgraph.types import interrupt"),
    ],
    "sql": [
        ("graphs", "import psycopg"),
        ("runtime", "from sqlalchemy import text"),
        ("surfaces", "import alembic"),
    ],
    "fastapi": [
        ("runtime", "from fastapi import FastAPI"),
        ("tools", "import starlette.requests"),
    ],
    "models": [
        ("graphs", "from langchain_openai import ChatOpenAI"),
        ("tools", "import openai"),
    ],
    "langchain": [
        ("tools", "from langchain_core.tools import BaseTool"),
        ("surfaces", "import langchain_core.messages"),
        ("plans", "import langchain_core"),
    ],
    "chainlit": [
        ("surfaces", "import chainlit"),
        ("runtime", "import chainlit"),
    ],
    "front-door": [
        ("surfaces", "import app"),
    ],
    "sandbox-unseen": [
        ("tools", "import sandbox"),
        ("surfaces", "import sandbox"),
    ],
    "sandbox-alone": [
        ("sandbox", "import governance.errors"),
        ("sandbox", "import tools.contract"),
    ],
}

ALLOWED = [
    ("surfaces/planted.py", "import agents.ports, runtime.application, runtime.settings, plans.language"),
    ("surfaces/chat/planted.py", "import chainlit"),
    ("runtime/wiring.py", "import memory"),
    ("graphs/planted.py", "import langgraph.graph"),
    ("memory/planted.py", "import psycopg, sqlalchemy, langgraph.checkpoint"),
    ("triggers/planted.py", "import fastapi"),
    ("agents/planted.py", "import langchain_openai"),
]


def contracts(root: Path = ROOT) -> configparser.ConfigParser:
    """The contracts' file, parsed."""
    parser = configparser.ConfigParser()
    parser.read(root / ".importlinter", encoding="utf-8")
    return parser


def lint(root: Path, contract: str | None = None) -> tuple[int, str]:
    """Exit status and output of ``lint-imports`` in a tree."""
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
    done = subprocess.run(
        [*command, *(["--contract", contract] if contract else [])],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the packages as they are, with two modules to be seen by wrong importers."""
    root = tmp_path_factory.mktemp("tree")
    for name in packages():
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    (root / "agents" / "planted_inside.py").touch()
    (root / "runtime" / "planted_inside.py").touch()
    shutil.copy(ROOT / ".importlinter", root)
    return root


@pytest.fixture
def plant(copy: Path) -> Iterator[Callable[[str, str], None]]:
    """Writes a module into the copy; afterwards the copy is as before."""
    before: dict[Path, bytes | None] = {}

    def write(file: str, text: str) -> None:
        path = copy / file
        path.parent.mkdir(exist_ok=True)
        before[path] = path.read_bytes() if path.exists() else None
        path.write_text(f"{text}\n", encoding="utf-8")

    yield write
    for path, content in before.items():
        if content is None:
            path.unlink()
        else:
            path.write_bytes(content)


def test_the_tree_keeps_every_contract() -> None:
    """No folder imports what it must not."""
    status, output = lint(ROOT)
    assert status == 0, output


@pytest.mark.parametrize("contract", PLANTS)
def test_each_wrong_import_breaks_its_contract(copy: Path, plant: Callable[[str, str], None], contract: str) -> None:
    """The contract fails, and names every one of the imports planted for it."""
    for number, (folder, wrong) in enumerate(PLANTS[contract]):
        plant(f"{folder}/planted_{number}.py", wrong)
    status, output = lint(copy, contract)
    assert status == 1, output
    assert f"{contracts()[f'importlinter:contract:{contract}']['name']} BROKEN" in output
    for number, (folder, wrong) in enumerate(PLANTS[contract]):
        assert f"{folder}.planted_{number} -> " in output, wrong


def test_allowed_imports_keep_every_contract(copy: Path, plant: Callable[[str, str], None]) -> None:
    """The contracts do not forbid what the design asks for."""
    for file, right in ALLOWED:
        plant(file, right)
    _, output = lint(copy)
    assert "Contracts: " in output
    assert "planted -> " not in output
    assert "runtime.wiring -> " not in output


def test_every_contract_has_a_planted_import() -> None:
    """A contract that nothing has ever broken could be empty."""
    prefix = "importlinter:contract:"
    names = {section.removeprefix(prefix) for section in contracts().sections() if section.startswith(prefix)}
    assert names == set(PLANTS)


def test_folders_contract_wheel_and_guard_name_the_same_packages() -> None:
    """A new folder fails here until it has a place in the contract, the wheel and the import guard."""
    on_disk = {
        path.name
        for path in ROOT.iterdir()
        if path.is_dir() and not path.name.startswith((".", "__")) and path.name not in OTHER_FOLDERS
    }
    lint_roots = set(contracts()["importlinter"]["root_packages"].split())
    assert on_disk == lint_roots == set(packages()) == set(import_guard.PACKAGES)
    assert [name for name in shipped() if name.endswith(".py")] == ["app.py"]


def test_every_package_stands_in_a_layer_or_is_the_sandbox() -> None:
    """The order of the layers leaves no package out."""
    layers = contracts()["importlinter:contract:layers"]["layers"].replace("|", " ").split()
    assert sorted([*layers, "sandbox"]) == sorted(packages())
