"""Whatever is handed over: one clear sentence, the right exit status, never a stack trace."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.acceptance.terminal import KATHERINE, ROOT, Here, Steward

WRONG = b'{"first_name": 3, "manager": "x", "start_date": "soon", "colour": "red"}'


def test_an_invalid_request_says_every_problem_at_once(alone: Steward) -> None:
    """By field, before any database is asked for."""
    said = alone("run", "onboarding", "--request", "-", by=KATHERINE, given=WRONG)
    assert said.status == 2
    assert said.out == ""
    for field in ("first_name", "last_name", "job_title", "department", "start_date", "manager", "colour"):
        assert f"  request.{field}: " in said.err


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("absent.json", None, "absent.json cannot be read: No such file or directory."),
        ("empty.json", b"", "empty.json is empty."),
        ("photo.json", b"\x89PNG\x00\xff\xfe", "photo.json is not text in UTF-8 (byte 0)."),
        ("half.json", b'{"first_name": "Ada', "half.json is not JSON: "),
        ("list.json", b"[1, 2]", "list.json holds no object."),
        ("huge.json", b"x" * 1_000_001, "huge.json is larger than 1,000,000 bytes"),
    ],
)
def test_a_file_that_is_no_request(here: Here, name: str, content: bytes | None, sentence: str) -> None:
    """The sentence names the file and what is wrong with it."""
    if content is not None:
        Path(name).write_bytes(content)
    said = here("plan", "onboarding", "--request", name)
    assert said.status == 2
    assert sentence in said.err


@pytest.mark.parametrize(
    ("words", "status", "sentence"),
    [
        (("worker", "--processes", "many"), 2, "--processes takes a number up to 1000 or auto, not many."),
        (("worker", "--processes", "-1"), 2, "not -1."),
        (("worker", "--lifeline", "9999"), 2, "9999 is no lifeline."),
        (("plan", "onbording", "--text", "x"), 2, "Did you mean onboarding?"),
        (("plan", "onboarding", "--text", " "), 2, "The text is empty."),
        (("plan", "onboarding", "--text", "x" * 20_001), 2, "The text has 20,001 characters"),
        (("plan", "onboarding", "--text", "onboard Ada Lovelace"), 2, "request.job_title: What is the job title?"),
        (("plan", "onboarding", "--text", "sing me a song"), 2, "The text was not understood."),
        (("plan", "onboarding", "--text", "Offboard Ada Lovelace"), 2, "That reads like offboarding"),
        (("plan", "onboarding"), 2, "--request FILE or as --text"),
        (("plan", "onboarding", "--text", "x", "--by", "mary.jakson@acme.example"), 2, "Did you mean mary.jackson@"),
        (("plan", "onboarding", "--text", "x", "--by", "linus@acme.example"), 2, "`steward people` lists who is known"),
        (("plan", "onboarding", "--text", "x", "--by", ""), 2, "Give --by EMAIL or set STEWARD_USER"),
        (("tool", "payroll.create"), 2, "Did you mean payroll.create_employee?"),
        (("runs", "--status", "lost"), 2, "not one of 'queued'"),
        (("reject", "rv-1"), 2, "Rejecting needs a reason."),
        (("edit", "rv-1", "--set", "site", "--reason", "x"), 2, "--set takes name=value, not site."),
        (("answer", "rv-1", "perhaps"), 2, "It is one of happened, did-not-happen, resume, undo, close, or --set"),
        (("audit", "verify", "./absent.ndjson"), 2, "absent.ndjson cannot be read"),
        (("fly",), 2, "No such command 'fly'"),
    ],
)
def test_words_that_cannot_be_used(here: Here, words: tuple[str, ...], status: int, sentence: str) -> None:
    """A sentence, and where there is one, the way out."""
    said = here(*words)
    assert said.status == status
    assert sentence in " ".join(said.err.replace("│", " ").split())


def test_a_setting_that_cannot_be_used_is_named(here: Here) -> None:
    """By its variable."""
    said = here("runs", settings={"STEWARD_WORKER_SLOTS": "many"})
    assert said.status == 2
    assert "STEWARD_WORKER_SLOTS" in said.err


def test_an_unreachable_database_is_said(alone: Steward, ada: str) -> None:
    """Status 4: try again later."""
    said = alone("run", "onboarding", "--request", ada, by=KATHERINE)
    assert said.status == 4
    assert "does not answer" in said.err


def test_an_error_nobody_foresaw_is_kept_and_not_shown(alone: Steward, tmp_path: Path) -> None:
    """One sentence with the file that holds the trace."""
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "sitecustomize.py").write_text(
        "import surfaces.cli.shapes as shapes\nshapes.people_shape = lambda people: 1 / 0\n", encoding="utf-8"
    )
    said = alone("people", "--json", more={"PYTHONPATH": f"{tmp_path / 'broken'}:{ROOT}"})
    assert said.status == 1
    assert "did not foresee" in said.err
    kept = list((tmp_path / "state" / "logs").glob("error-*.log"))
    assert "ZeroDivisionError" in kept[0].read_text(encoding="utf-8")
    assert str(kept[0]) in said.err
