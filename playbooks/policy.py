"""``policy.yaml``: the rules that bind every run of a company."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from governance.conditions import problems
from governance.errors import InvalidSettings
from governance.findings import Finding
from governance.policy import EARNED, PolicyRule, RulingKind
from playbooks.documents import misfits, place, read_document

SHIPPED_POLICY = Path(__file__).parent / "policy.yaml"


def load_policy(home: Path | None = None) -> tuple[PolicyRule, ...]:
    """The rules of ``home/policy.yaml``; without that file, ours. A company's file replaces ours, whole.

    Raises:
        InvalidSettings: with all findings.

    """
    rules, findings = read_policy(policy_file(home))
    if findings:
        raise InvalidSettings("policy.yaml cannot be used", hint="mend the places named", findings=findings)
    return rules


def policy_file(home: Path | None) -> Path:
    """The file that holds: a company's, if it has one."""
    own = home / "policy.yaml" if home else None
    return own if own and own.exists() else SHIPPED_POLICY


def read_policy(path: Path) -> tuple[tuple[PolicyRule, ...], list[Finding]]:
    """The rules that could be read, and everything that is wrong with the file."""
    value, findings = read_document(path)
    entries = value.get("rules") if isinstance(value, dict) else None
    if not findings and not isinstance(entries, list):
        findings.append(Finding(code="policy-form", place=str(path), sentence="the file needs `rules:` with a list"))
    if findings or not isinstance(entries, list):
        return (), findings
    rules: list[PolicyRule] = []
    for number, entry in enumerate(entries):
        under = f"rules.{number}"
        try:
            rule = PolicyRule.model_validate(entry)
        except ValidationError as error:
            findings.extend(misfits(path, error, under))
            continue
        findings.extend(rule_findings(rule, place(path, under)))
        if rule.name in {other.name for other in rules}:
            findings.append(
                Finding(
                    code="policy-form",
                    place=place(path, f"{under}.name"),
                    sentence=f"{rule.name} is the name of two rules",
                )
            )
        rules.append(rule)
    return tuple(rules), findings


def _auto_findings(rule: PolicyRule, where: str) -> list[Finding]:
    """A file may not name a rule as if it were earned, nor let pass what no person is asked about."""
    found: list[tuple[str, str, str]] = []
    if rule.name.startswith(EARNED):
        found.append(("name", f"{rule.name} is a name for earned rules", f"leave out {EARNED}"))
    if rule.auto is not None and rule.then is not RulingKind.GATE:
        found.append(("auto", f"the rule {rule.name} asks nobody, so nothing can answer for them", "leave auto out"))
    if rule.auto is not None and rule.auto.rule:
        found.append(("auto.rule", "it is filled in when a step is ruled on", "leave it out"))
    return [Finding(code="policy-auto", place=f"{where}.{at}", sentence=said, fix=fix) for at, said, fix in found]


def rule_findings(rule: PolicyRule, where: str) -> list[Finding]:
    """What is wrong with one rule, wherever it stands."""
    found = [
        Finding(code="condition-form", place=f"{where}.when", sentence=sentence)
        for sentence in (problems(rule.when) if rule.when is not None else ())
    ]
    found += _auto_findings(rule, where)
    if rule.then is RulingKind.GATE and not rule.approvers:
        found.append(
            Finding(
                code="policy-no-approver",
                place=f"{where}.approvers",
                sentence=f"the rule {rule.name} gates and names nobody who could approve",
                fix="name a role, person:<e-mail> or manager",
            )
        )
    return found
