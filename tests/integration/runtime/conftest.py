"""One sandbox for the folder's tests, emptied before each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fixtures.company import home_of
from tests.sandbox.running import Company


@pytest.fixture(scope="session")
def running_company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    """The sandbox program."""
    company = Company(tmp_path_factory.mktemp("company"))
    yield company
    company.end()


@pytest.fixture
def company(running_company: Company) -> Company:
    """The sandbox as on its first day, without faults."""
    running_company["control"].post("/reset").raise_for_status()
    running_company["control"].delete("/faults")
    return running_company


@pytest.fixture
def home(company: Company, tmp_path: Path) -> Path:
    """A STEWARD_HOME that knows where the sandbox's systems are."""
    return home_of(company, tmp_path / "home")
