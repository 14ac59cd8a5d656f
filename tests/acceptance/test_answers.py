"""What people see of their own words: edits, answers of the wrong kind, a cancel that leaves something standing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.acceptance.terminal import ADA, ANNIE, KATHERINE, MARY, Here, Steward


@pytest.fixture
def joan(tmp_path: Path) -> str:
    """A request of these tests' own, as the company is shared with tests that count what is new for Ada."""
    path = tmp_path / "joan.json"
    path.write_text(json.dumps(ADA | {"first_name": "Joan", "last_name": "Clarke"}), encoding="utf-8")
    return str(path)


def test_an_edit_shows_what_it_changed(steward: Steward, here: Here, joan: str) -> None:
    """In the answer, in the list of reviews, and in the run: its timeline, with a sign of its own, and its arguments."""
    begun = steward("run", "onboarding", "--request", joan, "--json", by=KATHERINE)
    run = begun.json["row"]["id"]
    card = next(review["card"] for review in begun.json["reviews"] if review["card"]["step"] == "employee")
    before = card["args"]["annual_salary"]
    change = f"annual_salary {before} → 61000"

    other_kind = here("answer", card["id"], "close", by=MARY, settings=steward.settings)
    assert other_kind.status == 2
    assert f"`steward approve {card['id']} --by {MARY}`" in other_kind.err

    words = ("edit", card["id"], "--set", "annual_salary=61000", "--reason", "as agreed")
    edited = here(*words, "--no-wait", by=MARY, settings=steward.settings)
    assert edited.status == 0, edited
    assert change in edited.out
    assert "A worker takes it up" in edited.out
    assert "no worker has it yet" in here("show", run, settings=steward.settings).out
    other = next(review["card"] for review in begun.json["reviews"] if review["card"]["step"] == "badge")
    ended = steward("approve", other["id"], by=other["approvers"][0])
    assert ended.status == 0, ended
    shown = here("show", run, settings=steward.settings).out
    assert f"✎ employee: Mary Jackson edits {change}: as agreed" in " ".join(shown.split())
    assert "annual_salary 61000" in shown.partition("Called with")[2].partition("Timeline")[0]
    listed = here("reviews", "--run", run, "--all", settings=steward.settings).out
    assert "61000" in listed


def test_a_cancel_after_effects_says_what_it_takes_back_and_does(steward: Steward, here: Here, joan: str) -> None:
    """Before, the list; meanwhile, each undo; after, the steps that took back. Then the run has ended and can be erased."""
    begun = steward("run", "onboarding", "--request", joan, "--json", by=KATHERINE)
    run = begun.json["row"]["id"]
    cancelled = here("cancel", run, "--reason", "a mistake", settings=steward.settings)
    assert cancelled.status == 0, cancelled
    assert "What was done is taken back, newest first" in cancelled.out
    assert "training.withdraw@1" in cancelled.out
    assert "undo:desk: taken back" in cancelled.out
    assert "effects are taken back." in " ".join(cancelled.out.split())
    shown = here("show", run[:13], settings=steward.settings).out
    assert "cancelled" in shown
    assert "desk is taken back" in shown
    assert "Undo list" not in shown
    erased = here("erase", run, "--reason", "she asked us to", settings=steward.settings)
    assert erased.status == 0, erased
    assert "That is final." in erased.out


def test_a_parked_run_names_its_ways_out(steward: Steward, here: Here, joan: str) -> None:
    """`erase` names how to end it; the wrong kind of answer hears the right ones; a closed run still shows its undo list."""
    begun = steward("run", "onboarding", "--request", joan, "--json", by=KATHERINE)
    run = begun.json["row"]["id"]
    badge = next(review["card"]["id"] for review in begun.json["reviews"] if review["card"]["step"] == "badge")
    parked = here("reject", badge, "--reason", "no", by=ANNIE, settings=steward.settings)
    way = next(line for line in parked.out.splitlines() if line.startswith("To take back what was done"))
    review = way.partition("answer ")[2].split()[0]
    assert f"steward answer {review} undo" in way

    refused = here("erase", run, "--reason", "she asked us to", settings=steward.settings)
    assert refused.status == 3
    assert f"steward answer {review} close" in refused.err
    approved = here("approve", review, settings=steward.settings)
    assert approved.status == 2
    assert f"`steward answer {review} undo" in approved.err

    closed = here("answer", review, "close", "--reason", "a mistake", settings=steward.settings)
    assert closed.status == 0, closed
    for said in (closed, here("show", run[:13], settings=steward.settings)):
        assert "closed" in said.out
        assert "What was done stands; this would take it back" in said.out
        assert "training.withdraw" in said.out


def test_an_ambiguous_beginning_names_the_runs(steward: Steward, here: Here, joan: str) -> None:
    """With title and time, so that one can choose."""
    words = ("run", "onboarding", "--request", joan, "--no-wait", "--json")
    runs = [here(*words, settings=steward.settings).json["row"]["id"] for _ in range(2)]
    said = here("show", runs[0][:4], settings=steward.settings)
    assert said.status == 2
    for run in runs:
        assert f"  {run}: Onboard Joan Clarke" in said.err
        here("cancel", run, "--reason", "only a test", settings=steward.settings)


def test_a_file_without_a_journal_does_not_verify(here: Here) -> None:
    """An empty file proves nothing."""
    Path("empty.ndjson").touch()
    said = here("audit", "verify", "empty.ndjson")
    assert said.status == 1
    assert "holds no journal" in said.err
