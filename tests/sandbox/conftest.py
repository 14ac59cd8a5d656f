"""One running company for all tests of this folder; it is reset before each test."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.sandbox.running import Company


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    """The program, started once."""
    company = Company(tmp_path_factory.mktemp("sandbox"))
    yield company
    assert company.end() == 0


@pytest.fixture
def acme(running: Company) -> Company:
    """The company as at its first start."""
    assert running["control"].post("/reset").status_code == 200
    return running


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[], Company]]:
    """Start a company of the test's own, on the same state each time; none outlives the test."""
    started: list[Company] = []

    def begin() -> Company:
        started.append(Company(tmp_path))
        return started[-1]

    yield begin
    for company in started:
        company.end(kill=True)
