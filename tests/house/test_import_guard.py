"""The import guard: ours is found, or one clear sentence says what is in the way; and checkpoints are strict."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from runtime import import_guard
from tests.house.tree import ROOT


def python(code: str, *, path: Path | None = None, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """A fresh Python, with a folder put first on its path."""
    env = {key: value for key, value in os.environ.items() if key not in {"PYTHONPATH", import_guard.STRICT}}
    if path is not None:
        env["PYTHONPATH"] = str(path)
    return subprocess.run(
        [sys.executable, "-c", code], cwd=cwd, env=env, capture_output=True, text=True, check=False, timeout=60
    )


def foreign(folder: Path, name: str) -> Path:
    """A folder with a package of that name that is not ours."""
    (folder / name).mkdir(parents=True)
    (folder / name / "__init__.py").touch()
    return folder


def test_ours_are_found_from_any_folder(tmp_path: Path) -> None:
    """The project is installed editable: an import works elsewhere than in the checkout, and finds the checkout."""
    done = python("import runtime.import_guard, governance; print(governance.__file__)", cwd=tmp_path)
    assert done.stdout.strip() == str(ROOT / "governance" / "__init__.py"), done.stderr


def test_tests_are_ours_although_another_distribution_ships_some() -> None:
    """literalai installs a top-level `tests`; under pytest ours must win."""
    assert Path(__file__).is_relative_to(ROOT)
    assert Path(sys.modules["tests.house.tree"].__file__ or "").is_relative_to(ROOT)


def test_the_guard_names_the_other_distribution(tmp_path: Path) -> None:
    """With openai-agents installed before us, one sentence names it and the way out, and nothing else is printed."""
    site = foreign(tmp_path, "agents")
    info = site / "openai_agents-0.24.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: openai-agents\nVersion: 0.24.0\n", encoding="utf-8")
    (info / "RECORD").write_text("agents/__init__.py,,\n", encoding="utf-8")
    done = python("import runtime.import_guard", path=site, cwd=tmp_path.parent)
    assert done.returncode == 1
    assert done.stdout == ""
    assert "the distribution `openai-agents`" in done.stderr
    assert "uninstall `openai-agents`" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_the_guard_names_a_folder_that_hides_ours(tmp_path: Path) -> None:
    """A stray folder on PYTHONPATH is named too."""
    done = python("import runtime.import_guard", path=foreign(tmp_path, "memory"), cwd=tmp_path.parent)
    assert done.returncode == 1
    assert f"`import memory` finds {tmp_path.resolve() / 'memory'}" in done.stderr
    assert "PYTHONPATH" in done.stderr


def test_the_guard_sees_what_was_imported_before_it(tmp_path: Path) -> None:
    """A foreign package that is loaded already is found, even if the path was mended since."""
    site = foreign(tmp_path, "tools")
    code = f"import sys, tools; sys.path.remove({str(site)!r}); import runtime.import_guard"
    done = python(code, path=site, cwd=tmp_path.parent)
    assert done.returncode == 1
    assert "`import tools`" in done.stderr


def test_every_package_is_guarded_one_by_one(tmp_path: Path) -> None:
    """No package of ours can be hidden without the guard saying so."""
    for name in import_guard.PACKAGES:
        if name == "runtime":  # the guard itself lives there: hidden, it cannot be imported at all
            continue
        done = python("import runtime.import_guard", path=foreign(tmp_path / name, name), cwd=tmp_path)
        assert done.returncode == 1, name
        assert f"`import {name}`" in done.stderr


def test_checkpoints_are_strict_once_the_guard_ran() -> None:
    """LangGraph loaded after the guard refuses to call what a checkpoint names."""
    code = (
        "import runtime.import_guard, langgraph.checkpoint.serde._msgpack as m; "
        "assert m.STRICT_MSGPACK_ENABLED; print('strict')"
    )
    assert python(code).stdout == "strict\n"


def test_the_guard_refuses_a_langgraph_that_was_loaded_unsafe() -> None:
    """Too late is said, not passed over."""
    done = python("import langgraph.checkpoint.serde._msgpack, runtime.import_guard")
    assert done.returncode == 1
    assert import_guard.STRICT in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_this_very_test_run_is_strict() -> None:
    """Tests meet checkpoints as the doors do: pyproject.toml loads the guard before anything else."""
    assert os.environ[import_guard.STRICT] == "true"
