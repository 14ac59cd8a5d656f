"""The secrets that the chat keeps for itself."""

from __future__ import annotations

import stat
from pathlib import Path

from runtime.settings import Settings
from surfaces.chat.keys import demo_password, demo_password_file, session_secret


def test_secrets_are_made_once_and_only_we_may_read_them(tmp_path: Path) -> None:
    """A second start finds the same; another installation has others."""
    settings, other = Settings(state=tmp_path / "one"), Settings(state=tmp_path / "two")
    for make in (session_secret, demo_password):
        assert make(settings) == make(settings)
        assert make(settings) != make(other)
    assert len(session_secret(settings)) >= 32
    files = [demo_password_file(settings), demo_password_file(settings).with_name("session.secret")]
    assert [stat.S_IMODE(file.stat().st_mode) for file in files] == [0o600, 0o600]


def test_settings_come_first(tmp_path: Path) -> None:
    """Then nothing is kept."""
    settings = Settings.model_validate({"state": tmp_path, "demo_password": "given", "chat_secret": "too"})
    assert (demo_password(settings), session_secret(settings)) == ("given", "too")
    assert not demo_password_file(settings).exists()
