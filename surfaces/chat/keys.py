"""What the chat keeps for itself under the state folder: the secret that signs sessions, and the demo password."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path

from runtime.settings import Settings

_WORDS = ("amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "heron", "ivory", "jade", "lunar", "maple")


def session_secret(settings: Settings) -> str:
    """What signs log-in sessions: the setting, or 48 random bytes made once and kept."""
    if settings.chat_secret is not None:
        return settings.chat_secret.get_secret_value()
    return _kept(settings.state / "chat" / "session.secret", lambda: secrets.token_urlsafe(48))


def demo_password(settings: Settings) -> str:
    """The one password of the demo people: the setting, or words made once and kept."""
    if settings.demo_password is not None:
        return settings.demo_password.get_secret_value()
    return _kept(demo_password_file(settings), _words)


def demo_password_file(settings: Settings) -> Path:
    """Where the demo password is kept when it is not set."""
    return settings.state / "chat" / "demo.password"


def _words() -> str:
    return "-".join((*(secrets.choice(_WORDS) for _ in range(3)), str(secrets.randbelow(9000) + 1000)))


def _kept(file: Path, make: Callable[[], str]) -> str:
    """The text of a file that only we may read; made when it is not there."""
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return file.read_text(encoding="utf-8").strip()
    with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
        value = make()
        opened.write(value + "\n")
    return value
