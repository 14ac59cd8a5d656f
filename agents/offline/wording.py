"""Reasons in words, and the confidence of a step, by a stated rule."""

from __future__ import annotations

from agents.offline.drafting import Draft, DraftStep, paths
from agents.offline.roles import RELATIONS

_CEILING = 0.99  # a rule can be wrong about what a playbook means

RULE = "the trust in the least sure of its arguments, at most 0.99; 0.6 where one of equals had to be chosen"


def confidence(step: DraftStep) -> float:
    """0 to 1, two decimals (see :data:`RULE`)."""
    return round(min([_CEILING, *(source.trust for source in step.sources.values())]), 2)


def reason(step: DraftStep, draft: Draft) -> str:
    """Why the step is in the plan: its goals' reasons, or whom it serves; then what is doubtful about it."""
    because = "; ".join(dict.fromkeys(goal.reason.rstrip(". ") for goal in step.goals)) or _service(step, draft)
    doubts = "; ".join(step.notes)
    return f"{because}. Doubtful: {doubts}" if doubts else because


def _service(step: DraftStep, draft: Draft) -> str:
    """What a support step finds, and for whom."""
    wanted: dict[str, list[str]] = {}
    for user in draft.steps.values():
        for path in paths(user.args):
            root, _, output = path.partition(".")
            if root == step.id and user.id not in wanted.setdefault(output, []):
                wanted[output].append(user.id)
    found = "; ".join(f"{_noun(output)} for {_listed(users)}" for output, users in wanted.items())
    relation = [word for word in step.role if word in RELATIONS]
    return f"finds the {' of the '.join(reversed(relation))}: {found}" if relation else f"finds the {found}"


def _noun(output: str) -> str:
    return output.partition(".")[0].replace("_", " ")


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
