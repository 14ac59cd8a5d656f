"""A simulated month of escalation: nothing is left undecided, and there is no yes without a person."""

from __future__ import annotations

import time
from collections import Counter
from datetime import datetime, timedelta
from itertools import pairwise
from random import Random

import pytest

from governance import events as ev
from governance.effects import StepStatus
from governance.people import Directory, Person
from governance.reviews import Choice, ReviewCard, ReviewKind, ReviewStatus
from graphs.escalation import ladder_of
from graphs.fold import ReviewFold, RunFold
from graphs.machine import build_graph
from graphs.transitions import fold
from memory.database import Database
from tests.integration.graphs.house import ASKER, House, a_house, step
from tests.integration.graphs.month import Month, figures
from tests.integration.graphs.world import World, serving

GRACE = Person(id="grace.hopper@acme.example", name="Grace Hopper", roles=frozenset({"boss"}))
LOVELACE = Person(id="ada.lovelace@acme.example", name="Ada Lovelace", roles=frozenset({"owner"}))
ALAN = Person(id="alan.turing@acme.example", name="Alan Turing", roles=frozenset({"it"}), delegate=LOVELACE.id)
MARY = Person(id="mary.jackson@acme.example", name="Mary Jackson", roles=frozenset({"finance"}), manager=GRACE.id)
BYRON = Person(id="ada.byron@acme.example", name="Ada Byron", roles=frozenset({"finance"}), manager=ASKER.id)
ANNIE = Person(id="annie.easley@acme.example", name="Annie Easley", roles=frozenset({"security"}), manager=GRACE.id)
ALL = (ASKER, GRACE, ALAN, LOVELACE, MARY, BYRON, ANNIE)
# Annie is away for a week and Ada Byron stands in; then Mary leaves, and later Alan, the middle of the chain.
AWAY = (*ALL[:-1], ANNIE.model_copy(update={"delegate": BYRON.id}))
CHANGES = {
    0.0: ALL,
    8.0: AWAY,
    15.0: ALL,
    20.0: (ASKER, GRACE, ALAN, LOVELACE, BYRON, ANNIE),
    26.0: (ASKER, GRACE, LOVELACE, BYRON, ANNIE),
}
SEED = 1815
CHAIN = ("manager", "it", "owner")
STEPS = (
    step("account", "account"),
    *(step(f"pay_{letter}", "pay", amount=number) for number, letter in enumerate("abcdef", 50)),
    *(step(f"badge_{letter}", "badge", amount=number) for number, letter in enumerate("abcdef", 50)),
)


@pytest.mark.timeout(600)
async def test_a_month_of_questions(database: Database) -> None:
    """Some hundreds of questions; reviewers who answer, refuse, edit, are away, leave or never look; workers that die."""
    began = time.perf_counter()
    async with serving(World()) as world, a_house(database, world, STEPS) as house:
        old = next(iter(house.engine.playbooks.values()))
        book = old.model_copy(update={"chain": CHAIN})
        object.__setattr__(house.engine, "playbooks", {book.id: book})
        house.graph = build_graph(house.engine)
        month = Month(house, Random(SEED))
        counts = await month.play(runs=22, days=30, changes=CHANGES)
        kinds: Counter[str] = Counter()
        for run_id in month.run_ids:
            entries = await house.journal.read(run_id)
            state = fold(run_id, entries)
            bodies = [(entry.at, body) for entry in entries if (body := entry.parsed()) is not None]
            kinds += _nobody_was_passed_over(house, month, state, bodies)
            kinds["effects"] += _no_yes_without_a_person(month, state, bodies)
        assert (
            sum(number for what, number in world.effects.items() if what.startswith(("pay", "badge")))
            == kinds["effects"]
        )
        told = figures(counts, kinds, time.perf_counter() - began)
        print(told)  # the figures, with -s
        assert kinds["questions"] >= 200
        assert min(kinds["approve"], kinds["reject"], kinds["edit"], kinds["expired"], kinds["withdrawn"]) > 0
        assert min(counts.stand_ins, counts.turned_away, counts.deaths, kinds["passed"]) > 0


Bodies = list[tuple[datetime, ev.Body]]


def _nobody_was_passed_over(house: House, month: Month, state: RunFold, bodies: Bodies) -> Counter[str]:
    """Each question is over; each level was asked once, in order, the right people, and had its time."""
    kinds: Counter[str] = Counter()
    for review in state.reviews.values():
        if review.card.kind is ReviewKind.PARKED:
            kinds["parked"] += 1
            assert review.status is not ReviewStatus.EXPIRED
            kinds["parked and still asked"] += review.status is ReviewStatus.OPEN
            continue
        kinds["questions"] += 1
        assert review.status is not ReviewStatus.OPEN, "left undecided"
        said = review.verdict.choice.value if review.verdict else review.status.value
        kinds[said] += 1
        kinds["after escalation"] += review.verdict is not None and review.escalation.level > 0
        ups = [(at, b) for at, b in bodies if isinstance(b, ev.ReviewEscalated) and b.review_id == review.card.id]
        kinds["escalated"] += sum(1 for _, up in ups if up.added)
        kinds["passed"] += sum(1 for _, up in ups if not up.added)
        kinds["reminded"] += _once(bodies, ev.ReviewReminded, review)
        kinds["at risk"] += _once(bodies, ev.RunAtRisk, review)
        assert [up.level for _, up in ups] == list(range(1, len(ups) + 1))
        for at, up in ups:
            assert set(up.added) == _should_be_asked(month.at(at), CHAIN[up.level - 1], state, review, up)
        _everybody_had_time(house, state, review, ups, bodies)
    return kinds


def _once(bodies: Bodies, kind: type[ev.ReviewReminded | ev.RunAtRisk], review: ReviewFold) -> int:
    """At most one of a kind for each level."""
    levels = [b.level for _, b in bodies if isinstance(b, kind) and b.review_id == review.card.id]
    assert len(levels) == len(set(levels))
    return len(levels)


def _should_be_asked(
    directory: Directory, name: str, state: RunFold, review: ReviewFold, up: ev.ReviewEscalated
) -> set[str]:
    """Whom a level names, looked up independently: not those asked before, and never the requester."""
    before = set(review.card.approvers)
    for person in review.added:
        if person in up.added:
            break
        before.add(person)
    if not up.added:
        before |= set(review.added)
    if name == "manager":
        found = {p.manager for p in directory.everyone() if p.id in before} & {p.id for p in directory.everyone()}
    else:
        found = {p.id for p in directory.everyone() if name in p.roles}
    return {person for person in found if person} - before - {review.card.requester}


def _everybody_had_time(
    house: House, state: RunFold, review: ReviewFold, ups: list[tuple[datetime, ev.ReviewEscalated]], bodies: Bodies
) -> None:
    """From one populated level to the next, and to the refusal, at least a level's hours; less only where all have left."""
    hours = timedelta(hours=ladder_of(house.engine, state)[0].hours)
    asked = [(review.card.asked_at, "")] + [(at, up.why) for at, up in ups if up.added]
    closed = [
        (at, body.why)
        for at, body in bodies
        if isinstance(body, ev.ReviewClosed) and body.review_id == review.card.id and body.status == "expired"
    ]
    for (earlier, _), (later, why) in pairwise([*asked, *closed]):
        assert later - earlier >= hours or why.startswith("nobody who was asked may decide")
    if closed:
        assert len(ups) == len(CHAIN), "refused before the whole chain was asked"


def _no_yes_without_a_person(month: Month, state: RunFold, bodies: Bodies) -> int:
    """How many gated effects there were. Each gated effect has a grant, from an answer that the door let in, by somebody who was asked or stood in then."""
    done = 0
    for _, body in bodies:
        if isinstance(body, ev.ReviewDecided):
            given = month.given[body.review_id]
            assert (given.by, given.verdict) == (body.by, body.verdict)
            assert (
                given.by != _card(state, body.review_id).requester
                or _card(state, body.review_id).kind is ReviewKind.PARKED
            )
            stood_for = {p.delegate for p in month.at(given.at).everyone() if p.id in given.approvers}
            assert given.by in {*given.approvers, *stood_for}
        if isinstance(body, ev.StepIntended) and body.intent.tool in {"world.pay@1", "world.badge@1"}:
            grant = body.intent.grant
            assert grant is not None
            assert month.given[grant.review_id].verdict.choice in {Choice.APPROVE, Choice.EDIT}
            assert month.given[grant.review_id].by == grant.by
        if isinstance(body, ev.StepEnded) and body.status is StepStatus.DONE:
            done += body.tool in {"world.pay@1", "world.badge@1"}
    return done


def _card(state: RunFold, review_id: str) -> ReviewCard:
    return state.reviews[review_id].card
