"""A lifeline: a pipe by which a process notices that the one that started it is gone, however that ended.

Nothing is written to it. The kernel closes the other end with its holder, also after SIGKILL; no system but POSIX is asked for.
"""

from __future__ import annotations

import os
import signal
import stat
import threading
import time

from governance.errors import InvalidInput

GRACE_SECONDS = 5.0
"""How long a process may take to end in good order once it is alone."""


def hold(lifeline: int) -> None:
    """From now on this process ends when the holder of the other end does: as by SIGTERM, and after five seconds at once.

    ``lifeline`` is the descriptor of the end to read from. By a thread of its own, so that a busy loop does not matter.

    Raises:
        InvalidInput: it is no pipe of this process.

    """
    try:
        is_pipe = stat.S_ISFIFO(os.fstat(lifeline).st_mode)
    except OSError:
        is_pipe = False
    if not is_pipe:
        raise InvalidInput(f"{lifeline} is no lifeline.", hint="Only a process that starts workers gives them one")
    threading.Thread(target=_hang_on, args=(lifeline,), name="lifeline", daemon=True).start()


def _hang_on(lifeline: int) -> None:
    while os.read(lifeline, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_SECONDS)
    os._exit(1)
