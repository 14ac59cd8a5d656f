"""The yes that no person gives, and how an override ends it: real database, real HTTP system, real verdicts."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from agents.ports import NOTHING_KNOWN, Background
from governance import events as ev
from governance.autonomy import AutonomyRule, Direction, Evidence, RuleStatus
from governance.chain import verify
from governance.decisions import Decision, DecisionKind
from governance.people import Person
from governance.policy import AutoTerms, PolicyRule, Ruling, RulingKind
from governance.reviews import Verdict, approve, edit, reject
from governance.runs import InputKind
from governance.scores import Outcome, Score
from governance.scoring import Scored, scored
from graphs.machine import build_graph
from memory.autonomy import AutonomyRules
from memory.database import Database
from memory.scores import Scores
from playbooks.model import Playbook
from runtime.experience import LatestExperience
from tests.integration.graphs.house import ASKER, GATES, MARY, House, a_house, step
from tests.integration.graphs.world import World, serving
from tools.contract import ToolSpec

ACCOUNT = step("account", "account")
ADVISOR = "rule:test"
MONEY = next(rule for rule in GATES if rule.name == "money")
TERMS = AutoTerms(confidence_at_least=0.9, minimum=40, amount_at_most=100)


@dataclass(frozen=True)
class SureAdvisor:
    """Advises the same each time."""

    choice: str = "approve"
    confidence: float = 0.8

    async def advise(
        self,
        *,
        step: str,
        tool: ToolSpec,
        args: Mapping[str, Any],
        ruling: Ruling,
        request: Mapping[str, Any],
        requester: Person,
        background: Background = NOTHING_KNOWN,
        run: str = "",
    ) -> Decision:
        """What the test wants."""
        return Decision(
            kind=DecisionKind.ADVICE,
            subject=step,
            choice=self.choice,
            reasoning="because",
            confidence=self.confidence,
            decider=ADVISOR,
        )


@pytest_asyncio.fixture
async def world() -> AsyncIterator[World]:
    """A fresh world, serving."""
    async with serving(World()) as served:
        yield served


@asynccontextmanager
async def trusting(
    database: Database,
    world: World,
    *,
    amount: int = 50,
    auto: AutoTerms | None = None,
    right: int = 60,
    wrong: int = 0,
    advisor: SureAdvisor | None = None,
    more: Sequence[PolicyRule] = (),
    after: Sequence[dict[str, Any]] = (),
) -> AsyncIterator[House]:
    """A house whose advisor was right so often, with a gate before money that allows an automatic yes on ``auto``."""
    pay = step("pay", "pay", account_id={"$ref": "account.id"}, amount=amount)
    async with a_house(database, world, [ACCOUNT, pay, *after]) as house:
        rules = [rule if rule.name != "money" else MONEY.model_copy(update={"auto": auto}) for rule in GATES]
        book = next(book for book in house.engine.playbooks.values() if book.name == "welcome")
        trusted = Playbook(**{**dict(book), "policy": (*rules, *more)})
        house.engine = replace(
            house.engine,
            playbooks={trusted.id: trusted},
            advisor=advisor or SureAdvisor(),
            autonomy=LatestExperience(Scores(database), AutonomyRules(database)),
        )
        house.graph = build_graph(house.engine)
        past = await house.admit("Grace Hopper")
        outcomes = [Outcome.OVERRIDDEN] * wrong + [Outcome.RIGHT] * right
        scores = [_advice(house, past, number, outcome) for number, outcome in enumerate(outcomes, 1)]
        await Scores(database).keep(past, len(scores), Scored(tuple(scores), settled=True))
        await house.inbox.put(past, InputKind.CANCEL, {"by": ASKER.id, "reason": "only its experience counts"})
        await house.live(past)
        yield house


def _advice(house: House, run_id: str, seq: int, outcome: Outcome) -> Score:
    return Score(
        run_id=run_id,
        seq=seq,
        at=house.clock.now(),
        kind=DecisionKind.ADVICE,
        playbook="welcome@1",
        decider=ADVISOR,
        confidence=0.8,
        outcome=outcome,
        tool="world.pay@1",
        choice="approve",
        rule="money",
        magnitude=50,
    )


def earned(house: House, *, amount: float = 100, **changes: Any) -> AutonomyRule:
    """A wider rule as experience would propose it."""
    now = house.clock.now()
    evidence = Evidence(n=60, right=60, bound=0.94, confidence=0.8, first=now, last=now, runs=())
    rule = AutonomyRule(
        id="0a1b2c3d",
        direction=Direction.WIDER,
        playbook="welcome@1",
        tool="world.pay@1",
        answers=("money",),
        terms=TERMS.model_copy(update={"amount_at_most": amount, "decider": ADVISOR}),
        because="it went well",
        evidence=evidence,
        proposed_at=now,
    )
    return rule.model_copy(update=changes)


async def ratified(house: House, rule: AutonomyRule) -> AutonomyRules:
    """The rule, kept and ratified for a week."""
    rules = AutonomyRules(house.database)
    await rules.propose(rule)
    now = house.clock.now()
    await rules.become(rule.id, RuleStatus.RATIFIED, by=MARY.id, at=now, why="", until=now + timedelta(days=7))
    await house.clock.sleep(60)  # sleep: on a clock where it takes no time; what is known is looked up anew
    return rules


async def _status(rules: AutonomyRules) -> RuleStatus:
    return (await rules.find("0a1b2c3d")).status


async def _asks(house: House, run_id: str) -> list[str]:
    return [row.card.step for row in await house.reviews.list(run_id=run_id)]


async def _answer(house: House, run_id: str, verdict: Verdict) -> None:
    (row,) = await house.reviews.list(run_id=run_id)
    await house.reviews.decide(row.card.id, verdict, by=MARY.id, at=house.clock.now())
    await house.live(run_id)


async def test_a_rule_of_the_policy_says_yes_where_experience_bears_it_out(database: Database, world: World) -> None:
    """Nobody is asked; the yes is a decision with its grounds, its grant is used up by the exact action, the chain verifies."""
    async with trusting(database, world, auto=TERMS) as house:
        run_id = await house.admit()
        await house.live(run_id)
        state = await house.state(run_id)
        assert state.ended is not None
        assert state.ended.status == "done"
        assert state.report.endswith("1 approved by rule.")
        assert world.effects["pay:Ada Lovelace"] == 1
        entries = await house.journal.read(run_id)
        (said,) = [body for entry in entries if isinstance(body := entry.parsed(), ev.ReviewDecided)]
        assert (said.by, said.decision.decider, said.verdict.choice) == ("rule:money", "rule:money", "approve")
        assert said.decision.confidence >= 0.9
        assert "60 decisions like it" in said.decision.reasoning
        intent = state.step("pay").intent
        assert intent is not None
        assert intent.grant is not None
        assert (intent.grant.by, intent.grant.action_digest) == ("rule:money", said.grants)
        assert await house.reviews.list(run_id=run_id, open_only=False) == [], "nobody is asked, so there is no row"
        assert verify(entries).ok


@pytest.mark.parametrize(
    ("why", "given"),
    [
        ("the policy does not allow it", {"auto": None}),
        ("nothing is known yet", {"right": 0}),
        ("too few decisions", {"right": 39}),
        ("experience corrects the confidence below the threshold", {"right": 50, "wrong": 10}),
        ("the amount is above the bound", {"amount": 101}),
        ("the advice is to look", {"advisor": SureAdvisor("look")}),
        ("the advice is to reject", {"advisor": SureAdvisor("reject")}),
        ("somebody else advised", {"auto": TERMS.model_copy(update={"decider": "model:other"})}),
        (
            "another gate stands before it, without terms",
            {"more": (MONEY.model_copy(update={"name": "pay-too", "auto": None}),)},
        ),
        (
            "it would perhaps be forbidden",
            {
                "more": (
                    PolicyRule(
                        name="never",
                        then=RulingKind.FORBID,
                        when={
                            "$all": [
                                {"$eq": [{"$ref": "tool"}, "world.pay@1"]},
                                {"$eq": [{"$ref": "args.account_id"}, "x"]},
                            ]
                        },
                        because="unknown",
                        approvers=("finance",),
                    ),
                )
            },
        ),
    ],
)
async def test_otherwise_people_are_asked(why: str, given: dict[str, Any], database: Database, world: World) -> None:
    """Each condition alone is enough for that."""
    async with trusting(database, world, **{"auto": TERMS, **given}) as house:
        run_id = await house.admit()
        await house.live(run_id)
        assert await _asks(house, run_id) == ["pay"], why
        assert world.effects["pay:Ada Lovelace"] == 0


async def test_the_card_says_what_the_confidence_is_worth(database: Database, world: World) -> None:
    """The stated one stays in the recommendation; experience stands beside it, in the journal too."""
    async with trusting(database, world, right=45, wrong=15) as house:
        run_id = await house.admit()
        await house.live(run_id)
        (row,) = await house.reviews.list(run_id=run_id)
        assert row.card.recommendation is not None
        assert row.card.recommendation.confidence == 0.8
        assert row.card.experience is not None
        assert row.card.experience.n == 60
        assert row.card.experience.like == "here"
        assert row.card.experience.confidence == pytest.approx(0.75, abs=0.01)


async def test_after_a_persons_no_people_go_on_deciding(database: Database, world: World) -> None:
    """A step that was refused and is taken up anew is asked about, although the rule could say yes by then."""
    async with trusting(database, world, right=0, auto=TERMS) as house:
        run_id = await house.admit()
        await house.live(run_id)
        await _answer(house, run_id, reject(reason="not today"))
        past = [_advice(house, run_id, 1000 + number, Outcome.RIGHT) for number in range(60)]
        await Scores(database).keep(run_id, 2000, Scored(tuple(past)))
        await house.clock.sleep(60)  # sleep: on a clock where it takes no time
        await house.inbox.put(run_id, InputKind.RESUME, {"by": ASKER.id, "reason": "again"})
        await house.live(run_id)
        assert await _asks(house, run_id) == ["pay"]


async def test_an_earned_rule_answers_the_gate_it_names_until_its_time_is_over(
    database: Database, world: World
) -> None:
    """The policy itself says nothing of it. The ruling names the rule; when a week is over, people are asked again."""
    async with trusting(database, world) as house:
        await ratified(house, earned(house))
        run_id = await house.admit()
        await house.live(run_id)
        state = await house.state(run_id)
        assert state.ended is not None
        ruling = next(r for r in state.checked.rulings if r.step == "pay") if state.checked else None
        assert ruling is not None
        assert [terms.rule for terms in ruling.auto] == ["autonomy:0a1b2c3d"]
        await house.clock.sleep(7 * 86400)  # sleep: on a clock where it takes no time
        later = await house.admit("Alan Turing")
        await house.live(later)
        assert await _asks(house, later) == ["pay"]


async def test_a_rule_for_another_gate_answers_nothing(database: Database, world: World) -> None:
    """Gates are answered by name: one that the policy got since is asked about."""
    async with trusting(database, world) as house:
        await ratified(house, earned(house, answers=("doors",)))
        run_id = await house.admit()
        await house.live(run_id)
        assert await _asks(house, run_id) == ["pay"]


async def test_taking_back_what_a_rule_let_pass_suspends_it_at_once(database: Database, world: World) -> None:
    """With the cancel's own event; the next run is asked about, although its plan was ruled on before."""
    badge = step("badge", "badge", account_id={"$ref": "account.id"})  # for a person, so the run does not end
    async with trusting(database, world, after=[badge]) as house:
        rules = await ratified(house, earned(house))
        world.fault("account", "no")  # so that this run stops after its ruling, before its question
        waiting = await house.admit("Alan Turing")
        await house.live(waiting)
        run_id = await house.admit()
        await house.live(run_id)
        assert world.effects["pay:Ada Lovelace"] == 1
        assert await _status(rules) is RuleStatus.RATIFIED
        await house.inbox.put(run_id, InputKind.CANCEL, {"by": ASKER.id, "reason": "a mistake"})
        await house.live(run_id)
        found = await rules.find("0a1b2c3d")
        assert found.status is RuleStatus.SUSPENDED
        assert found.why == "a person had taken back what it let pass"
        await house.inbox.put(waiting, InputKind.RESUME, {"by": ASKER.id, "reason": "mended"})
        await house.live(waiting)
        assert "pay" in await _asks(house, waiting)
        made = scored(await house.journal.read(run_id), {"world.pay@1": "amount"}).scores
        automatic = next(score for score in made if score.kind is DecisionKind.VERDICT)
        assert automatic.outcome is Outcome.OVERRIDDEN, "so it also counts against the rule"


@pytest.mark.parametrize("verdict", [reject(reason="no"), edit({}, reason="less")])
async def test_a_persons_no_or_edit_suspends_the_rule_that_could_have_said_yes(
    verdict: Verdict, database: Database, world: World
) -> None:
    """The amount is above the rule's bound, so a person was asked, and overrode the same advice."""
    async with trusting(database, world, amount=500) as house:
        rules = await ratified(house, earned(house))
        run_id = await house.admit()
        await house.live(run_id)
        (row,) = await house.reviews.list(run_id=run_id)
        args = {**row.card.args, "amount": 400}
        await _answer(house, run_id, verdict if verdict.args is None else edit(args, reason="less"))
        assert await _status(rules) is RuleStatus.SUSPENDED


async def test_a_persons_yes_leaves_the_rule_as_it_is(database: Database, world: World) -> None:
    """What a person approves unchanged speaks for the advice."""
    async with trusting(database, world, amount=500) as house:
        rules = await ratified(house, earned(house))
        run_id = await house.admit()
        await house.live(run_id)
        await _answer(house, run_id, approve())
        assert await _status(rules) is RuleStatus.RATIFIED


async def test_a_narrower_rule_gates_what_went_by_itself(database: Database, world: World) -> None:
    """It is one of the policy's rules by then, so the strictest wins."""
    async with trusting(database, world) as house:
        rule = earned(
            house,
            direction=Direction.NARROWER,
            tool="world.account@1",
            answers=("small",),
            terms=None,
            approvers=("finance",),
        )
        await ratified(house, rule)
        run_id = await house.admit()
        await house.live(run_id)
        (row,) = await house.reviews.list(run_id=run_id)
        assert (row.card.step, row.card.approvers) == ("account", (MARY.id,))
        assert row.card.triggered_by == "autonomy:0a1b2c3d: it went well"


async def test_what_an_automatic_yes_let_pass_does_not_count_for_the_advice(database: Database, world: World) -> None:
    """Or a rule would confirm itself."""
    async with trusting(database, world, auto=TERMS) as house:
        run_id = await house.admit()
        await house.live(run_id)
        made = scored(await house.journal.read(run_id), {"world.pay@1": "amount"})
        assert made.settled
        assert {(score.kind, score.outcome) for score in made.scores} == {
            (DecisionKind.PLAN, Outcome.RIGHT),
            (DecisionKind.RULING, Outcome.RIGHT),
            (DecisionKind.VERDICT, Outcome.RIGHT),
        }
        verdict = next(score for score in made.scores if score.kind is DecisionKind.VERDICT)
        assert (verdict.rule, verdict.magnitude) == ("money", 50)
