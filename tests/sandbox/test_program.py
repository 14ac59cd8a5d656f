"""The program itself: start, kill and start again, stop, and clear errors."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.sandbox.creates import BY_SYSTEM, CREATES
from tests.sandbox.running import ROOT, Company


def test_a_killed_company_comes_back_with_all_it_had(start: Callable[[], Company]) -> None:
    """After SIGKILL: records, effects, keys, ordered faults, clock and settings are there."""
    company = start()
    for create in CREATES:
        create.send(company, **{"Idempotency-Key": "k1"})
    company.order_fault(system="mail", kind="error_before", times=3)
    company["control"].put("/settings", json={"facilities_lag_seconds": 1})
    company.advance(3_600)
    effects = company["control"].get("/effects").json()["effects"]
    records = company["control"].get("/records").json()
    company.end(kill=True)

    company = start()
    assert company["control"].get("/effects").json()["effects"] == effects
    assert company["control"].get("/records").json() == records
    assert company["control"].get("/faults").json()["faults"][0]["left"] == 3
    assert company["control"].get("/settings").json()["facilities_lag_seconds"] == 1
    replayed = BY_SYSTEM["payroll"].send(company, **{"Idempotency-Key": "k1"})
    assert replayed.headers["Idempotent-Replay"] == "true"
    assert BY_SYSTEM["expenses"].send(company, **{"Idempotency-Key": "k1"}).status_code == 201
    assert company.effect_count("payroll") == 1
    assert company.effect_count("expenses") == 2, "the hour that the clock was moved on outlasts the restart"


def test_it_starts_within_three_seconds_and_stops_cleanly_while_a_call_hangs(start: Callable[[], Company]) -> None:
    """One table on start, then quiet; SIGINT ends it with status 0 and not a word more."""
    began = time.monotonic()
    company = start()
    assert time.monotonic() - began < 3
    for system, port in company.ports.items():
        assert f"http://127.0.0.1:{port}" in company.table
        assert system in company.table
    company.order_fault(system="payroll", kind="hang_after", seconds=60)
    with ThreadPoolExecutor(1) as pool:
        hanging = pool.submit(BY_SYSTEM["payroll"].send, company)
        with httpx.Client() as client:
            # each turn is a whole request: the first one that sees the effect ends it
            while not client.get(f"{company.url('control')}/effects").json()["effects"]:
                pass
        company.process.send_signal(signal.SIGINT)
        rest, _ = company.process.communicate(timeout=5)
        with pytest.raises(httpx.RemoteProtocolError):
            hanging.result(timeout=5)
    assert (company.process.returncode, rest) == (0, "")


def test_a_port_in_use_is_one_clear_sentence(acme: Company, tmp_path: Path) -> None:
    """It names the port and the way out, and ends with status 1."""
    command = [sys.executable, "-m", "sandbox", "--base-port", str(acme.ports["control"]), "--state", str(tmp_path)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=10, check=False)
    assert ended.returncode == 1
    assert ended.stderr.count("\n") == 1
    assert f"port {acme.ports['control']} for control is not free" in ended.stderr
    assert "--base-port" in ended.stderr


def test_a_state_folder_that_is_a_file_is_one_clear_sentence(tmp_path: Path) -> None:
    """No stack trace."""
    (tmp_path / "state").write_text("not a folder")
    command = [sys.executable, "-m", "sandbox", "--base-port", "0", "--state", str(tmp_path / "state")]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=10, check=False)
    assert ended.returncode == 1
    assert ended.stderr.count("\n") == 1
    assert "The sandbox cannot start" in ended.stderr


def test_a_second_sandbox_on_the_same_state_is_one_clear_sentence(running: Company) -> None:
    """The first goes on undisturbed."""
    state = str(running.folder / "state")
    command = [sys.executable, "-m", "sandbox", "--base-port", "0", "--state", state]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=10, check=False)
    assert ended.returncode == 1
    assert "another sandbox" in ended.stderr
    assert ended.stderr.count("\n") == 1
    assert running["control"].get("/effects").status_code == 200
