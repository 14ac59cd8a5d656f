"""What the documents need to run."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.conftest import DatabaseUrls
from tests.house.docs_blocks import Session


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Session:
    """Where blocks run: an empty folder with a state of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STEWARD_STATE", str(tmp_path / "state"))
    return Session(folder=tmp_path, env=dict(os.environ))


@pytest.fixture
def reader(session: Session, home: Path, database_urls: DatabaseUrls, monkeypatch: pytest.MonkeyPatch) -> Session:
    """What a reader of the documents has: the company runs, and there is a database. Both are in the settings."""
    monkeypatch.setenv("STEWARD_HOME", str(home))
    monkeypatch.setenv("STEWARD_DATABASE_URL", database_urls.app_url)
    monkeypatch.setenv("STEWARD_DATABASE_OWNER_URL", database_urls.owner_url)
    session.env = dict(os.environ)
    return session
