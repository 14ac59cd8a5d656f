"""`steward decisions`: of a run on the screen, as JSON and as a page; of all runs as lines; and what is no answer."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from tests.acceptance.terminal import ADA, KATHERINE, MARY, ROOT, Here, Steward

SCHEMA = json.loads((ROOT / "docs" / "reference" / "decision.schema.json").read_text(encoding="utf-8"))


@pytest.fixture
def mary_refused(steward: Steward, tmp_path: Path) -> str:
    """A run whose salary Mary Jackson has refused."""
    path = tmp_path / "hedy.json"
    path.write_text(json.dumps(ADA | {"first_name": "Hedy", "last_name": "Lamarr"}), encoding="utf-8")
    begun = steward("run", "onboarding", "--request", str(path), "--json", by=KATHERINE)
    card = next(review["card"] for review in begun.json["reviews"] if review["card"]["step"] == "employee")
    refused = steward("reject", card["id"], "--reason", "budget is used up", by=MARY)
    assert refused.status == 0, refused
    return str(begun.json["row"]["id"])


def test_the_decisions_of_a_run_in_every_form(steward: Steward, here: Here, mary_refused: str, tmp_path: Path) -> None:
    """Screen, JSON, page and export say the same; the export holds to its schema and says on stderr how many."""
    run, settings = mary_refused, steward.settings
    shown = steward("decisions", run, more={"COLUMNS": "80"})
    assert shown.status == 0, shown
    assert "gate by the rule salary-needs-finance" in shown.out
    assert "reject by Mary Jackson" in shown.out
    assert "budget is used up" in shown.out
    assert "No model was asked" in shown.out
    assert "The journal that says so holds" in shown.out
    told = here("decisions", "--json", run[:18], settings=settings).json
    assert told["verified"]["ok"]
    verdict = next(each for each in told["decisions"] if each["kind"] == "verdict")
    assert (verdict["decider"], verdict["reasoning"]) == (f"person:{MARY}", "budget is used up")

    page = tmp_path / "page.html"
    assert here("decisions", run, "--html", str(page), settings=settings).status == 0
    html = page.read_text(encoding="utf-8")
    assert html.count("data-decision=") == len(told["decisions"])
    assert "Mary Jackson" in html
    assert "<script" not in html
    again = here("decisions", run, "--html", str(page), settings=settings)
    assert (again.status, "is there already" in again.err) == (2, True)

    out = here("decisions", "export", "--playbook", "onboarding", settings=settings)
    lines = [json.loads(line) for line in out.out.splitlines()]
    assert f"{len(lines)} decisions written to stdout." in out.err
    assert [line for line in lines if line["run_id"] == run] == told["decisions"]
    for line in lines:
        Draft202012Validator(SCHEMA).validate(line)
    some = here("decisions", "export", "--kind", "verdict", "--since", verdict["at"], settings=settings)
    assert {json.loads(line)["kind"] for line in some.out.splitlines()} == {"verdict"}
    here("cancel", run, "--reason", "only a test", settings=settings)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("decisions", "00000000-0000"), "There is no run"),
        (("decisions", "export", "--since", "soon"), "--since soon is no moment."),
        (("decisions", "export", "--since", "2027-02-01", "--until", "2027-01-01"), "--since is not before --until."),
        (("decisions", "export", "--kind", "guess"), "'guess' is not one of"),
    ],
)
def test_what_cannot_be_answered_is_said(words: tuple[str, ...], says: str, steward: Steward, here: Here) -> None:
    """One sentence, a way out, and status 2."""
    said = here(*words, settings=steward.settings)
    assert said.status == 2
    assert says in said.err


def test_an_export_of_a_playbook_that_nobody_knows_is_empty_and_says_so(steward: Steward, here: Here) -> None:
    """No decision, and a hint at the name: a playbook may have gone, so it is no error."""
    said = here("decisions", "export", "--playbook", "onbording", settings=steward.settings)
    assert (said.status, said.out) == (0, "")
    assert "0 decisions written to stdout." in said.err
    assert "No playbook here is called onbording" in said.err
