"""How many processes work: one, unless somebody says otherwise."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

import pytest
from pydantic import ValidationError

from runtime.settings import Settings
from surfaces.cli import services
from surfaces.cli.exits import Status
from tests.acceptance.terminal import Here


@pytest.mark.parametrize(("given", "count"), [(None, 1), ("3", 3), ("0", 0), ("auto", 0)])
def test_the_setting_is_a_number_or_auto(given: str | None, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """One is the default."""
    if given is not None:
        monkeypatch.setenv("STEWARD_WORKER_PROCESSES", given)
    assert Settings().worker_processes == count


@pytest.mark.parametrize("given", ["-1", "many", "1001", ""])
def test_anything_else_is_refused(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the start, by name."""
    monkeypatch.setenv("STEWARD_WORKER_PROCESSES", given)
    with pytest.raises(ValidationError, match="worker_processes"):
        Settings()


@pytest.mark.parametrize(
    ("words", "setting", "led"),
    [
        ((), "1", None),
        (("--processes", "1"), "4", None),
        ((), "4", 4),
        (("--processes", "2"), "1", 2),
        (("--processes", "auto"), "1", 0),
        (("--processes", "0"), "1", 0),
    ],
)
def test_one_works_itself_and_several_are_led(
    words: tuple[str, ...], setting: str, led: int | None, here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A single worker is a plain process, with nobody above it. What the command says goes before the setting."""
    asked: list[int | None] = []

    async def done() -> Status:
        return Status.OK

    def work(*_: Any, **__: Any) -> Coroutine[Any, Any, Status]:
        asked.append(None)
        return done()

    def lead(count: int) -> Coroutine[Any, Any, Status]:
        asked.append(count)
        return done()

    monkeypatch.setattr(services, "_work", work)
    monkeypatch.setattr(services, "_lead", lead)
    assert here("worker", *words, settings={"STEWARD_WORKER_PROCESSES": setting}).status == 0
    assert asked == [led]
