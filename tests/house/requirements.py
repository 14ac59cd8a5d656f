"""``requirements.lock``: uv.lock for plain pip, with hashes. ``python -m tests.house.requirements --write`` renews it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import bootstrap
from tests.house.tree import ROOT

FILE = ROOT / "requirements.lock"
HEADER = "# Written by `make lock` from uv.lock; for plain pip: pip install --require-hashes -r requirements.lock\n"
EXPORT = ("export", "--frozen", "--offline", "--no-dev", "--no-emit-project", "--no-header", "--no-annotate", "--quiet")


def exported(root: Path = ROOT) -> str:
    """What the file must say for the lock as it is."""
    uv = str(bootstrap.program(bootstrap.BOOT, "uv"))
    return HEADER + subprocess.run([uv, *EXPORT], cwd=root, capture_output=True, text=True, check=True).stdout


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        FILE.write_text(exported(), encoding="utf-8")
    else:
        sys.exit("usage: python -m tests.house.requirements --write")
