"""Exported files: every line is an entry or a sentence that names it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from governance.chain import Broken, Entry, to_record
from governance.errors import InvalidInput
from governance.events import RunEnded
from runtime.export import verify_file
from tests.fixtures.journals import Chain


def written(path: Path, *entries: Entry | dict[str, Any]) -> Path:
    """A file of entries."""
    records = [to_record(entry) if isinstance(entry, Entry) else entry for entry in entries]
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def test_an_erased_run_verifies_offline_and_a_blanked_entry_does_not(tmp_path: Path) -> None:
    """All of an ended run is blanked, or none of it."""
    chain = Chain()
    entries = [chain.admitted(), chain.next(), chain.next(RunEnded(status="done"))]
    blank = [replace(entry, body=None, salt=None) for entry in entries]
    erased = verify_file(written(tmp_path / "erased", *blank))
    assert (erased.ok, erased.entries, erased.erased) == (True, 3, 3)
    hidden = verify_file(written(tmp_path / "hidden", entries[0], blank[1], entries[2]))
    assert hidden.broken == (Broken(chain.run_id, 2, "blanked, though its run was not erased"),)
    assert not verify_file(written(tmp_path / "cut", *blank[:2])).ok


@pytest.mark.parametrize(
    "change",
    [
        {"body": 1},
        {"body": "\ud800"},
        {"cause": None},
        {"seq": float("inf")},
        {"at": "0001-01-01T00:00:00+05:00"},
        {"salt": 1},
        {"hash": "x"},
    ],
)
def test_a_line_that_is_no_entry_is_named(change: dict[str, Any], tmp_path: Path) -> None:
    """Whatever is in it, and however deep."""
    chain = Chain()
    record = to_record(chain.next()) | change
    with pytest.raises(InvalidInput, match="Line 2 of"):
        verify_file(written(tmp_path / "file", Chain().admitted(), record))
    (tmp_path / "deep").write_text("[" * 100_000)
    with pytest.raises(InvalidInput, match="Line 1 of"):
        verify_file(tmp_path / "deep")
