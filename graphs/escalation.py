"""Silence: who is reminded, warned and asked next about open questions, and what their silence ends in.

Called whenever a run is looked at; the run's timers see to it that it is looked at in time. What is due is journaled
once, with the next timer, in one transaction. The people of each level get their full time from the moment at which
they were asked, however long no worker was there: one look never passes two levels that have somebody on them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from governance import events as ev
from governance.chain import Event
from governance.deciding import may_decide
from governance.escalation import AGAIN, MOST_REMINDERS, RISK_AT, STAYS, Escalation, Rung, standing_at
from governance.people import Directory, Person
from governance.reviews import ReviewStatus
from governance.runs import CloseReview, EscalateReview, SetTimer, SideRow
from graphs.engine import Engine
from graphs.fold import ReviewFold, RunFold
from graphs.live import LiveRun
from playbooks.model import Sla, rungs

_RUN_TIMER = "run:at-risk"
_NO_PLAYBOOK = rungs((), (), Sla())


@dataclass
class _Said:
    """What a look finds due: events, and the rows that belong to them."""

    events: list[Event] = field(default_factory=list)
    rows: list[SideRow] = field(default_factory=list)

    def stand(self, review: ReviewFold, approvers: tuple[str, ...], standing: Escalation) -> None:
        """The review's row, and the timer for whatever comes next."""
        self.rows.append(EscalateReview(review.card.id, approvers, standing))
        if standing.next_at is not None:
            self.rows.append(SetTimer(f"review:{review.card.id}", standing.next_at))


async def escalate(engine: Engine, run: LiveRun) -> None:
    """Do what the clock asks for about the run's open questions and its own time, all in one append."""
    now, said = _now(engine, run), _Said()
    for card in run.state.open_reviews:
        review = run.state.reviews[card.id]
        due_at = review.escalation.due_at
        if due_at is not None and (now >= due_at or not _able(engine.directory, review)):
            await _go_up(engine, run, review, now, said)
        else:
            _press(review, now, said)
    said.events += _run_at_risk(engine, run.state, now)
    if said.events:
        await run.record(*said.events, rows=said.rows)


def run_timer(engine: Engine, state: RunFold) -> SetTimer | None:
    """The timer that warns before the run's own time is over; None when it has been said."""
    due_at = _run_due(engine, state)
    if due_at is None or state.admitted_at is None or state.at_risk is not None:
        return None
    return SetTimer(_RUN_TIMER, state.admitted_at + (due_at - state.admitted_at) * RISK_AT)


def _press(review: ReviewFold, now: datetime, said: _Said) -> None:
    """Remind at half of a level's time, warn at four fifths; daily reminders where the question stays for good."""
    standing = review.escalation
    if standing.remind_at is not None and standing.remind_at <= now:
        event, standing = _reminded(review, now)
        said.events.append(event)
    if standing.due_at is not None and standing.risk_at is not None and standing.risk_at <= now:
        said.events.append(_at_risk(review, standing.due_at))
        standing = standing.warned(now)
    if standing is not review.escalation:
        said.stand(review, review.approvers, standing)


def _reminded(review: ReviewFold, now: datetime) -> tuple[Event, Escalation]:
    card, before = review.card, review.escalation
    number, stays = before.reminders + 1, before.due_at is None
    again_at = now + AGAIN if stays and number < MOST_REMINDERS else None
    body = ev.ReviewReminded(
        review_id=card.id,
        step=card.step,
        level=before.level,
        number=number,
        people=review.approvers,
        again_at=again_at,
    )
    where = "stays" if stays else before.level
    return Event(f"review:{card.id}:{where}:reminded:{number}", body), before.reminded(now, number, again_at)


def _at_risk(review: ReviewFold, due_at: datetime) -> Event:
    card, level = review.card, review.escalation.level
    then = "it is refused" if review.escalation.ends else "it goes further up"
    why = f"nobody has answered, and at {_moment(due_at)} {then}"
    body = ev.RunAtRisk(what="review", review_id=card.id, step=card.step, level=level, due_at=due_at, why=why)
    return Event(f"review:{card.id}:{level}:at-risk", body)


async def _go_up(engine: Engine, run: LiveRun, review: ReviewFold, now: datetime, said: _Said) -> None:
    """To the next level that has somebody; levels that have nobody are passed, each with its event."""
    passed: list[Event] = []
    level, why = review.escalation.level, _why(review, now)
    ladder, stays = ladder_of(engine, run.state), review.card.kind in STAYS
    while level + 1 < len(ladder):
        level += 1
        rung = ladder[level]
        added = _fresh(engine.directory, review, rung)
        if added:
            ends = not stays and level + 1 == len(ladder)
            standing = standing_at(level, now, now + timedelta(hours=rung.hours), ends=ends)
            said.events += [*passed, _escalated(review, standing, added, why)]
            said.stand(review, (*review.approvers, *added), standing)
            return
        nobody = f"{why}, and {' or '.join(rung.to)} is nobody who was not asked before"
        passed.append(_escalated(review, standing_at(level, now, now), (), nobody))
    if stays:
        standing = standing_at(level, now, None)
        what = f"{why}; it stays with those who were asked, who are reminded daily"
        event = Event(f"review:{review.card.id}:stays", _escalated(review, standing, (), what).body)
        said.events += [*passed, event]
        said.stand(review, review.approvers, standing)
    elif not await _answered(engine, run, review):
        body = ev.ReviewClosed(review_id=review.card.id, step=review.card.step, status="expired", why=why)
        said.events += [*passed, Event(f"review:{review.card.id}:closed", body)]
        said.rows.append(CloseReview(review.card.id, ReviewStatus.EXPIRED, why))


async def _answered(engine: Engine, run: LiveRun, review: ReviewFold) -> bool:
    """Whether an answer came at this very moment: it is taken up, and silence was none."""
    left = await engine.inbox.open(run.claim.run_id)
    return any(row.body.get("review_id") == review.card.id for row in left)


def _run_at_risk(engine: Engine, state: RunFold, now: datetime) -> list[Event]:
    timer, due_at = run_timer(engine, state), _run_due(engine, state)
    if timer is None or due_at is None or timer.due_at > now:
        return []
    waits = len(state.open_reviews)
    questions = f", and {waits} of its questions {'is' if waits == 1 else 'are'} open" if waits else ""
    why = f"it should end by {_moment(due_at)}{questions}"
    return [Event(_RUN_TIMER, ev.RunAtRisk(what="run", due_at=due_at, why=why))]


def ladder_of(engine: Engine, state: RunFold) -> tuple[Rung, ...]:
    """The chain of the run's questions, level 0 first; that of no playbook where its own is not installed any more."""
    playbook = engine.playbooks.get(state.admitted.playbook) if state.admitted else None
    return playbook.ladder if playbook else _NO_PLAYBOOK


def _run_due(engine: Engine, state: RunFold) -> datetime | None:
    playbook = engine.playbooks.get(state.admitted.playbook) if state.admitted else None
    if playbook is None or state.admitted_at is None:
        return None
    return state.admitted_at + timedelta(hours=playbook.sla.run_hours)


def _escalated(review: ReviewFold, standing: Escalation, added: tuple[str, ...], why: str) -> Event:
    body = ev.ReviewEscalated(
        review_id=review.card.id,
        step=review.card.step,
        level=standing.level,
        added=added,
        why=why,
        asked_at=standing.asked_at,
        due_at=standing.due_at,
        ends=standing.ends,
    )
    return Event(f"review:{review.card.id}:{standing.level}:escalated", body)


def _fresh(directory: Directory, review: ReviewFold, rung: Rung) -> tuple[str, ...]:
    """The people of a level who were not asked before. The requester is not among them, unless the policy says so."""
    found = [person for name in rung.to for person in _people(directory, name, review)]
    barred = {*review.approvers} if review.card.requester_may_decide else {*review.approvers, review.card.requester}
    return tuple(dict.fromkeys(person.id for person in found if person.id not in barred))


def _people(directory: Directory, name: str, review: ReviewFold) -> list[Person]:
    if name == "manager":
        managers = [directory.manager_of(person) for person in review.approvers]
        return [manager for manager in managers if manager is not None]
    address = name.removeprefix("person:")
    if address != name or "@" in name:
        person = directory.find(address)
        return [person] if person else []
    return list(directory.members_of(name))


def _able(directory: Directory, review: ReviewFold) -> bool:
    """Whether anybody who was asked, or stands in, may still decide: people leave."""
    card = review.card.model_copy(update={"approvers": review.approvers}) if review.added else review.card
    asked = [directory.find(person) for person in review.approvers]
    stand_ins = [directory.delegate_of(person) for person in review.approvers]
    return any(may_decide(card, person, directory) for person in (*asked, *stand_ins) if person is not None)


def _why(review: ReviewFold, now: datetime) -> str:
    due_at = review.escalation.due_at
    if due_at is not None and now < due_at:
        return "nobody who was asked may decide it any more"
    return f"nobody answered by {_moment(due_at or now)}"


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"


def _now(engine: Engine, run: LiveRun) -> datetime:
    # Business time never goes back within a run, whatever machine it moved to.
    now = engine.clock.now()
    return max(now, run.state.at) if run.state.at else now
