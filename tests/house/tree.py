"""The checkout, as the tests of the house see it."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


def project() -> dict[str, Any]:
    """``pyproject.toml``, parsed."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def shipped() -> list[str]:
    """What the wheel is made of: the packages, and ``app.py``."""
    names: list[str] = project()["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    return names


def packages() -> list[str]:
    """Steward's top-level packages."""
    return [name for name in shipped() if not name.endswith(".py")]


def product_files() -> list[Path]:
    """Every Python file of the product: the packages, ``app.py`` and ``bootstrap.py``."""
    inside = [path for name in packages() for path in (ROOT / name).rglob("*.py")]
    return sorted([*inside, ROOT / "app.py", ROOT / "bootstrap.py"])


def files_of_tests() -> list[Path]:
    """Every Python file under ``tests/``."""
    return sorted((ROOT / "tests").rglob("*.py"))


def place(path: Path) -> str:
    """A path as people write it: from the root, with slashes."""
    return path.relative_to(ROOT).as_posix()
