"""Chainlit's own folder: a copy of ``site/`` under the state folder, since Chainlit writes where it reads."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from runtime.settings import Settings
from surfaces.chat.keys import session_secret

_SITE = Path(__file__).parent / "site"


def prepare(settings: Settings) -> Path:
    """Copy the site and point Chainlit at it. To be called before Chainlit is imported: it looks only once.

    Returns:
        The folder.

    """
    root = (settings.state / "chat" / "site").resolve()
    root.mkdir(parents=True, exist_ok=True)
    for part, place in {"public": "public", "chainlit": ".chainlit"}.items():
        shutil.copytree(_SITE / part, root / place, dirs_exist_ok=True)
    for readme in ("chainlit.md", "chainlit_en-US.md"):  # empty ones: there is no other way to have none
        (root / readme).write_text("", encoding="utf-8")
    os.environ["CHAINLIT_APP_ROOT"] = str(root)
    os.environ["CHAINLIT_AUTH_SECRET"] = session_secret(settings)
    os.environ["CHAINLIT_COOKIE_SAMESITE"] = "lax"
    os.environ["CHAINLIT_ENV_FILE"] = str(root / "no.env")  # a .env in the working folder is somebody else's
    os.environ["ANONYMIZED_TELEMETRY"] = "false"
    return root
