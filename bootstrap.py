"""Set Steward up in this folder and run it, with nothing but Python: ``python bootstrap.py demo``.

Make calls this file too, so set-up has one home. Nothing is installed outside the folder: uv goes into ``.boot/``,
the locked dependencies into ``.venv/``. A stamp makes every later call instant until the lock or the project changes.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

UV = "0.13.9"
ROOT = Path(__file__).resolve().parent
BOOT = ROOT / ".boot"
VENV = ROOT / ".venv"
STAMP = VENV / "steward-setup.txt"
LOCK = ROOT / ".setup.lock"
PYTHONS = ((3, 11), (3, 12), (3, 13))
COMMANDS = {
    "setup": ("only set up", ()),
    "demo": ("the main job, from a sentence to nine systems", ("steward", "demo")),
    "test": ("the default test suite", ("pytest", "-n", "2", "--dist", "worksteal")),
    "chat": ("the chat, in the browser", ("steward", "chat")),
    "up": ("everything at once: database, sandbox company, worker, chat and pages", ("steward", "up")),
}


def main() -> int:
    """Set up if needed, then run the command; the exit status is the command's."""
    parser = argparse.ArgumentParser(
        prog="bootstrap.py",
        description="Set Steward up in this folder and run it.",
        epilog="\n".join(f"{name:6} {text}" for name, (text, _) in COMMANDS.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument("rest", nargs=argparse.REMAINDER, help="handed on to the command")
    given = parser.parse_args()
    _, command = COMMANDS[given.command]
    set_up()
    return run(VENV, *command, *given.rest) if command else 0


def set_up() -> None:
    """Bring ``.venv`` to what the lock says, unless it is there already. Safe when several callers come at once."""
    if is_current():
        return
    require_python()
    with alone():
        if is_current():  # whoever was first did it
            return
        env = environment(os.environ)
        install_uv(env)
        print("steward: installing the locked dependencies into .venv (once)", flush=True)
        sync = [str(program(BOOT, "uv")), "sync", "--frozen", "--quiet", "--python", base_python()]
        tried = subprocess.run(sync, cwd=ROOT, env=env, stderr=subprocess.PIPE, text=True, check=False)
        if "UnknownIssuer" in tried.stderr:
            # A company's proxy may sign with a certificate that only the system's own store knows.
            call(sync, {**env, "UV_SYSTEM_CERTS": "true"})
        elif tried.returncode != 0:
            sys.stderr.write(tried.stderr)
            stop(failed_at(sync))
        STAMP.write_text(wanted(), encoding="utf-8")


def is_current() -> bool:
    """Whether ``.venv`` was last synced to exactly this lock, project, folder and Python."""
    try:
        return STAMP.read_text(encoding="utf-8") == wanted() and program(VENV, "python").exists()
    except OSError:
        return False


def wanted() -> str:
    """A digest of all that a set-up depends on."""
    digest = hashlib.sha256(f"uv {UV}\n{ROOT}\n".encode())
    for name in ("uv.lock", "pyproject.toml"):
        digest.update(hashlib.sha256((ROOT / name).read_bytes()).digest())
    return digest.hexdigest()


def require_python() -> None:
    """Stop with a way out when this Python cannot make the environment."""
    if sys.version_info[:2] not in PYTHONS:
        for major, minor in reversed(PYTHONS):
            other = shutil.which(f"python{major}.{minor}")
            if other:
                raise SystemExit(subprocess.call([other, *sys.argv]))
        stop(
            f"Steward needs Python 3.11, 3.12 or 3.13, and this is {sys.version.split()[0]}. "
            "Install one of them, or name it: make PYTHON=/path/to/python3.12 demo"
        )
    if importlib.util.find_spec("ensurepip") is None:
        stop(
            "This Python cannot make virtual environments (it has no ensurepip). "
            "On Debian or Ubuntu: apt install python3-venv; then try again."
        )


def environment(given: Mapping[str, str]) -> dict[str, str]:
    """The environment for pip and uv: their targets are ours; caches move into ``.boot`` when home cannot hold them."""
    env = {key: value for key, value in given.items() if key not in {"VIRTUAL_ENV", "PYTHONHOME", "PYTHONPATH"}}
    env["UV_PROJECT_ENVIRONMENT"] = str(VENV)
    env["PIP_DISABLE_PIP_VERSION_CHECK"] = "1"
    if not can_cache(env):
        env.setdefault("UV_CACHE_DIR", str(BOOT / "cache" / "uv"))
        env.setdefault("PIP_CACHE_DIR", str(BOOT / "cache" / "pip"))
    return env


def can_cache(env: Mapping[str, str]) -> bool:
    """Whether the user's cache folder is there, or can be made."""
    home = env.get("HOME") or env.get("USERPROFILE") or ""
    cache = env.get("XDG_CACHE_HOME") or f"{home}/.cache"
    if not home or not Path(home).is_dir():  # it is not ours to make
        return False
    try:
        Path(cache).mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(cache, os.W_OK)


def install_uv(env: Mapping[str, str]) -> None:
    """Put the pinned uv into ``.boot``; it cannot live in ``.venv``, which it keeps free of everything unlocked."""
    uv = program(BOOT, "uv")
    if uv.exists() and subprocess.run([uv, "--version"], capture_output=True, text=True, check=False).stdout.startswith(
        f"uv {UV} "
    ):
        return
    print(f"steward: installing uv {UV} into .boot (once)", flush=True)
    call([sys.executable, "-m", "venv", "--clear", str(BOOT)], env)
    call([str(program(BOOT, "python")), "-m", "pip", "install", "--quiet", f"uv=={UV}"], env)


def base_python() -> str:
    """The Python under whatever environment is active now."""
    return getattr(sys, "_base_executable", None) or sys.executable


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Hold the set-up lock; the system frees it if we die. Waits for another set-up in this folder."""
    with LOCK.open("a+b") as held:
        if sys.platform == "win32":
            import msvcrt  # noqa: PLC0415  (Windows only)

            while True:
                try:
                    msvcrt.locking(held.fileno(), msvcrt.LK_LOCK, 1)
                    break
                except OSError:  # it gives up after ten seconds
                    continue
        else:
            import fcntl  # noqa: PLC0415  (not on Windows)

            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                print("steward: waiting for another set-up in this folder", flush=True)
                fcntl.flock(held, fcntl.LOCK_EX)
        yield


def program(venv: Path, name: str) -> Path:
    """Where an environment keeps a program."""
    return venv / "Scripts" / f"{name}.exe" if os.name == "nt" else venv / "bin" / name


def call(command: list[str], env: Mapping[str, str]) -> None:
    """Run one part of the set-up; stop with a sentence if it fails (its own words stand above)."""
    if subprocess.call(command, cwd=ROOT, env=dict(env)) != 0:
        stop(failed_at(command))


def failed_at(command: list[str]) -> str:
    """The sentence for a part of the set-up that failed."""
    return f"The set-up failed at: {' '.join(command)}. Check the network (or your proxy) and run the same again."


def run(venv: Path, name: str, *args: str) -> int:
    """Become the program, so that signals and the exit status are its own; on Windows, wait for it."""
    command = [str(program(venv, name)), *args]
    os.chdir(ROOT)
    if os.name != "nt":
        os.execv(command[0], command)  # noqa: S606  (no shell wanted)
    return subprocess.call(command)


def stop(sentence: str) -> None:
    """End with a sentence and a failure."""
    raise SystemExit(f"steward: {sentence}")


if __name__ == "__main__":
    sys.exit(main())
