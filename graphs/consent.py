"""Whether people must agree to a plan before it is run: to a whole one, or to what a replan changes."""

from __future__ import annotations

from governance import events as ev
from governance.chain import Event
from governance.reviews import ReviewKind, ReviewStatus
from governance.runs import CloseReview, SideRow
from graphs.engine import Engine
from graphs.fold import RunFold
from graphs.gates import ask_plan
from graphs.wholeplan import PlanQuestion, is_wanted, whole
from plans.checked import Checked
from plans.difference import difference
from plans.language import Plan, written_id


def put_to_people(
    engine: Engine, state: RunFold, body: ev.PlanChecked, checked: Checked, *, dry: bool
) -> tuple[list[Event], list[SideRow]]:
    """The check of a revision as events, and the question where there is one; of a replan that passed also its difference.

    Questions about steps that the revision does not have any more, or not like this, are withdrawn.
    """
    cause = f"plan:{state.revision}:checked"
    if checked.plan is None or state.written is None:
        return [Event(cause, body)], []
    if not state.written.instead_of or state.standing is None:
        if dry or not is_wanted(engine, state, checked.plan):
            return [Event(cause, body)], []
        asks, asked, put = ask_plan(
            engine, state, body.plan_digest, whole(state, checked.plan), approvers(engine, state)
        )
        return [Event(cause, body.model_copy(update={"asks": asks})), asked], put
    old, new = Plan.model_validate(state.standing.written.plan), checked.plan.plan
    changes = difference(old, new, engine.specs)
    closed, rows = _withdrawn(state, old, new)
    if dry or not changes.widens:
        return [Event(cause, body.model_copy(update={"difference": changes})), *closed], rows
    revised = PlanQuestion(
        "May Steward go on with this revised plan",
        "; ".join(changes.widens),
        {"changes": list(changes.shown), "instead_of": list(state.written.instead_of)},
    )
    asks, asked, put = ask_plan(engine, state, body.plan_digest, revised, approvers(engine, state))
    told = body.model_copy(update={"difference": changes, "asks": asks})
    return [Event(cause, told), asked, *closed], [*rows, *put]


def _withdrawn(state: RunFold, old: Plan, new: Plan) -> tuple[list[Event], list[SideRow]]:
    same = {step.id for step in new.steps if any(step == before for before in old.steps)}
    open_cards = [r.card for r in state.reviews.values() if r.status is ReviewStatus.OPEN]
    over = [c for c in open_cards if c.kind is ReviewKind.STEP and written_id(c.step) not in same]
    why = "the plan was revised, and the step is not in it like this any more"
    events = [
        Event(f"review:{c.id}:closed", ev.ReviewClosed(review_id=c.id, step=c.step, status="withdrawn", why=why))
        for c in over
    ]
    return events, [CloseReview(c.id, ReviewStatus.WITHDRAWN, why) for c in over]


def approvers(engine: Engine, state: RunFold) -> tuple[str, ...]:
    """Who decides on a revised plan: the playbook's chain, or the requester's manager; never the requester."""
    requester = state.admitted.requester if state.admitted else ""
    playbook = engine.playbooks.get(state.admitted.playbook) if state.admitted else None
    chain = [person.id for role in (playbook.chain if playbook else ()) for person in engine.directory.members_of(role)]
    manager = engine.directory.manager_of(requester) if requester else None
    people = [person for person in chain if person != requester] or ([manager.id] if manager else [])
    return tuple(dict.fromkeys(people))
