"""Earned rules and scores in the database: no yes after a suspension, however close the two are; nothing scored twice."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import psycopg
import pytest

from governance.autonomy import AutonomyRule, Direction, Evidence, RuleStatus
from governance.decisions import DecisionKind
from governance.errors import DatabaseUnavailable, NotFound, Refused, TailMoved
from governance.runs import RelyOn, SuspendRule
from governance.scores import Outcome, Score
from governance.scoring import Scored
from memory.autonomy import AutonomyRules
from memory.database import Database
from memory.journal import Journal
from memory.runs import Runs
from memory.scores import Scores
from tests.fakes import FIRST_MOMENT
from tests.fixtures.journals import LEASE, ClaimedRun, admit, claimed

NOW = FIRST_MOMENT
LATER = NOW + timedelta(days=7)


def _rule(rule_id: str = "0a1b2c3d") -> AutonomyRule:
    evidence = Evidence(n=40, right=40, bound=0.91, confidence=0.8, first=NOW, last=NOW, runs=())
    return AutonomyRule(
        id=rule_id,
        direction=Direction.WIDER,
        playbook="onboarding@1",
        tool="security.issue_badge@1",
        answers=("badge-needs-security",),
        because="it went well",
        evidence=evidence,
        proposed_at=NOW,
    )


@pytest.fixture
async def rules(database: Database) -> AutonomyRules:
    """The store, with one rule ratified for a week."""
    store = AutonomyRules(database)
    await store.propose(_rule())
    await store.become("0a1b2c3d", RuleStatus.RATIFIED, by="grace", at=NOW, why="", until=LATER)
    return store


async def _rely(journal: Journal, run: ClaimedRun) -> bool:
    """Whether a yes by the rule was written."""
    try:
        await journal.append(run.claim, [run.next()], [RelyOn("0a1b2c3d", NOW)])
    except TailMoved:
        return False
    return True


async def _many(runs: Runs, count: int) -> list[ClaimedRun]:
    made = [await admit(runs) for _ in range(count)]
    claims = {claim.run_id: claim for claim in await runs.claim(1, count, LEASE)}
    return [ClaimedRun(row, claims[row.id], chain) for row, chain in made]


async def _until_somebody_waits(owner: psycopg.AsyncConnection) -> None:
    """Return when a statement waits for a lock in this database: the database says so, no clock does."""
    ask = (
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database() "
        "AND pid <> pg_backend_pid()"
    )
    async with asyncio.timeout(20):
        while True:
            row = await (await owner.execute(ask)).fetchone()
            if row and row[0]:
                return
            await asyncio.sleep(0.01)  # sleep: a lock has no event


async def test_a_yes_waits_for_a_suspension_under_way_and_is_not_written(
    database: Database, rules: AutonomyRules, journal: Journal, runs: Runs, owner: psycopg.AsyncConnection
) -> None:
    """The suspension is not committed yet when the yes comes: the yes waits, and is refused as a whole."""
    run = await claimed(runs)
    async with database.connection() as other, other.transaction():
        await other.execute("UPDATE autonomy_rule SET status = 'suspended' WHERE id = '0a1b2c3d'")
        yes = asyncio.create_task(_rely(journal, run))
        await _until_somebody_waits(owner)
        assert not yes.done()
    assert not await yes
    assert len(await journal.read(run.row.id)) == 1
    assert (await rules.find("0a1b2c3d")).status is RuleStatus.SUSPENDED


async def test_a_suspension_waits_for_a_yes_under_way(
    rules: AutonomyRules, journal: Journal, runs: Runs, owner: psycopg.AsyncConnection, database: Database
) -> None:
    """Who was first counts: the yes stands, the suspension follows, and no other yes comes after it."""
    first, override, late = await _many(runs, 3)
    async with database.connection() as other, other.transaction():
        # What steward_append does for a yes, held open: the lock against a suspension.
        await other.execute("SELECT 1 FROM autonomy_rule WHERE id = '0a1b2c3d' FOR SHARE")
        over = [SuspendRule("0a1b2c3d", "overridden", NOW)]
        suspending = asyncio.create_task(journal.append(override.claim, [override.next()], over))
        await _until_somebody_waits(owner)
        assert (await rules.find("0a1b2c3d")).status is RuleStatus.RATIFIED
    await suspending
    found = await rules.find("0a1b2c3d")
    assert (found.status, found.why, found.ended_at) == (RuleStatus.SUSPENDED, "overridden", NOW)
    assert not await _rely(journal, late)
    assert not await _rely(journal, first)


async def test_in_one_commit_a_suspension_wins(rules: AutonomyRules, journal: Journal, runs: Runs) -> None:
    """Appends of many runs that arrive together share a commit: with an override among them, none says yes by the rule."""
    made = await _many(runs, 21)
    override = journal.append(made[0].claim, [made[0].next()], [SuspendRule("0a1b2c3d", "overridden", NOW)])
    before = journal.commits
    answers = await asyncio.gather(*(_rely(journal, run) for run in made[1:]), override)
    assert journal.commits == before + 1, "they did share one"
    assert not any(answers)
    assert (await rules.find("0a1b2c3d")).status is RuleStatus.SUSPENDED


async def test_a_storm_of_yeses_and_one_override(
    rules: AutonomyRules, journal: Journal, runs: Runs, database: Database
) -> None:
    """Whatever was under way, once the override is written no yes is; and what was refused left nothing behind."""
    made = await _many(runs, 60)
    over = [SuspendRule("0a1b2c3d", "overridden", NOW)]
    done = await asyncio.gather(*(_rely(journal, run) for run in made[:20]))
    assert all(done), "while the rule holds, each yes is written"

    async def override() -> None:
        await journal.append(made[20].claim, [made[20].next()], over)

    storm = [asyncio.create_task(_rely(journal, run)) for run in made[21:40]]
    suspending = asyncio.create_task(override())
    await suspending
    after = await asyncio.gather(*(_rely(journal, run) for run in made[40:]))
    assert not any(after), "once it is suspended, none is"
    said = sum(await asyncio.gather(*storm)) + sum(done)
    kept = await database.fetch(b"SELECT count(*) AS yeses FROM journal WHERE seq = 2")
    assert kept[0]["yeses"] == said + 1
    assert (await rules.find("0a1b2c3d")).status is RuleStatus.SUSPENDED


async def test_a_rule_ends_by_the_business_clock(rules: AutonomyRules, journal: Journal, runs: Runs) -> None:
    """At its last moment it does not hold any more, whether that was noted or not."""
    run = await claimed(runs)
    with pytest.raises(TailMoved):
        await journal.append(run.claim, [run.next()], [RelyOn("0a1b2c3d", LATER)])
    assert await rules.holds("0a1b2c3d", LATER - timedelta(seconds=1))
    assert not await rules.holds("0a1b2c3d", LATER)
    await rules.expire(LATER)
    assert (await rules.find("autonomy:0a1b")).status is RuleStatus.EXPIRED


async def test_of_many_words_on_a_rule_the_first_counts(rules: AutonomyRules, database: Database) -> None:
    """One is ratified once; what is proposed never changes, and nobody can write that it did."""
    await rules.propose(_rule("ffff0000"))
    words = [
        rules.become("ffff0000", status, by="grace", at=NOW, why="so", until=LATER)
        for status in (RuleStatus.RATIFIED, RuleStatus.REJECTED, RuleStatus.RATIFIED)
    ]
    answers = await asyncio.gather(*words, return_exceptions=True)
    assert sum(isinstance(answer, Refused) for answer in answers) == 2
    with pytest.raises(NotFound):
        await rules.find("autonomy:1234")
    with pytest.raises(DatabaseUnavailable, match="permission denied"):
        await database.fetch(b"UPDATE autonomy_rule SET proposal = '{}'")


def _score(run_id: str, seq: int, outcome: Outcome = Outcome.RIGHT) -> Score:
    return Score(
        run_id=run_id,
        seq=seq,
        at=NOW + timedelta(seconds=seq),
        kind=DecisionKind.ADVICE,
        playbook="onboarding@1",
        decider="rule:advisor",
        confidence=0.8,
        outcome=outcome,
        tool="security.issue_badge@1",
        choice="approve",
        rule="badge-needs-security",
    )


async def test_scores_are_kept_once_and_by_who_read_further(database: Database, journal: Journal, runs: Runs) -> None:
    """A run comes back while its journal grows, is settled once it has ended, and a late writer changes nothing."""
    store = Scores(database)
    run = await claimed(runs)
    assert await store.behind() == [run.row.id]
    await store.keep(run.row.id, 1, Scored((_score(run.row.id, 1),)))
    assert await store.behind() == [], "nothing new"
    await journal.append(run.claim, [run.next(), run.next()])
    assert await store.behind() == [run.row.id]
    both = (_score(run.row.id, 1, Outcome.OVERRIDDEN), _score(run.row.id, 3))
    for _ in range(2):
        await store.keep(run.row.id, 3, Scored(both, settled=True))
    await store.keep(run.row.id, 1, Scored((_score(run.row.id, 1),)))
    assert await store.latest() == list(both)
    assert await store.latest([DecisionKind.PLAN]) == []
    assert await store.latest(limit=1) == [both[1]], "the latest"
    await journal.append(run.claim, [run.next()])
    assert await store.behind() == [], "what has ended is not read again"
