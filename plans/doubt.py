"""Which arguments have a value that nobody who may be trusted gave, and of which that matters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from governance.conditions import references as condition_references
from governance.effects import EffectClass
from governance.policy import Policy
from plans.expressions import Literal, parse
from plans.made_up import is_made_up, made_up
from plans.outline import field_of, sources
from plans.subject import Subject
from tools.contract import ToolSpec
from tools.inside import PEOPLE_ASK, RUNS_START

_REQUEST = "request"


def ruled_by(policy: Policy) -> frozenset[str]:
    """The arguments that a rule of the policy looks at by name."""
    paths = (path.split(".") for rule in policy.rules for path in condition_references(rule.when))
    return frozenset(path[1] for path in paths if path[0] == "args" and len(path) > 1)


def sensitive_of(spec: ToolSpec, ruled: frozenset[str]) -> frozenset[str]:
    """The arguments of a step that untrusted data must not reach unseen.

    Those that its tool names; of an effect also those that a rule of the policy looks at, or whoever makes them up would
    choose what the rule says; and the request of a run that is started, which nobody looks at again.
    """
    named = frozenset(spec.sensitive)
    if spec.effect is EffectClass.READ:
        return named
    return named | ruled | ({_REQUEST} if spec.id == RUNS_START else set())


def doubtful(subject: Subject) -> Mapping[str, frozenset[str]]:
    """The arguments of each step that nobody who may be trusted gave: from outside, or made up by the plan's writer.

    Untrusted are the request's untrusted fields, the output of tools that say so, and the output of any step that a
    doubtful argument went into: it was chosen by it, and may repeat it. Not so an argument that its tool calls closed:
    that is only looked up among the system's own records; and what a person answers is the person's, whatever was asked.
    """
    untrusted, invented = subject.premises.untrusted, made_up(subject)
    feeds: dict[str, list[str]] = {}
    telling = {
        step_id: [
            use for use in used if step_id not in subject.tools or use[0] not in subject.tools[step_id].spec.closed
        ]
        for step_id, used in subject.uses.items()
    }
    for step_id, used in telling.items():
        for _, root, _ in used:
            feeds.setdefault(root, []).append(step_id)

    def is_dirty(root: str, field: str) -> bool:
        return root in dirty or (root == _REQUEST and (field in untrusted or bool(not field and untrusted)))

    dirty: set[str] = set()
    fresh = [step_id for step_id, tool in subject.tools.items() if tool.spec.untrusted_output]
    fresh += [step_id for step_id, used in telling.items() if any(is_dirty(root, field) for _, root, field in used)]
    fresh += [
        step_id
        for step_id, names in invented.items()
        if subject.tools[step_id].spec.id != PEOPLE_ASK and names.difference(subject.tools[step_id].spec.closed)
    ]
    while fresh:
        step_id = fresh.pop()
        if step_id not in dirty:
            dirty.add(step_id)
            fresh += feeds.get(step_id, [])
    found = {
        step_id: frozenset(name for name, root, field in used if is_dirty(root, field))
        | invented.get(step_id, frozenset())
        for step_id, used in subject.uses.items()
    }
    return found | {
        step_id: found[step_id] - {_REQUEST}
        for step_id, kept in _children(subject).items()
        if not is_made_up(subject, step_id, _REQUEST, kept)
        and not any(is_dirty(ref.root, field_of(ref)) for ref in sources(parse(kept), subject.loops.get(step_id)))
    }


def _children(subject: Subject) -> Mapping[str, Mapping[str, Any]]:
    """Of the requests of runs that steps start, what those runs will trust; only where this is known."""
    found: dict[str, Mapping[str, Any]] = {}
    for step_id, tool in subject.tools.items():
        request, named = subject.steps[step_id].args.get(_REQUEST), subject.expressions[step_id].get("playbook")
        if tool.spec.id != RUNS_START or not isinstance(request, dict) or not isinstance(named, Literal):
            continue
        child = (subject.premises.startable or {}).get(str(named.value))
        if child is not None and not any(name.startswith("$") for name in request):
            properties = child.schema.get("properties", {})
            found[step_id] = {name: part for name, part in request.items() if not _is_untrusted(properties.get(name))}
    return found


def _is_untrusted(schema: Any) -> bool:
    return isinstance(schema, dict) and bool(schema.get("x-untrusted"))
