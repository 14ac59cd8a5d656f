"""The installation's secret for callback addresses: the setting, or random bytes made once and kept."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from governance.addresses import Addresses
from runtime.settings import Settings


def addresses(settings: Settings) -> Addresses:
    """Where this installation's deferred steps take their answers."""
    secret = settings.callback_secret
    kept = secret.get_secret_value() if secret else _kept(settings.state / "callback.secret")
    host = f"[{settings.serve_host}]" if ":" in settings.serve_host else settings.serve_host
    return Addresses(kept.encode(), settings.callback_url or f"http://{host}:{settings.serve_port}/callbacks")


def _kept(file: Path) -> str:
    """The text of a file that only we may read; made when it is not there, whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    if not file.exists():
        fresh = file.with_name(f"{file.name}.{os.getpid()}")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as opened:
            opened.write(secrets.token_urlsafe(48) + "\n")
        try:
            os.link(fresh, file)  # fails where another process was first: theirs counts
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    return file.read_text(encoding="utf-8").strip()
