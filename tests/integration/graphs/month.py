"""A month of questions to people who answer, refuse, edit, are away, leave, or never look; with workers that are down.

A discrete-event simulation around the real engine: real slices on a real database, a clock that jumps to whatever comes
next. What people do is drawn from one random source; ids and the order of parallel slices are not, so that a seed gives
months that are alike and not the same.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from random import Random

from governance.deciding import require_answer, require_in_time, require_may_decide
from governance.errors import AlreadyDecided, NotPermitted, Refused
from governance.people import Directory, Person
from governance.reviews import Choice, ReviewCard, ReviewKind, ReviewStatus, Verdict, approve, edit, reject, respond
from governance.runs import Claim, ReviewRow
from graphs.control import Control
from graphs.slice import work_slice
from memory.checkpoints import checkpoint_saver
from playbooks.people import PeopleDirectory
from tests.integration.graphs.house import LEASE, Crash, House

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
_AT_ONCE = 8


@dataclass(frozen=True)
class Habits:
    """How reviewers are. Probabilities; hours are means."""

    never: float = 0.45
    refuses: float = 0.08
    edits: float = 0.05
    closes: float = 0.7
    hours: float = 30


@dataclass(frozen=True)
class Given:
    """An answer that the door let in: by whom, when, and whom the question was put to by then."""

    by: str
    at: datetime
    verdict: Verdict
    approvers: tuple[str, ...]
    stands_in: bool


@dataclass(frozen=True)
class Counts:
    """What happened in a month. ``turned_away``: answers at the door, by people who may not or who came too late."""

    runs: int = 0
    answers: int = 0
    stand_ins: int = 0
    turned_away: int = 0
    slices: int = 0
    deaths: int = 0
    down_hours: float = 0


@dataclass
class Month:
    """One month. ``people`` is who there is from which moment on; the engine always sees the present ones."""

    house: House
    random: Random
    habits: Habits = field(default_factory=Habits)
    outages: Sequence[tuple[float, float]] = ((6, 3), (17, 1.5))
    death: float = 0.06
    run_ids: list[str] = field(default_factory=list)
    given: dict[str, Given] = field(default_factory=dict)
    people: list[tuple[datetime, Directory]] = field(default_factory=list)
    counts: Counts = field(default_factory=Counts)
    _plans: dict[tuple[str, str], datetime | None] = field(default_factory=dict)
    _broken: list[str] = field(default_factory=list)

    async def play(self, runs: int, days: float, *, changes: Mapping[float, Sequence[Person]]) -> Counts:
        """So many runs, admitted within so many days; goes on until no more timer runs. ``changes``: people by day."""
        began = self.house.clock.moment
        admissions = sorted(began + DAY * self.random.uniform(0, days) for _ in range(runs))
        moves = sorted((began + DAY * day, people) for day, people in changes.items())
        down = [(began + DAY * day, began + DAY * (day + length)) for day, length in self.outages]
        while (at := await self._next(admissions, moves, down)) is not None:
            self.house.clock.moment = max(self.house.clock.moment, at)
            now = self.house.clock.moment
            while moves and moves[0][0] <= now:
                self._engage(PeopleDirectory(moves.pop(0)[1]))
            while admissions and admissions[0] <= now:
                self.run_ids.append(await self.house.admit(f"Person {admissions.pop(0).timestamp()}"))
            await self._people_act()
            if not any(begin <= now < end for begin, end in down):
                await self._workers_work()
        hours = sum(length for _, length in self.outages) * 24
        self.counts = replace(self.counts, runs=len(self.run_ids), down_hours=hours)
        return self.counts

    def at(self, moment: datetime) -> Directory:
        """Who there was at a moment."""
        return [directory for since, directory in self.people if since <= moment][-1]

    async def _next(
        self,
        admissions: Sequence[datetime],
        moves: Sequence[tuple[datetime, Sequence[Person]]],
        down: Sequence[tuple[datetime, datetime]],
    ) -> datetime | None:
        due = await self.house.timers.next_due()
        moments = [at for at in self._plans.values() if at is not None]
        moments += [at for at, _ in moves[:1]] + list(admissions[:1])
        if due is not None:
            back = [end for begin, end in down if begin <= max(due, self.house.clock.moment) < end]
            moments.append(max([due, *back]))
        moments += [end for begin, end in down if begin <= self.house.clock.moment < end]
        return min(moments, default=None)

    def _engage(self, directory: Directory) -> None:
        self.people.append((self.house.clock.moment, directory))
        object.__setattr__(self.house.engine, "directory", directory)

    async def _people_act(self) -> None:
        now = self.house.clock.moment
        for (review, person_id), at in sorted(self._plans.items(), key=str):
            person = self.house.engine.directory.find(person_id)
            if at is not None and at <= now:
                self._plans[review, person_id] = None
                if person is not None:
                    await self._answer(await self.house.reviews.get(review), person, now)

    async def _notice(self, now: datetime) -> None:
        """Whoever is asked by now decides when to answer, if ever; now and then so does somebody who is not asked."""
        rows = await self.house.reviews.list(limit=10_000)
        everyone = [person.id for person in self.house.engine.directory.everyone()]
        for row in rows:
            strangers = (
                [self.random.choice(everyone)] if (row.card.id, row.card.approvers[0]) not in self._plans else []
            )
            for person in (*row.card.approvers, *strangers):
                stand_in = self.house.engine.directory.delegate_of(person)
                self._consider(row.card, stand_in.id if stand_in else person, now)
                self._plans.setdefault((row.card.id, person), None)

    def _consider(self, card: ReviewCard, person: str, now: datetime) -> None:
        if (card.id, person) not in self._plans:
            ever = self.random.random() >= self.habits.never
            hours = self.random.expovariate(1 / self.habits.hours)
            self._plans[card.id, person] = now + HOUR * hours if ever else None

    async def _answer(self, row: ReviewRow, person: Person, now: datetime) -> None:
        """Through the rules of the application's door."""
        verdict = self._verdict(row.card)
        directory = self.house.engine.directory
        try:
            require_may_decide(row.card, person, directory)
            require_answer(row.card, verdict)
            if row.status is ReviewStatus.OPEN:
                require_in_time(row.escalation, now)
            await self.house.reviews.decide(row.card.id, verdict, by=person.id, at=now)
        except (NotPermitted, Refused, AlreadyDecided):
            self.counts = replace(self.counts, turned_away=self.counts.turned_away + 1)
            return
        stands_in = person.id not in row.card.approvers
        self.given[row.card.id] = Given(person.id, now, verdict, row.card.approvers, stands_in)
        self.counts = replace(
            self.counts, answers=self.counts.answers + 1, stand_ins=self.counts.stand_ins + int(stands_in)
        )

    def _verdict(self, card: ReviewCard) -> Verdict:
        chance = self.random.random()
        if card.kind is ReviewKind.PARKED:
            return respond("close" if chance < self.habits.closes else "resume", reason="so be it")
        if chance < self.habits.refuses:
            return reject(reason="too much")
        if chance < self.habits.refuses + self.habits.edits and Choice.EDIT in card.allowed:
            return edit({**card.args, "amount": self.random.randrange(1, 50)}, reason="less")
        return approve()

    async def _workers_work(self) -> None:
        """Claim and work until nothing is due. Sometimes the process dies under way, and the next one takes over."""
        house = self.house
        await house.timers.fire_due(house.clock.moment)
        while True:
            if self._broken:
                await house.runs.reap()
                for run_id in self._broken:
                    await house.runs.wake(run_id)
                self._broken = []
            house.lives += 1
            house.doom.dead = False
            claims = await house.runs.claim(100_000 + house.lives, _AT_ONCE, LEASE)
            if not claims:
                return
            if self.random.random() < self.death:
                house.doom.at = f"append:{house.doom.counts.get('append', 0) + self.random.randrange(1, 6)}"
            await asyncio.gather(*(self._slice(claim) for claim in claims))
            self.counts = replace(
                self.counts,
                slices=self.counts.slices + len(claims),
                deaths=self.counts.deaths + int(house.doom.dead),
            )
            house.doom.at = ""
            await self._notice(house.clock.moment)  # so that everybody's time to think begins when they are asked

    async def _slice(self, claim: Claim) -> None:
        house = self.house
        try:
            rest = await work_slice(house.engine, house.graph, checkpoint_saver(house.database), claim, Control())
            house.doom.pass_by("finish")
            await house.runs.finish(claim, rest)
        except Crash:
            self._broken.append(claim.run_id)


def figures(counts: Counts, kinds: Counter[str], seconds: float) -> str:
    """A month in a few lines."""
    told = ", ".join(f"{number} {what}" for what, number in sorted(kinds.items()))
    return (
        f"{counts.runs} runs, {counts.slices} slices, {counts.deaths} deaths of workers, {counts.down_hours:.0f} h down; "
        f"{counts.answers} answers ({counts.stand_ins} by stand-ins), {counts.turned_away} turned away; {told}; "
        f"{seconds:.1f} s"
    )
