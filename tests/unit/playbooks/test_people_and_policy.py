"""people.yaml and policy.yaml: the demo's, and what is wrong with broken ones."""

from pathlib import Path

import pytest

from governance.effects import EffectClass
from governance.errors import InvalidSettings
from governance.policy import Policy, RulingKind, StepFacts
from playbooks.check import check_policy
from playbooks.company import load_company
from playbooks.people import DEMO, load_people, read_people
from playbooks.policy import load_policy, read_policy


def test_the_demo_has_its_five_people_and_their_roles() -> None:
    """Who may decide what in the demo."""
    directory = load_people()
    roles = {person.name: sorted(person.roles) for person in directory.everyone()}
    assert roles == {
        "Alan Turing": ["it"],
        "Annie Easley": ["facilities", "security"],
        "Grace Hopper": ["manager"],
        "Katherine Johnson": ["hr"],
        "Mary Jackson": ["finance"],
    }


def test_people_are_found_in_any_case_and_know_their_managers() -> None:
    """An address is one person, however it is typed; the top has no manager."""
    directory = load_people()
    assert directory.find(" Mary.Jackson@ACME.example ") == directory.members_of("finance")[0]
    manager = directory.manager_of("KATHERINE.johnson@acme.example")
    assert manager is not None
    assert manager.name == "Grace Hopper"
    assert directory.manager_of("grace.hopper@acme.example") is None
    assert directory.delegate_of("grace.hopper@acme.example") is None
    assert directory.find("ada.lovelace@acme.example") is None


def test_nobody_in_the_demo_may_do_everything() -> None:
    """The permission ``*`` is given to no one."""
    assert all("*" not in person.permissions for person in load_people().everyone())


def test_every_problem_of_people_yaml_is_named(tmp_path: Path) -> None:
    """Unknown managers with the nearest name, doubles in another case, own managers, wrong fields."""
    path = tmp_path / "people.yaml"
    path.write_text(
        "people:\n"
        "  ada@acme.example: {name: Ada, manager: grace@acme.exampel}\n"
        "  grace@acme.example: {name: Grace, manager: Grace@acme.example}\n"
        "  GRACE@acme.example: {name: Grace}\n"
        "  nobody: {name: Nobody}\n"
        "  alan@acme.example: {nam: Alan}\n"
        "  mary@acme.example: {name: Mary, delegate: who@acme.example}\n"
    )
    with pytest.raises(InvalidSettings) as caught:
        load_people(tmp_path)
    found = {finding.place.partition(": ")[2]: finding for finding in caught.value.findings}
    assert set(found) == {
        "people.ada@acme.example.manager",
        "people.grace@acme.example.manager",
        "people.GRACE@acme.example",
        "people.nobody",
        "people.alan@acme.example.name",
        "people.alan@acme.example.nam",
        "people.mary@acme.example.delegate",
    }
    assert found["people.ada@acme.example.manager"].fix == "did you mean grace@acme.example?"


def test_the_demo_file_has_no_findings() -> None:
    """What ships is right."""
    assert read_people(DEMO)[1] == []


def _ruled(**facts: object) -> tuple[RulingKind, str]:
    known = {"step": "s", "tool": "x.y@1", "system": "x", "effect": EffectClass.NATURAL_KEY.value, "reversible": True}
    kind, rule = Policy(load_policy()).rule(StepFacts(**{"confidence": 0.9, **known, **facts}))  # type: ignore[arg-type]  # facts by name
    return kind, rule.name if rule else ""


@pytest.mark.parametrize(
    ("facts", "ruling"),
    [
        ({"effect": "read"}, (RulingKind.GO, "reads-go")),
        ({}, (RulingKind.GO, "reversible-goes")),
        ({"system": "mail", "effect": "unsafe", "reversible": False}, (RulingKind.GO, "mail-to-staff-goes")),
        ({"system": "payroll", "amount": 30_000}, (RulingKind.GO, "reversible-goes")),
        ({"system": "payroll", "amount": 30_001}, (RulingKind.GATE, "salary-needs-finance")),
        ({"system": "payroll", "amount_known": False}, (RulingKind.GATE, "salary-needs-finance")),
        ({"system": "expenses", "amount": 500}, (RulingKind.GO, "reversible-goes")),
        ({"system": "expenses", "amount": 2_000}, (RulingKind.GATE, "expense-limit-needs-finance")),
        ({"system": "security", "tool": "security.issue_badge@1"}, (RulingKind.GATE, "badge-needs-security")),
        ({"system": "security", "tool": "security.revoke_badge@1"}, (RulingKind.GO, "reversible-goes")),
        ({"reversible": False}, (RulingKind.GATE, "irreversible-needs-a-person")),
        ({"confidence": 0.6}, (RulingKind.GATE, "doubt-needs-a-person")),
        (
            {"tainted": frozenset({"a"}), "sensitive": frozenset({"a"})},
            (RulingKind.GATE, "untrusted-needs-a-person"),
        ),
    ],
)
def test_what_the_shipped_policy_says(facts: dict[str, object], ruling: tuple[RulingKind, str]) -> None:
    """Frequent, low-stakes and reversible work goes; money, doors, doubt and what cannot be taken back are asked."""
    assert _ruled(**facts) == ruling


def test_every_approver_of_the_shipped_policy_is_known() -> None:
    """Each role that gates has somebody in the demo."""
    company = load_company()
    assert check_policy(company.policy, company.directory) == ()


def test_every_problem_of_policy_yaml_is_named(tmp_path: Path) -> None:
    """Unknown verbs, ill-formed conditions, gates without approvers, names used twice."""
    path = tmp_path / "policy.yaml"
    path.write_text(
        "rules:\n"
        "  - {name: a, then: perhaps, because: x}\n"
        "  - {name: b, then: go, because: x, when: {$like: [1, 2]}}\n"
        "  - {name: b, then: gate, because: x}\n"
    )
    _, findings = read_policy(path)
    assert [(finding.code, finding.place.partition(": ")[2]) for finding in findings] == [
        ("file-does-not-fit", "rules.0.then"),
        ("condition-form", "rules.1.when"),
        ("policy-no-approver", "rules.2.approvers"),
        ("policy-form", "rules.2.name"),
    ]


def test_a_companys_policy_replaces_ours(tmp_path: Path) -> None:
    """Otherwise a company could never loosen what we ship; approvers must be in its own people file."""
    (tmp_path / "policy.yaml").write_text("rules: [{name: ask, then: gate, because: x, approvers: [boss]}]")
    with pytest.raises(InvalidSettings) as caught:
        load_company(tmp_path)
    assert [finding.code for finding in caught.value.findings] == ["approver-unknown"]
    (tmp_path / "people.yaml").write_text("people: {b@acme.example: {name: B, roles: [boss]}}")
    assert [rule.name for rule in load_company(tmp_path).policy] == ["ask"]
