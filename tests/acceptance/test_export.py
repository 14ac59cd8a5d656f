"""`audit export`: to a reader who leaves early, of a run that is not there, of a run that has not ended."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.acceptance.terminal import Here, Steward, environment


def test_an_export_to_stdout_ends_quietly(steward: Steward, here: Here, ada: str, tmp_path: Path) -> None:
    """No run of that name is a sentence, also without --out; a closed pipe is nothing to speak of."""
    begin = ("run", "onboarding", "--request", ada, "--no-wait", "--json")
    run = here(*begin, settings=steward.settings).json["row"]["id"]
    unknown = steward("audit", "export", "zzzz")
    assert unknown.status == 2
    assert "zzzz" in unknown.err
    missing = here("audit", "export", "zzzz", "--out", str(tmp_path / "none.ndjson"), settings=steward.settings)
    assert missing.status == 2
    assert not (tmp_path / "none.ndjson").exists()
    for words in (("audit", "export"), ("tools", "--json")):
        assert _to_nobody(steward, *words) == "", words

    file = tmp_path / "ada.ndjson"
    assert here("audit", "export", run, "--out", str(file), settings=steward.settings).status == 0
    half = here("audit", "verify", str(file))
    assert half.status == 0
    assert "does not end with run.ended" in half.err
    here("cancel", run, "--reason", "only a test", settings=steward.settings)


def _to_nobody(steward: Steward, *words: str) -> str:
    """What is on stderr when stdout is a pipe that nobody reads any more."""
    command = [sys.executable, "-m", "surfaces.cli.main", *words]
    env = {**environment(), **steward.settings}
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        said = process.stderr.read()
        assert process.wait(timeout=60) == 1
        return said
