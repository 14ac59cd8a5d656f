"""What a company's files say, all at once: playbooks, policy and people of ``STEWARD_HOME``, or ours."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from governance.errors import InvalidSettings
from governance.findings import Finding
from governance.policy import PolicyRule
from playbooks.check import check_policy
from playbooks.loader import read_playbooks
from playbooks.model import Playbook
from playbooks.people import PeopleDirectory, people_file, read_people
from playbooks.policy import policy_file, read_policy


@dataclass(frozen=True)
class Company:
    """Everything that a company's files hold, loaded and well formed."""

    playbooks: tuple[Playbook, ...]
    policy: tuple[PolicyRule, ...]
    directory: PeopleDirectory


def load_company(home: Path | None = None) -> Company:
    """Load all files.

    Raises:
        InvalidSettings: ``home`` is no folder, or with the findings of all files together.

    """
    if home is not None and not home.is_dir():
        raise InvalidSettings(
            f"STEWARD_HOME names {home}, which is not a folder", hint="make it, or unset STEWARD_HOME"
        )
    company, findings = read_company(home)
    if findings:
        count = len(findings)
        raise InvalidSettings(
            f"{count} problem{'s' if count > 1 else ''} in the company's files",
            hint="mend the places named, then run `steward playbook check`",
            findings=findings,
        )
    return company


def read_company(home: Path | None = None) -> tuple[Company, list[Finding]]:
    """What could be loaded and everything that is wrong."""
    playbooks, findings = read_playbooks(home)
    rules, of_policy = read_policy(policy_file(home))
    directory, of_people = read_people(people_file(home))
    findings = [*findings, *of_policy, *of_people]
    if not of_people and not of_policy:
        findings.extend(check_policy(rules, directory, str(policy_file(home))))
    return Company(playbooks=playbooks, policy=rules, directory=directory), findings
