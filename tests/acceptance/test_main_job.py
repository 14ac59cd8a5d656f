"""From a request to nine systems, every word of it another process."""

from __future__ import annotations

import json
from pathlib import Path

from tests.acceptance.terminal import ANNIE, KATHERINE, MARY, Here, Said, Steward


def _run_of(said: Said) -> str:
    found: str = said.json["row"]["id"]
    return found


def test_a_run_goes_from_a_request_to_a_verified_journal(
    steward: Steward, here: Here, ada: str, tmp_path: Path
) -> None:
    """Each command is a process; between them only the database knows the run. Nobody approves twice or their own."""
    begun = steward("run", "onboarding", "--request", ada, "--json", by=KATHERINE)
    assert begun.status == 0, begun
    assert begun.json["row"]["status"] == "waiting"
    assert "employee: waits for Mary Jackson" in begun.err  # the messages; stdout is the JSON value alone
    run = _run_of(begun)
    cards = {review["card"]["step"]: review["card"] for review in begun.json["reviews"]}
    assert {step: card["approvers"] for step, card in cards.items()} == {"employee": [MARY], "badge": [ANNIE]}
    done = {step["id"] for step in begun.json["steps"] if step["state"] == "done"}
    assert {"account", "desk", "security_training"} <= done, "what needs nobody does not wait for people"

    own = here("approve", cards["employee"]["id"], settings=steward.settings)
    assert own.status == 3
    assert "four eyes" in own.err

    first = steward("approve", cards["employee"]["id"], "--reason", "in the budget", "--no-wait", by=MARY)
    assert first.status == 0, first
    assert "Mary Jackson approves employee" in first.out
    late = ("reject", cards["employee"]["id"], "--reason", "on second thoughts")
    again = here(*late, by=MARY, settings=steward.settings)
    assert again.status == 3
    assert "already approved by Mary Jackson" in again.err

    second = steward("approve", cards["badge"]["id"], "--json", by=ANNIE)
    assert second.status == 0, second
    assert second.json["row"]["status"] == "done"
    assert {step["state"] for step in second.json["steps"]} == {"done"}
    assert all(decision["reasoning"] and decision["confidence"] for decision in second.json["decisions"])

    assert here("audit", "verify", run, settings=steward.settings).status == 0
    file = tmp_path / "ada.ndjson"
    assert here("audit", "export", run, "--out", str(file), settings=steward.settings).status == 0
    offline = {"STEWARD_DATABASE_URL": "postgresql://nobody@127.0.0.1:9/nothing"}
    assert steward("audit", "verify", str(file), more=offline).status == 0
    _tamper(file)
    broken = here("audit", "verify", str(file), "--json", settings=offline)
    assert broken.status == 1
    assert broken.json["broken"][0]["why"] == "the body is not the one that was sealed"


def test_a_text_is_understood_and_the_run_left_to_a_worker(steward: Steward, here: Here) -> None:
    """`--no-wait` only admits: another command finds the run queued, and any later one can work on it."""
    text = "Onboard Ada Byron as an accountant in Finance, starting 2027-03-01, manager mary.jackson@acme.example"
    begun = steward("run", "onboarding", "--text", text, "--no-wait", "--json", by=KATHERINE)
    assert begun.status == 0, begun
    assert begun.json["request"]["last_name"] == "Byron"
    assert begun.json["row"]["status"] == "queued"
    cancelled = here("cancel", _run_of(begun), "--reason", "a mistake", settings=steward.settings)
    assert cancelled.status == 0, cancelled
    assert "cancelled" in cancelled.out


def _tamper(file: Path) -> None:
    lines = file.read_text(encoding="utf-8").splitlines()
    record = json.loads(lines[0])
    record["body"] = record["body"].replace("Lovelace", "Byron")
    file.write_text("\n".join([json.dumps(record), *lines[1:]]), encoding="utf-8")
