"""The control app: settings, counting, records, page, reset."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.sandbox.creates import BY_SYSTEM, CREATES, Create
from tests.sandbox.running import Company


@pytest.mark.parametrize("create", CREATES, ids=lambda create: create.system)
def test_a_full_rate_limit_is_a_429_with_retry_after(acme: Company, create: Create) -> None:
    """Past the limit nothing is applied; when the window is over calls work again."""
    system = create.system
    limits = {"limits": {system: {"requests": 2, "per_seconds": 60}}}
    create.send(acme)
    assert acme["control"].put("/settings", json=limits).status_code == 200
    answers = [create.send(acme) for _ in range(2)]
    before = acme.effect_count(system)
    answers.append(create.send(acme))
    assert [answer.status_code == 429 for answer in answers] == [False, False, True]
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 60
    assert "rate_limited" in answers[-1].text
    assert acme.effect_count(system) == before
    acme.advance(61)
    assert create.send(acme).status_code != 429


def test_settings_change_in_part_and_refuse_unknown_systems(acme: Company) -> None:
    """The lag and the key lifetimes can be set; what is not named stays."""
    control = acme["control"]
    changed = control.put("/settings", json={"facilities_lag_seconds": 0, "key_lifetime_seconds": {"security": 5}})
    lifetimes = {"payroll": 86_400, "security": 5, "expenses": 1_800, "procurement": 86_400, "billing": 86_400}
    assert changed.json()["key_lifetime_seconds"] == lifetimes
    BY_SYSTEM["facilities"].send(acme)
    assert len(BY_SYSTEM["facilities"].found(acme, "ours")) == 1
    wrongs: tuple[dict[str, Any], ...] = (
        {"limits": {"nowhere": {}}},
        {"key_lifetime_seconds": {"mail": 5}},
        {"colour": "red"},
    )
    for wrong in wrongs:
        assert control.put("/settings", json=wrong).status_code == 422


def test_concurrent_calls_with_one_key_apply_one_effect(acme: Company) -> None:
    """Thirty callers at once: one is served, the others get its answer."""
    create = BY_SYSTEM["payroll"]
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: create.send(acme, **{"Idempotency-Key": "k1"}), range(30)))
    assert {create.identifier(answer) for answer in answers} == {"E-00101"}
    assert acme.effect_count("payroll") == 1
    assert acme.outcomes("payroll") == {"201": 1, "replayed 201": 29}


def test_the_request_log_tells_newest_first(acme: Company) -> None:
    """Every call is there with operation, key and outcome, refused ones too."""
    BY_SYSTEM["payroll"].send(acme, **{"Idempotency-Key": "k1"})
    acme["payroll"].get("/employees/E-9999")
    requests = acme["control"].get("/requests?system=payroll").json()["requests"]
    assert [(row["operation"], row["outcome"], row["key"]) for row in requests] == [
        ("get_employee", "404", None),
        ("create_employee", "201", "k1"),
    ]


def test_records_show_what_every_system_holds(acme: Company) -> None:
    """By reference only ours; seeded ones are marked."""
    for create in CREATES:
        create.send(acme)
    ours = acme["control"].get("/records?reference=ours").json()["records"]
    assert {record["system"] for record in ours} == {create.system for create in CREATES if create.reference}
    assert not any(record["seeded"] for record in ours)
    payroll = acme["control"].get("/records?system=payroll").json()["records"]
    employees = {record["id"]: record["seeded"] for record in payroll if record["kind"] == "employee"}
    assert employees["E-0001"] is True
    assert employees["E-00101"] is False


def test_the_page_shows_effects_and_faults_and_escapes_them(acme: Company) -> None:
    """The page is HTML for people; what callers sent cannot become markup."""
    body = {**BY_SYSTEM["payroll"].body, "externalRef": "<script>alert(1)</script>"}
    acme["payroll"].post("/employees", json=body)
    acme.order_fault(system="mail", kind="drop_after")
    page = acme["control"].get("/")
    assert page.headers["Content-Type"].startswith("text/html")
    for text in ("create employee", "ada@acme.example", "E-00101", "drop after", "&lt;script&gt;"):
        assert text in page.text
    assert "<script>" not in page.text


def test_the_systems_are_listed_with_their_addresses(acme: Company) -> None:
    """Address, kind of authentication and key lifetime of all twelve."""
    listed = {row["system"]: row for row in acme["control"].get("/systems").json()["systems"]}
    assert set(listed) == {create.system for create in CREATES}
    assert listed["payroll"]["url"] == acme.url("payroll")
    assert (listed["security"]["auth"], listed["security"]["key_lifetime_seconds"]) == ("api_key", 60)


def test_a_reset_brings_the_first_day_back(acme: Company) -> None:
    """Records, effects, keys, faults, settings and clock are as at first start."""
    acme.order_fault(system="mail", kind="drop_after")
    acme["control"].put("/settings", json={"facilities_lag_seconds": 0})
    before = BY_SYSTEM["payroll"].send(acme, **{"Idempotency-Key": "k1"})
    assert acme["control"].post("/reset").json() == {"status": "reset"}
    assert acme["control"].get("/effects").json() == {"effects": [], "requests": []}
    assert acme["control"].get("/faults").json() == {"faults": []}
    assert acme["control"].get("/settings").json()["facilities_lag_seconds"] == 2
    again = BY_SYSTEM["payroll"].send(acme, **{"Idempotency-Key": "k1"})
    assert "Idempotent-Replay" not in again.headers
    assert BY_SYSTEM["payroll"].identifier(again) == BY_SYSTEM["payroll"].identifier(before)
