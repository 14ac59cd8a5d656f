"""The small program beside the embedded PostgreSQL. Standard library only: it is started with ``python -I -S``.

It runs in three ways, always under the account that owns the cluster:

- ``run COMMAND…``     becomes the command (initdb);
- ``server COMMAND…``  leaves its parent behind and becomes the command (postgres);
- ``guard USERS GUARD SERVER PID_FILE``  leaves its parent behind and, once the last user is gone, stops the server.

The three words after ``guard`` are descriptors of lock files, inherited. A lock of this kind belongs to the open file,
so the kernel gives it back when the last process that inherited it ends, however it ends: nothing here trusts a
process id to say who is alive.

Everything is imported at the start: once privileges are dropped the standard library may be out of reach, codecs too.
"""

import fcntl
import os
import signal
import sys
import time

POLITE_SECONDS = 30.0
"""How long a fast shutdown may take before an immediate one, which the next start recovers from."""


def main(arguments: list[str]) -> None:
    """Drop privileges and do what the first argument says; see the module's text."""
    way, uid, gid, *rest = arguments
    os.umask(0o077)
    os.chdir("/")
    if way != "run" and os.fork():
        os._exit(0)
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(int(gid))
        os.setuid(int(uid))
    if way == "guard":
        users, guard, server = (int(word) for word in rest[:3])
        watch(users, guard, server, rest[3])
        return
    try:
        # No shell: a folder's name is not a command. No inherited environment: its secrets are not PostgreSQL's business.
        os.execve(rest[0], rest, {"PATH": os.defpath, "LC_ALL": "C"})  # noqa: S606 - see above
    except OSError as error:
        sys.exit(f"{rest[0]}: {error.strerror}")


def watch(users: int, guard: int, server: int, pid_file: str) -> None:
    """Wait until no user is left, stop the server, then let go of the locks, of ``users`` last.

    That order matters: whoever waits for ``users`` must find ``guard`` free, or would believe in a guard that is going.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    fcntl.flock(users, fcntl.LOCK_EX)
    stop(server, pid_file)
    for lock in (server, guard, users):
        os.close(lock)


def stop(server: int, pid_file: str) -> None:
    """Return when no process of the cluster is left. Only a held ``server`` lock makes the process id worth reading."""
    started = time.monotonic()
    told = None
    while not free(server):
        polite = time.monotonic() - started < POLITE_SECONDS
        order = signal.SIGINT if polite else signal.SIGQUIT
        pid = postmaster(pid_file)
        if pid is not None and told != (pid, order) and tell(pid, order):
            told = (pid, order)
        time.sleep(0.02)


def free(lock: int) -> bool:
    """Whether nobody else holds the lock; takes it when so."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def postmaster(pid_file: str) -> int | None:
    """Return the server's process id, or None while it has not written one."""
    try:
        with open(pid_file, "rb") as file:  # noqa: PTH123 - pathlib is megabytes here
            return int(file.readline())
    except (OSError, ValueError):
        return None


def tell(pid: int, order: signal.Signals) -> bool:
    """Send the signal; False when there is no such process of ours."""
    try:
        os.kill(pid, order)
    except (ProcessLookupError, PermissionError):
        return False
    return True


if __name__ == "__main__":
    main(sys.argv[1:])
