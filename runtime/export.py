"""Journals as files: newline-delimited JSON that anyone can verify offline, without a database and without Steward's settings."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import aclosing
from pathlib import Path

from governance.chain import Entry, Verified, from_record, to_record, verify
from governance.errors import InvalidInput
from governance.record import Wanted
from runtime.record import decisions_of


async def lines(entries: AsyncIterator[Entry]) -> AsyncIterator[str]:
    """One line of JSON for each entry, without its line end."""
    async for entry in entries:
        yield json.dumps(to_record(entry), ensure_ascii=False, sort_keys=True)


async def decision_lines(entries: AsyncGenerator[Entry, None], wanted: Wanted) -> AsyncIterator[str]:
    """One line of JSON for each wanted decision, without its line end. ``entries`` come run by run, and are closed.

    One run is held at a time: what was decided last may override what was decided first.
    """
    held: list[Entry] = []
    async with aclosing(entries):
        async for entry in entries:
            if held and held[-1].run_id != entry.run_id:
                for line in _decided(held, wanted):
                    yield line
                held = []
            held.append(entry)
    for line in _decided(held, wanted):
        yield line


def _decided(entries: Sequence[Entry], wanted: Wanted) -> Iterator[str]:
    for record in decisions_of(entries):
        if wanted.fits(record):
            yield json.dumps(record.shape(), ensure_ascii=False, sort_keys=True)


def verify_file(path: Path) -> Verified:
    """Verify an exported file.

    Raises:
        InvalidInput: the file cannot be read or a line is not an entry; the sentence names the line.

    """
    return verify(_read(path))


def _read(path: Path) -> Iterator[Entry]:
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            yield from (_entry(path, number, line) for number, line in enumerate(file, 1) if line.strip())
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror}.") from error


def _entry(path: Path, number: int, line: str) -> Entry:
    try:
        return from_record(json.loads(line))
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise InvalidInput(
            f"Line {number} of {path} is not a journal entry.", hint="`steward audit export RUN` writes such files."
        ) from error
