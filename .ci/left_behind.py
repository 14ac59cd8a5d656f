"""Fails when a process of this CI run is still alive: one that inherited its mark, or runs from or in the checkout.

Linux only (/proc). Gives what is ending a moment to end.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PATIENCE = 15.0


def main() -> int:
    """Print what is left; 1 if anything is."""
    mark = os.environ.get("STEWARD_CI_MARK", "")
    until = time.monotonic() + PATIENCE
    left = leftovers(mark)
    while left and time.monotonic() < until:
        time.sleep(0.2)
        left = leftovers(mark)
    for line in left:
        print(f"left behind: {line}")  # noqa: T201  (this is its output)
    print(f"left-behind: {len(left)} processes")  # noqa: T201
    return 1 if left else 0


def leftovers(mark: str) -> list[str]:
    """Number and command line of every process of ours, apart from us and those who called us."""
    family = ancestors()
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) not in family and is_ours(entry, mark):
            command = read(entry / "cmdline").replace(b"\0", b" ").decode(errors="replace").strip()
            if command:  # a zombie has none: it is dead, and whoever started it will hear of it
                found.append(f"{entry.name} {command}")
    return sorted(found)


def is_ours(process: Path, mark: str) -> bool:
    """Whether a process inherited the mark, or has its program under the checkout (PostgreSQL overwrites its mark)."""
    if mark and f"STEWARD_CI_MARK={mark}".encode() in read(process / "environ").split(b"\0"):
        return True
    try:
        return (process / "exe").readlink().is_relative_to(ROOT)
    except OSError:
        return False


def ancestors() -> set[int]:
    """Us, and whoever called us, up to the first process."""
    found = set()
    pid = os.getpid()
    while pid > 1:
        found.add(pid)
        stat = read(Path(f"/proc/{pid}/stat")).decode(errors="replace")
        pid = int(stat.rpartition(")")[2].split()[1])
    return found


def read(file: Path) -> bytes:
    """A file of /proc, empty if the process is gone or not ours to see."""
    try:
        return file.read_bytes()
    except OSError:
        return b""


if __name__ == "__main__":
    sys.exit(main())
