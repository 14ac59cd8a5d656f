"""What is shipped is whole, and nobody else owns our names."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.house.tree import ROOT, project, shipped

TESTS_ARE_ALSO_SHIPPED_BY = {"literalai"}  # comes with chainlit; test_import_guard.py shows that ours win


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel, built from this tree."""
    target = tmp_path_factory.mktemp("wheel")
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(target)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return zipfile.ZipFile(next(target.glob("steward-*.whl")))


def sources() -> set[str]:
    """Every file under the packages, apart from what Python leaves behind."""
    files = {path for name in shipped() for path in [ROOT / name, *(ROOT / name).rglob("*")] if path.is_file()}
    return {
        path.relative_to(ROOT).as_posix()
        for path in files
        if "__pycache__" not in path.parts and path.suffix != ".pyc" and ".files" not in path.parts
    }


def test_the_wheel_holds_every_file_of_the_packages(wheel: zipfile.ZipFile) -> None:
    """Code and data (YAML, SQL, templates, styles, scripts, pictures) are shipped, and nothing else is."""
    inside = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert inside == sources()


def test_the_wheel_holds_licence_and_console_script(wheel: zipfile.ZipFile) -> None:
    """Whoever installs it can start it, and read under which terms."""
    info = next(name.split("/")[0] for name in wheel.namelist() if ".dist-info/" in name)
    assert "Apache License" in wheel.read(f"{info}/licenses/LICENSE").decode()
    assert "steward = surfaces.cli.main:main" in wheel.read(f"{info}/entry_points.txt").decode()


def test_it_cannot_be_uploaded_by_mistake() -> None:
    """Flat packages in a public index would overwrite other people's."""
    assert "Private :: Do Not Upload" in project()["project"]["classifiers"]


def test_no_other_distribution_owns_our_names() -> None:
    """A dependency that brings a package of our name is seen the day it is locked."""
    owners = importlib.metadata.packages_distributions()
    names = [name.removesuffix(".py") for name in shipped()]
    others = {name: set(owners.get(name, ())) - {"steward"} for name in names}
    assert others == {name: set() for name in names}
    assert set(owners.get("tests", ())) - {"steward"} <= TESTS_ARE_ALSO_SHIPPED_BY


def test_the_console_script_starts_from_any_folder(tmp_path: Path) -> None:
    """`steward` runs from the checkout and from elsewhere alike."""
    for folder in (ROOT, tmp_path):
        done = subprocess.run(
            [str(Path(sys.executable).parent / "steward"), "--help"],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        assert "steward" in done.stdout.lower()
