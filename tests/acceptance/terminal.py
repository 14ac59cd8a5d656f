"""The real command line as a process, and what a person sees of it."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import structlog

from surfaces.cli.main import main

ROOT = Path(__file__).resolve().parents[2]
KATHERINE = "katherine.johnson@acme.example"
MARY = "mary.jackson@acme.example"
ANNIE = "annie.easley@acme.example"
ADA = {
    "first_name": "Ada",
    "last_name": "Lovelace",
    "job_title": "Software Engineer",
    "department": "R&D",
    "start_date": "2027-02-01",
    "manager": "grace.hopper@acme.example",
}


@dataclass(frozen=True)
class Said:
    """How a command ended and what it wrote."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one JSON value on stdout."""
        return json.loads(self.out)


@dataclass(frozen=True)
class Steward:
    """`steward` with settings of its own. Every call checks what holds for every output."""

    settings: Mapping[str, str]
    folder: Path

    def __call__(self, *words: str, by: str = "", given: bytes = b"", more: Mapping[str, str] | None = None) -> Said:
        env = {**environment(), **self.settings, **(more or {})}
        if by:
            env["STEWARD_USER"] = by
        done = subprocess.run(
            [sys.executable, "-m", "surfaces.cli.main", *words],
            cwd=self.folder,
            env=env,
            input=given,
            capture_output=True,
            timeout=100,
            check=False,
        )
        said = Said(done.returncode, done.stdout.decode(), done.stderr.decode())
        assert "Traceback" not in said.out + said.err, said
        assert "\x1b" not in said.out + said.err, said
        return said


class Here:
    """The same entry in this process: for words that tell nothing new about processes, and cost a start each."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch = monkeypatch
        self._capsys = capsys

    def __call__(self, *words: str, by: str = KATHERINE, settings: Mapping[str, str] | None = None) -> Said:
        root = logging.getLogger()
        kept = root.handlers[:], root.level
        with self._monkeypatch.context() as patch:
            for name, value in {"STEWARD_USER": by, **(settings or {})}.items():
                patch.setenv(name, value)
            patch.setattr(sys, "argv", ["steward", *words])
            with pytest.raises(SystemExit) as ended:
                main()
        root.handlers[:], root.level = kept
        structlog.reset_defaults()
        out, err = self._capsys.readouterr()
        assert "Traceback" not in out + err
        assert isinstance(ended.value.code, int)
        return Said(ended.value.code, out, err)


def environment() -> dict[str, str]:
    """The environment of a command without any setting of Steward in it."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("STEWARD_")}
    return {**own, "PYTHONPATH": str(ROOT)}
