"""Values that nobody gave: literals that the writer of a plan put into an argument by itself.

A planner may be a model, and a model may have been talked into something. Whatever it says, it can only pass on what the
request, the goals or a person gave; the rest is treated as what comes from outside.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from plans.literals import listed, literals
from plans.subject import Subject


def made_up(subject: Subject) -> Mapping[str, frozenset[str]]:
    """The arguments of each step that have a made-up value, also by way of a list. None where the premises vouch for all.

    ``decide`` is among them where no goal of the step has it: that an agent may choose instead of a person is a value too.
    """
    vouched = subject.premises.vouched
    if vouched is None:
        return {}
    asked = _asked(subject)
    return {
        step_id: frozenset(
            name
            for name, written in subject.literals[step_id].items()
            if not _are_given(subject, step_id, name, written, asked)
        )
        | _own_decide(subject, step_id)
        for step_id in subject.tools
    }


def is_made_up(subject: Subject, step_id: str, name: str, part: Any) -> bool:
    """Whether this part of an argument has a made-up value, where the argument as a whole may have one."""
    written = (*literals(part), *listed(subject.steps[step_id], name))
    return subject.premises.vouched is not None and not _are_given(subject, step_id, name, written, _asked(subject))


def _own_decide(subject: Subject, step_id: str) -> frozenset[str]:
    wanted, reached = subject.steps[step_id].decide, subject.plan.goal_steps
    if wanted is None:
        return frozenset()
    asked = any(goal.decide == wanted for goal in subject.premises.goals if reached.get(goal.id) == step_id)
    return frozenset() if asked else frozenset({"decide"})


def _asked(subject: Subject) -> frozenset[str | float]:
    """The texts and numbers of the request that may be trusted."""
    request, untrusted = subject.premises.request, subject.premises.untrusted
    return frozenset(part for field, each in request.items() if field not in untrusted for part in literals(each))


def _are_given(
    subject: Subject, step_id: str, name: str, written: Iterable[str | float], asked: frozenset[str | float]
) -> bool:
    """Whether all that is written into an argument stands in a goal under that name, in the request, or in what people wrote."""
    by_people = (subject.premises.vouched or {}).get(step_id, {})
    given = [goal.args[name] for goal in subject.premises.goals if name in goal.args]
    given += [by_people[name]] if name in by_people else []
    known = {part for each in given for part in literals(each)}
    return all(part in known or part in asked for part in written)
