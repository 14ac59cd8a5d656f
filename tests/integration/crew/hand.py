"""A process that a crew keeps: it notes that it is there, does nothing, and notes that it ends in good order.

``python -m tests.integration.crew.hand FOLDER MANNER --lifeline N``. MANNER: ``good``; ``slow`` ends when the file ``go`` is
there; ``deaf`` does not hear SIGTERM; ``broken`` ends at once with status 3.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path

from surfaces.lifeline import hold


def main(folder: Path, manner: str, lifeline: int) -> None:
    """Live."""
    told = threading.Event()
    signal.signal(signal.SIGTERM, signal.SIG_IGN if manner == "deaf" else lambda *_: told.set())
    hold(lifeline)
    (folder / f"{os.getpid()}.here").touch()
    if manner == "broken":
        sys.exit(3)
    told.wait()
    while manner == "slow" and not (folder / "go").exists():
        time.sleep(0.02)  # sleep: a file has no event
    (folder / f"{os.getpid()}.over").touch()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[4]))
