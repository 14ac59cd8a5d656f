"""What does the policy say of each step, who answers for it, and is that enough for what the step does?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from governance.conditions import MISSING, Truth, evaluate
from governance.findings import Finding
from governance.people import Person
from governance.policy import Policy, PolicyRule, Ruling, RulingKind, StepFacts
from plans import codes
from plans.checked import Premises
from plans.doubt import doubtful, ruled_by, sensitive_of
from plans.effects_order import is_irreversible
from plans.expressions import references
from plans.resolve import evaluate_expression
from plans.subject import Subject

_NAMING = frozenset({"tool", "system", "reversible"})


def rule_steps(subject: Subject) -> tuple[tuple[Ruling, ...], list[Finding]]:
    """One ruling for each step whose tool is known, and what is wrong with them."""
    rulings: list[Ruling] = []
    findings: list[Finding] = []
    doubts, ruled = doubtful(subject), ruled_by(subject.premises.policy)
    for step_id in subject.tools:
        facts = _facts(step_id, subject, doubts[step_id], ruled)
        ruling, wrong = _rule(facts, subject.premises)
        rulings.append(ruling)
        findings += wrong
        findings += _enough(facts, ruling, subject.premises.policy)
    return tuple(rulings), findings


def rule_known(subject: Subject, step_id: str, args: Mapping[str, Any]) -> Ruling | None:
    """The ruling on a step whose arguments are these; None where something speaks against it."""
    policy = subject.premises.policy
    facts = _facts_of(step_id, subject, doubtful(subject)[step_id], ruled_by(policy), dict(args))
    facts = replace(facts, amount_known=True)
    ruling, wrong = _rule(facts, subject.premises)
    if ruling.kind is RulingKind.FORBID:
        return ruling
    return None if wrong or list(_enough(facts, ruling, policy)) else ruling


def _facts(step_id: str, subject: Subject, tainted: frozenset[str], ruled: frozenset[str]) -> StepFacts:
    scope = {"request": subject.premises.request}
    values = {name: evaluate_expression(value, scope) for name, value in subject.expressions[step_id].items()}
    known = {name: value for name, value in values.items() if value is not MISSING}
    return _facts_of(step_id, subject, tainted, ruled, known)


def _facts_of(
    step_id: str, subject: Subject, tainted: frozenset[str], ruled: frozenset[str], known: dict[str, Any]
) -> StepFacts:
    tool = subject.tools[step_id]
    spec = tool.spec
    amount = known.get(spec.amount)
    is_number = isinstance(amount, int | float) and not isinstance(amount, bool)
    return StepFacts(
        step=step_id,
        tool=spec.id,
        system=spec.system,
        effect=spec.effect.value,
        reversible=not is_irreversible(tool),
        confidence=subject.steps[step_id].confidence,
        data_classes=frozenset(spec.data_classes),
        amount=float(amount) if is_number and amount is not None else None,
        amount_known=is_number or (amount is None and _absent(step_id, spec.amount, subject)),
        tainted=tainted,
        sensitive=sensitive_of(spec, ruled),
        args=known,
        requester_roles=subject.premises.requester.roles,
    )


def _absent(step_id: str, name: str, subject: Subject) -> bool:
    """Whether there is surely no such argument: it is not given, or it refers to what this request does not have."""
    value = subject.expressions[step_id].get(name)
    return value is None or all(ref.root == "request" for ref in references(value))


def _rule(facts: StepFacts, premises: Premises) -> tuple[Ruling, list[Finding]]:
    place = f"steps.{facts.step}"
    kind, rule = premises.policy.rule(facts)
    if rule is None:
        ruling = Ruling(step=facts.step, kind=kind, rule="no-rule", because="no rule of the policy matches this step")
        return ruling, [
            codes.NO_APPROVER(
                place,
                f"no rule of the policy matches {facts.step}, so nobody may let it pass",
                f"add a rule for {facts.tool} to the policy",
            )
        ]
    findings: list[Finding] = []
    approvers: tuple[str, ...] = ()
    gates = premises.policy.gates(facts) if kind is RulingKind.GATE else ()
    if kind is RulingKind.GATE:
        rule = next((each for each in gates if each.approvers), rule)
        approvers, findings = _approvers(rule, facts.step, premises)
    if kind is RulingKind.FORBID:
        sentence = f"the rule {rule.name} forbids {facts.step}: {rule.because}"
        findings = [codes.FORBIDDEN(place, sentence, "plan without it")]
    ruling = Ruling(
        step=facts.step,
        kind=kind,
        rule=rule.name,
        because=rule.because,
        approvers=approvers,
        # One rule that keeps four eyes is enough to keep them.
        requester_may_decide=bool(gates) and all(each.requester_may_decide for each in gates),
        gates=tuple(each.name for each in gates),
        auto=premises.policy.automatic(facts) if gates else (),
    )
    return ruling, findings


def _approvers(rule: PolicyRule, step_id: str, premises: Premises) -> tuple[tuple[str, ...], list[Finding]]:
    place, requester = f"steps.{step_id}", premises.requester.id
    found: dict[str, Person] = {}
    findings: list[Finding] = []
    for name in rule.approvers:
        people = _people(name, premises)
        found |= {person.id: person for person in people}
        if not people:
            findings.append(
                codes.APPROVER_UNKNOWN(
                    place,
                    f"“{name}”, an approver of the rule {rule.name}, is nobody",
                    "mend the policy or the directory",
                )
            )
    if not rule.requester_may_decide:
        found.pop(requester, None)
    if not found:
        findings.append(
            codes.NO_APPROVER(
                place,
                f"the rule {rule.name} gates {step_id}, and nobody but the requester could approve it",
                f"give the rule {rule.name} an approver",
            )
        )
    return tuple(found), findings


def _people(name: str, premises: Premises) -> Sequence[Person]:
    directory = premises.directory
    if name == "manager":
        manager = directory.manager_of(premises.requester.id)
        return [manager] if manager else []
    if name.startswith("person:"):
        person = directory.find(name.removeprefix("person:"))
        return [person] if person else []
    return directory.members_of(name)


def _enough(facts: StepFacts, ruling: Ruling, policy: Policy) -> Iterator[Finding]:
    """Whether a ruling that lets a step pass may do so."""
    if ruling.kind is not RulingKind.GO:
        return
    place = f"steps.{facts.step}"
    if not facts.reversible and not any(_names_it(rule, facts) for rule in policy.rules):
        yield codes.IRREVERSIBLE_UNGATED(
            place,
            f"{facts.step} cannot be undone and passes by the rule {ruling.rule}, which does not speak of it",
            f"gate it, or add a rule whose condition names the tool {facts.tool}",
        )
    for name in sorted(facts.tainted & facts.sensitive):
        yield codes.TAINTED(
            f"{place}.args.{name}",
            f"a value that is untrusted, or that nobody gave, reaches {name}, which is sensitive, and no person looks at it",
            'gate steps where {"$eq": [{"$ref": "tainted_sensitive"}, true]}',
        )


def _names_it(rule: PolicyRule, facts: StepFacts) -> bool:
    """Whether a rule lets the step pass because of what it is, not whatever it is."""
    if rule.then is not RulingKind.GO or rule.when is None:
        return False
    fields = facts.fields
    nameless = {key: value for key, value in fields.items() if key not in _NAMING}
    return evaluate(rule.when, fields) is Truth.YES and evaluate(rule.when, nameless) is not Truth.YES
