"""Invocation against a system that misbehaves: one effect, whatever happens, and the truth in the journal."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from governance.effects import EffectClass, FailureClass, Intent, LookupAnswer
from governance.errors import Fenced
from tests.integration.tools.shopserver import FAULTS, Answer, Shop
from tests.unit.tools.stage import KEY, SHOP, START, HurryingClock, Notebook, Pedal, make_tool, order, pretend, thing
from tools.breakers import BreakerState, SystemBreakers
from tools.contract import Call, Done, Existing, Failed, Later, Order, Outcome, Retry, Stopped, Tool, ToolModel, Unknown
from tools.credentials import Connection
from tools.http import SystemClients
from tools.intents import intent_for
from tools.invocation import Invocation

LAMP = {"thing_id": "t-1", "name": "lamp"}
EFFECTS = (EffectClass.NATURAL_KEY, EffectClass.KEYED, EffectClass.RECONCILABLE)
HAPPENED = {"error_after", "drop_after", "hang_after", "malformed", "cut"}


def patience(fault: str) -> timedelta:
    """A time-out that only a hanging system reaches."""
    return timedelta(seconds=1 if fault.startswith("hang") else 5)


class Stage:
    """An invocation on the shop, with everything it writes kept."""

    def __init__(self, clients: SystemClients, clock: HurryingClock, linger: float = 1e9) -> None:
        self.clock = clock
        self.ledger = Notebook()
        self.brake = Pedal()
        self.breakers = SystemBreakers(clock, threshold=5)
        self.invocation = Invocation(clients, self.breakers, clock, random.Random(1), linger=linger)

    async def perform(self, work: Order) -> Outcome:
        return await asyncio.wait_for(self.invocation.perform(work, self.ledger, self.brake), 20)

    @property
    def classes(self) -> list[str]:
        return [failure.failure.value for _, failure, _ in self.ledger.attempts]


@pytest.fixture
def stage(clients: SystemClients, clock: HurryingClock) -> Stage:
    """An invocation that waits for as long as it takes."""
    return Stage(clients, clock)


def adapted(shop: Shop, effect: EffectClass) -> None:
    """Let the shop honour what the effect class needs."""
    shop.keyed = effect is EffectClass.KEYED
    shop.unique = effect is EffectClass.NATURAL_KEY


def intent_of(work: Order) -> Intent:
    """The intent that a first attempt would have written."""
    return intent_for(work, work.tool.input.model_validate(work.args), now=START)


def open_order(effect: EffectClass, *, ambiguous: bool = True, **changes: Any) -> Order:
    """An order whose intent a dead worker left."""
    tool = changes.pop("tool", None) or make_tool(effect)
    intent = intent_of(order(tool))
    return order(tool, intent=intent, ambiguous=ambiguous, deadline=intent.deadline, **changes)


# --- exactly one effect ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("effect", EFFECTS)
async def test_one_fault_of_any_kind_ends_in_exactly_one_effect(
    shop: Shop, stage: Stage, effect: EffectClass, fault: str
) -> None:
    """One fault of any kind ends in exactly one effect."""
    adapted(shop, effect)
    shop.faults = [fault]
    outcome = await stage.perform(order(make_tool(effect, timeout=patience(fault))))
    assert outcome == Done(LAMP)
    assert len(shop.things) == 1
    assert len(stage.ledger.intents) == 1
    assert stage.classes == ["transient" if fault == "busy" else "ambiguous"]
    if effect is EffectClass.RECONCILABLE and fault != "busy":
        assert stage.ledger.answers == [LookupAnswer.OURS if fault in HAPPENED else LookupAnswer.NONE]
        assert shop.makings == (1 if fault in HAPPENED else 2)


@pytest.mark.parametrize("seed", range(40))
async def test_any_sequence_of_faults_makes_at_most_one_effect_and_never_lies(
    shop: Shop, stage: Stage, seed: int
) -> None:
    """Any sequence of faults makes at most one effect and never lies."""
    rng = random.Random(seed)
    effect = rng.choice([*EFFECTS, EffectClass.UNSAFE])
    adapted(shop, effect)
    shop.faults = [rng.choice([fault for fault in FAULTS if "hang" not in fault]) for _ in range(rng.randint(1, 6))]
    outcome = await stage.perform(order(make_tool(effect)))
    assert len(shop.things) <= 1
    match outcome:
        case Done(found=found):
            assert len(shop.things) == 1
            assert not found
        case Failed():
            assert not shop.things
        case _:
            assert isinstance(outcome, Unknown)


@pytest.mark.parametrize("fault", ["error_after", "drop_before", "hang_after", "malformed"])
async def test_an_unsafe_effect_in_doubt_is_never_repeated(shop: Shop, stage: Stage, fault: str) -> None:
    """An unsafe effect in doubt is never repeated."""
    shop.faults = [fault]
    tool = make_tool(EffectClass.UNSAFE, settle=timedelta(seconds=20), timeout=patience(fault))
    outcome = await stage.perform(order(tool))
    assert isinstance(outcome, Unknown)
    assert outcome.failure.failure is FailureClass.AMBIGUOUS
    assert shop.makings == 1
    assert stage.clock.now() >= START + timedelta(seconds=20)


async def test_a_read_is_asked_again_and_writes_no_intent(shop: Shop, stage: Stage) -> None:
    """A read is asked again and writes no intent."""
    shop.things = [{"id": "t-1", "name": "lamp"}]
    shop.script["/things"] = [Answer(500), Answer(503)]
    assert await stage.perform(order(make_tool(EffectClass.READ))) == Done(LAMP)
    assert not stage.ledger.intents
    assert stage.classes == ["transient", "transient"]
    assert 0.8 <= stage.clock.slept[0] <= 1.2
    assert 1.6 <= stage.clock.slept[1] <= 2.4


# --- found, ours, foreign -------------------------------------------------------------------------------------------


async def test_what_was_there_before_is_found_and_not_ours(shop: Shop, stage: Stage) -> None:
    """What was there before is found and not ours."""
    shop.unique = True
    shop.things = [{"id": "t-9", "name": "lamp", "reference": "someone", "key": ""}]
    outcome = await stage.perform(order(make_tool(EffectClass.NATURAL_KEY)))
    assert outcome == Done({"thing_id": "t-9", "name": "lamp"}, found=True)


async def test_already_exists_after_a_lost_call_of_someone_else_stays_found(shop: Shop, stage: Stage) -> None:
    """Already exists after a lost call of someone else stays found."""
    shop.unique = True
    shop.things = [{"id": "t-9", "name": "lamp", "reference": "someone", "key": ""}]
    shop.faults = ["drop_before"]
    outcome = await stage.perform(order(make_tool(EffectClass.NATURAL_KEY)))
    assert outcome == Done({"thing_id": "t-9", "name": "lamp"}, found=True)
    assert stage.ledger.answers == [LookupAnswer.FOREIGN]


async def test_without_a_lookup_already_exists_is_never_claimed_as_ours(shop: Shop, stage: Stage) -> None:
    """Without a lookup already exists is never claimed as ours."""
    shop.unique = True
    shop.faults = ["error_after"]
    outcome = await stage.perform(order(make_tool(EffectClass.NATURAL_KEY, lookup=None)))
    assert outcome == Done(LAMP, found=True)


async def test_a_reconcilable_thing_of_someone_else_goes_to_a_person(shop: Shop, stage: Stage) -> None:
    """A reconcilable thing of someone else goes to a person."""
    shop.things = [{"id": "t-9", "name": "lamp", "reference": "someone", "key": ""}]
    outcome = await stage.perform(open_order(EffectClass.RECONCILABLE))
    assert isinstance(outcome, Unknown)
    assert outcome.failure.code == "foreign"
    assert shop.makings == 0


# --- resuming an open intent ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("happened", [True, False])
@pytest.mark.parametrize("effect", EFFECTS)
async def test_an_open_intent_is_finished_with_one_effect(
    shop: Shop, stage: Stage, effect: EffectClass, happened: bool
) -> None:
    """An open intent is finished with one effect."""
    adapted(shop, effect)
    if happened:
        shop.things = [{"id": "t-1", "name": "lamp", "reference": KEY, "key": KEY}]
    assert await stage.perform(open_order(effect)) == Done(LAMP)
    assert len(shop.things) == 1
    assert not stage.ledger.intents


async def test_arguments_and_key_are_those_of_the_intent(shop: Shop, stage: Stage) -> None:
    """Arguments and key are those of the intent."""
    work = open_order(EffectClass.KEYED, ambiguous=False, args={"name": "another"}, key="another")
    await stage.perform(work)
    assert [(made["name"], made["reference"]) for made in shop.things] == [("lamp", KEY)]


async def test_a_lagging_search_is_believed_only_after_settle_and_lag(shop: Shop, stage: Stage) -> None:
    """A lagging search is believed only after settle and lag."""
    tool = make_tool(EffectClass.RECONCILABLE, settle=timedelta(seconds=5), lag=timedelta(seconds=2))
    assert await stage.perform(open_order(EffectClass.RECONCILABLE, tool=tool)) == Done(LAMP)
    assert stage.ledger.answers == [LookupAnswer.NONE]
    assert stage.clock.now() >= START + tool.timeout + timedelta(seconds=7)


async def test_a_key_that_has_expired_is_not_trusted(shop: Shop, stage: Stage) -> None:
    """A key that has expired is not trusted."""
    shop.things = [{"id": "t-1", "name": "lamp", "reference": KEY, "key": "forgotten"}]
    shop.keyed = True
    work = open_order(EffectClass.KEYED)
    stage.clock.moment += timedelta(hours=1)
    assert await stage.perform(work) == Done(LAMP)
    assert (shop.makings, stage.ledger.answers) == (0, [LookupAnswer.OURS])


async def test_a_key_that_has_expired_without_a_lookup_goes_to_a_person(shop: Shop, stage: Stage) -> None:
    """A key that has expired without a lookup goes to a person."""
    work = open_order(EffectClass.KEYED, tool=make_tool(EffectClass.KEYED, lookup=None))
    stage.clock.moment += timedelta(hours=1)
    assert isinstance(await stage.perform(work), Unknown)
    assert shop.makings == 0


async def test_an_unsafe_intent_left_by_a_dead_worker_goes_to_a_person(shop: Shop, stage: Stage) -> None:
    """An unsafe intent left by a dead worker goes to a person."""
    assert isinstance(await stage.perform(open_order(EffectClass.UNSAFE)), Unknown)
    assert shop.makings == 0


async def test_an_unsafe_intent_that_surely_was_not_sent_is_sent(shop: Shop, stage: Stage) -> None:
    """An unsafe intent that surely was not sent is sent."""
    assert await stage.perform(open_order(EffectClass.UNSAFE, ambiguous=False, attempts=1)) == Done(LAMP)


async def test_a_later_attempt_of_a_dead_worker_is_given_its_whole_time(shop: Shop, stage: Stage) -> None:
    """A later attempt of a dead worker is given its whole time."""
    tool = make_tool(EffectClass.RECONCILABLE, settle=timedelta(seconds=4))
    stage.clock.moment += timedelta(minutes=10)
    began = stage.clock.now()
    await stage.perform(replace(open_order(EffectClass.RECONCILABLE, tool=tool, attempts=2), deadline=None))
    assert stage.clock.slept[0] == pytest.approx(9)  # its time-out and its settle time
    assert stage.clock.now() >= began + timedelta(seconds=9)


async def test_what_the_journal_does_not_date_is_counted_from_now(
    shop: Shop, clients: SystemClients, clock: HurryingClock
) -> None:
    """A retry that may have left a moment before the worker died: the wait leaves the slice, and is dated from there."""
    tool = make_tool(EffectClass.RECONCILABLE, settle=timedelta(minutes=5))
    work = open_order(EffectClass.RECONCILABLE, tool=tool, attempts=2)
    clock.moment = START + timedelta(hours=1)
    outcome = await Stage(clients, clock, linger=1).perform(replace(work, deadline=None))
    assert isinstance(outcome, Later)
    assert outcome.at == START + timedelta(hours=1) + tool.timeout + tool.settle


@pytest.mark.parametrize("happened", [True, False])
@pytest.mark.parametrize("effect", EFFECTS)
async def test_settling_finds_out_and_starts_nothing(
    shop: Shop, stage: Stage, effect: EffectClass, happened: bool
) -> None:
    """Settling finds out and starts nothing."""
    adapted(shop, effect)
    if happened:
        shop.things = [{"id": "t-1", "name": "lamp", "reference": KEY, "key": KEY}]
    outcome = await stage.perform(open_order(effect, settle_only=True))
    assert outcome == (Done(LAMP) if happened else Stopped())
    assert shop.makings == 0


async def test_settling_what_is_someone_elses_by_its_natural_key_stops(shop: Shop, stage: Stage) -> None:
    """Settling what is someone elses by its natural key stops."""
    shop.things = [{"id": "t-9", "name": "lamp", "reference": "someone", "key": ""}]
    assert await stage.perform(open_order(EffectClass.NATURAL_KEY, settle_only=True)) == Stopped()


async def test_settling_an_unsafe_intent_asks_a_person_and_one_not_sent_stops(shop: Shop, stage: Stage) -> None:
    """Settling an unsafe intent asks a person and one not sent stops."""
    assert isinstance(await stage.perform(open_order(EffectClass.UNSAFE, settle_only=True)), Unknown)
    assert await stage.perform(open_order(EffectClass.UNSAFE, ambiguous=False, settle_only=True)) == Stopped()
    assert shop.makings == 0


# --- retries, limits, waiting ---------------------------------------------------------------------------------------


async def test_retry_after_is_honoured(shop: Shop, stage: Stage) -> None:
    """Retry after is honoured."""
    shop.faults = ["busy"]
    assert await stage.perform(order(make_tool(EffectClass.UNSAFE))) == Done(LAMP)
    (attempt,) = stage.ledger.attempts
    assert attempt[0] == 1
    assert attempt[2] == START + timedelta(seconds=3)
    assert stage.clock.slept == [3.0]


async def test_a_long_wait_leaves_the_slice(shop: Shop, clients: SystemClients, clock: HurryingClock) -> None:
    """A long wait leaves the slice."""
    shop.faults = ["busy"]
    stage = Stage(clients, clock, linger=2)
    outcome = await stage.perform(order(make_tool(EffectClass.KEYED)))
    assert isinstance(outcome, Later)
    assert outcome.at == START + timedelta(seconds=3)
    assert not clock.slept


async def test_a_settle_time_leaves_the_slice_and_is_taken_up_there(
    shop: Shop, clients: SystemClients, clock: HurryingClock
) -> None:
    """A settle time leaves the slice and is taken up there."""
    tool = make_tool(EffectClass.RECONCILABLE, settle=timedelta(minutes=5))
    stage = Stage(clients, clock, linger=2)
    work = open_order(EffectClass.RECONCILABLE, tool=tool)
    outcome = await stage.perform(work)
    assert isinstance(outcome, Later)
    assert outcome.at == START + tool.timeout + tool.settle
    clock.moment = outcome.at
    assert await stage.perform(work) == Done(LAMP)


async def test_attempts_count_over_the_life_of_the_step(shop: Shop, stage: Stage) -> None:
    """Attempts count over the life of the step."""
    shop.script["/things"] = [Answer(503, None, {"Retry-After": "1"})] * 9
    outcome = await stage.perform(open_order(EffectClass.KEYED, ambiguous=False, attempts=2))
    assert isinstance(outcome, Failed)
    assert outcome.failure.failure is FailureClass.TRANSIENT
    assert [number for number, _, _ in stage.ledger.attempts] == [3, 4]
    assert stage.ledger.attempts[-1][2] is None


async def test_nothing_is_called_when_the_attempts_are_used_up(shop: Shop, stage: Stage) -> None:
    """Nothing is called when the attempts are used up."""
    assert isinstance(await stage.perform(open_order(EffectClass.KEYED, ambiguous=False, attempts=4)), Failed)
    assert isinstance(await stage.perform(open_order(EffectClass.RECONCILABLE, attempts=4)), Failed)
    assert shop.makings == 0


async def test_an_exhausted_call_in_doubt_is_looked_up_before_anything_is_said(shop: Shop, stage: Stage) -> None:
    """An exhausted call in doubt is looked up before anything is said."""
    shop.keyed = True
    shop.faults = ["drop_after"] * 4
    assert await stage.perform(order(make_tool(EffectClass.KEYED))) == Done(LAMP)
    assert stage.ledger.answers == [LookupAnswer.OURS]


async def test_a_refusal_after_a_lost_call_does_not_say_that_nothing_happened(shop: Shop, stage: Stage) -> None:
    """A refusal after a lost call does not say that nothing happened."""
    shop.faults = ["drop_after"]
    tool = make_tool(EffectClass.KEYED, lookup=None)
    stage.clock.on_sleep = lambda: shop.script.update({"/things": [Answer(403, {"message": "no more"})]})
    outcome = await stage.perform(order(tool))
    assert isinstance(outcome, Unknown)
    assert stage.classes == ["ambiguous", "ambiguous"]


async def test_a_lookup_that_cannot_be_made_goes_to_a_person(shop: Shop, stage: Stage) -> None:
    """A lookup that cannot be made goes to a person."""
    shop.script["/things"] = [Answer(500)] * 9
    outcome = await stage.perform(open_order(EffectClass.RECONCILABLE))
    assert isinstance(outcome, Unknown)
    assert shop.makings == 0
    assert len(stage.ledger.attempts) == 4


async def test_a_refusal_is_permanent_with_the_systems_words(shop: Shop, stage: Stage) -> None:
    """A refusal is permanent with the systems words."""
    body = {"error": {"code": "invalid", "message": "no", "fields": [{"field": "name", "issue": "too dull"}]}}
    shop.script["/things"] = [Answer(422, body)]
    outcome = await stage.perform(order(make_tool(EffectClass.KEYED)))
    assert isinstance(outcome, Failed)
    assert outcome.failure.fix == "name: too dull"
    assert stage.classes == ["permanent"]


async def test_bad_arguments_fail_before_anything_is_written(shop: Shop, stage: Stage) -> None:
    """Bad arguments fail before anything is written."""
    outcome = await stage.perform(order(make_tool(EffectClass.KEYED), args={"nmae": "lamp"}))
    assert isinstance(outcome, Failed)
    assert "did you mean name?" in outcome.failure.message
    assert not stage.ledger.intents
    assert not shop.asked


# --- order of things ------------------------------------------------------------------------------------------------


async def test_the_intent_is_durable_before_the_first_byte(shop: Shop, stage: Stage) -> None:
    """The intent is durable before the first byte."""
    seen: list[int] = []
    stage.ledger.on_intent = lambda: seen.append(len(shop.asked))
    await stage.perform(order(make_tool(EffectClass.KEYED)))
    assert seen == [0]


async def test_a_brake_pulled_while_the_intent_was_written_stops_before_the_first_byte(
    shop: Shop, stage: Stage
) -> None:
    """A brake pulled while the intent was written stops before the first byte."""
    stage.ledger.on_intent = stage.brake.event.set
    assert await stage.perform(order(make_tool(EffectClass.UNSAFE))) == Stopped()
    assert not shop.asked
    assert stage.classes == ["transient"]


async def test_a_pulled_brake_starts_nothing_and_ends_a_waiting_retry(shop: Shop, stage: Stage) -> None:
    """A pulled brake starts nothing and ends a waiting retry."""
    shop.faults = ["busy"] * 4
    stage.clock.on_sleep = stage.brake.event.set
    assert await stage.perform(order(make_tool(EffectClass.KEYED))) == Stopped()
    assert await stage.perform(order(make_tool(EffectClass.KEYED))) == Stopped()
    assert shop.makings == 1


async def test_a_call_past_its_time_is_in_doubt_and_cancelled(shop: Shop, stage: Stage) -> None:
    """A call past its time is in doubt and cancelled."""
    shop.faults = ["hang_before"]
    tool = make_tool(EffectClass.UNSAFE, retry=Retry(attempts=1), timeout=patience("hang"))
    assert isinstance(await stage.perform(order(tool)), Unknown)
    assert stage.ledger.attempts[0][1].code == "timeout"


async def test_no_more_calls_at_once_than_the_system_bears(shop: Shop, clock: HurryingClock) -> None:
    """Counted in the tool itself, because the connection pool alone would hide it from the server."""
    at_once = most = 0

    async def run(_: Call, wanted: Any) -> ToolModel:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        for _turn in range(5):
            await asyncio.sleep(0)
        at_once -= 1
        return pretend(wanted, "x")

    system = replace(SHOP, concurrency=2)
    async with SystemClients([system], {"shop": Connection(shop.url)}, clock) as clients:
        stage = Stage(clients, clock)
        work = [order(make_tool(EffectClass.READ, run=run), key=f"k{n}") for n in range(8)]
        outcomes = await asyncio.gather(*(stage.perform(one) for one in work))
    assert all(isinstance(outcome, Done) for outcome in outcomes)
    assert most == 2


async def test_a_breaker_opens_is_seen_and_is_tried_again(shop: Shop, stage: Stage) -> None:
    """Five failures open it; waiting for it to close is no attempt; then the system is asked again."""
    shop.things = [{"id": "t-1", "name": "lamp"}]
    shop.script["/things"] = [Answer(500)] * 5
    tool = make_tool(EffectClass.READ, retry=Retry(attempts=7))
    assert await stage.perform(order(tool)) == Done(LAMP)
    codes = [failure.code for _, failure, _ in stage.ledger.attempts]
    assert codes == ["http_500"] * 5
    assert stage.breakers.states() == {"shop": BreakerState.CLOSED}
    assert len(shop.asked) == 6


# --- the boundary ---------------------------------------------------------------------------------------------------


class BubbleUp(Exception):
    """An exception like LangGraph's, which is no error."""


@pytest.mark.parametrize("refusal", [BubbleUp("up"), Fenced("not ours"), RuntimeError("broken"), TimeoutError("slow")])
async def test_what_the_ledger_raises_passes(shop: Shop, clients: SystemClients, refusal: Exception) -> None:
    """What the ledger raises passes."""
    stage = Stage(clients, HurryingClock())
    stage.ledger.refusal = refusal
    with pytest.raises(type(refusal)):
        await stage.perform(order(make_tool(EffectClass.KEYED)))
    assert not shop.asked
    assert stage.breakers.states() == {"shop": BreakerState.CLOSED}


async def test_cancellation_passes_and_says_nothing_about_the_system(shop: Shop, stage: Stage) -> None:
    """Cancellation passes and says nothing about the system."""
    shop.faults = ["hang_before"]
    task = asyncio.create_task(stage.perform(order(make_tool(EffectClass.KEYED, timeout=timedelta(seconds=9)))))
    await shop.arrived.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not stage.ledger.attempts


def broken_tool(effect: EffectClass, *, after: bool, error: Exception) -> Tool:
    """A tool with a defect, before or after its request."""

    async def run(call: Call, wanted: Any) -> ToolModel | Existing:
        if after:
            await call.http.request("POST", "/things", json={"name": wanted.name, "reference": call.key})
        raise error

    return make_tool(effect, run=run, lookup=None)


@pytest.mark.parametrize("error", [KeyError("id"), ZeroDivisionError(), BubbleUp()])
async def test_a_defect_in_a_tool_ends_the_step_by_what_may_have_happened(
    shop: Shop, stage: Stage, error: Exception
) -> None:
    """A defect in a tool ends the step by what may have happened."""
    before = await stage.perform(order(broken_tool(EffectClass.UNSAFE, after=False, error=error)))
    assert isinstance(before, Failed)
    assert before.failure.failure is FailureClass.PERMANENT
    assert type(error).__name__ in before.failure.message
    after = await stage.perform(order(broken_tool(EffectClass.UNSAFE, after=True, error=error)))
    assert isinstance(after, Unknown)
    read = await stage.perform(order(broken_tool(EffectClass.READ, after=True, error=error)))
    assert isinstance(read, Failed)


async def test_fenced_passes_even_from_a_tool(stage: Stage) -> None:
    """Fenced passes even from a tool."""
    with pytest.raises(Fenced):
        await stage.perform(order(broken_tool(EffectClass.UNSAFE, after=False, error=Fenced("x"))))


async def test_an_output_that_does_not_fit_after_an_effect_is_reconciled(shop: Shop, stage: Stage) -> None:
    """An output that does not fit after an effect is reconciled."""

    async def run(call: Call, wanted: Any) -> ToolModel:
        answer = await call.http.request("POST", "/things", json={"name": wanted.name, "reference": call.key})
        return thing(answer.body).model_copy(update={"name": None})

    tool = make_tool(EffectClass.RECONCILABLE, run=run)
    assert await stage.perform(order(tool)) == Done(LAMP)
    assert stage.ledger.answers == [LookupAnswer.OURS]
    assert len(shop.things) == 1
