"""The installation's secrets for callback addresses and for events: the settings, or random bytes made once and kept."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path

from governance.addresses import Addresses
from governance.errors import InvalidSettings
from governance.signatures import Signatures, random_secret, read_secrets
from runtime.settings import Settings


def addresses(settings: Settings) -> Addresses:
    """Where this installation's deferred steps take their answers."""
    secret = settings.callback_secret
    kept = secret.get_secret_value() if secret else _kept(settings.state / "callback.secret", _random_text)
    host = f"[{settings.serve_host}]" if ":" in settings.serve_host else settings.serve_host
    return Addresses(kept.encode(), settings.callback_url or f"http://{host}:{settings.serve_port}/callbacks")


def signatures(settings: Settings) -> Signatures:
    """By which secrets events are signed that come through the door.

    Raises:
        InvalidSettings: the setting is no secret.

    """
    given = settings.event_secret
    text = given.get_secret_value() if given else _kept(settings.state / "event.secret", random_secret)
    try:
        known = read_secrets(text)
    except ValueError as error:
        raise InvalidSettings(f"STEWARD_EVENT_SECRET cannot be used: {error}.") from error
    if not known:
        raise InvalidSettings("STEWARD_EVENT_SECRET is empty.", hint="Leave it out to have one made")
    return Signatures(known)


def _random_text() -> str:
    return secrets.token_urlsafe(48)


def _kept(file: Path, make: Callable[[], str]) -> str:
    """The text of a file that only we may read; made when it is not there, whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    if not file.exists():
        fresh = file.with_name(f"{file.name}.{os.getpid()}")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as opened:
            opened.write(make() + "\n")
        try:
            os.link(fresh, file)  # fails where another process was first: theirs counts
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    return file.read_text(encoding="utf-8").strip()
