"""The desk: every question to a model goes over it. Retries, the fallback, limits, accounts; never an exception for a bad answer."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from tenacity import AsyncRetrying, RetryCallState, retry_if_result, stop_after_attempt

from agents.models.ports import Form, Ledger, Message, Model, Said, Speaker, Trouble
from agents.models.pricing import Prices, estimated
from agents.models.prompts import Prompt
from agents.models.reading import Check, Unusable, fits, read
from governance.clock import Clock
from governance.decisions import ModelUse
from governance.models import CallBegun, CallEnded

_ATTEMPTS = 3
_ROUNDS = 2
_FIRST, _FACTOR, _JITTER = 1.0, 2.0, 0.2
_LONGEST_WAIT = 20.0  # seconds; whoever asks for a longer pause is passed over for now
_QUOTED = 4_000


@dataclass(frozen=True)
class Question:
    """Something to decide. ``told`` is the part that changes; ``run``: whose account it is on, if any.

    ``check`` says what is wrong with an answer; without it the schema does.
    """

    kind: str
    prompt: Prompt
    told: str
    schema: Mapping[str, Any]
    run: str = ""
    check: Check | None = None


@dataclass(frozen=True)
class Answered:
    """An object that passed the question's check, and what it took."""

    value: dict[str, Any]
    use: ModelUse


@dataclass(frozen=True)
class NoAnswer:
    """No model gave an answer that could be used. ``why``: a whole sentence; ``use``: what trying took, if anything."""

    why: str
    use: ModelUse | None


@dataclass(frozen=True)
class _Held:
    """The limits forbid a call."""

    why: str


@dataclass
class _Tally:
    """What a question has taken so far."""

    question: Question
    model: str = ""
    calls: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    cost: int = 0
    latency: int = 0

    def use(self) -> ModelUse:
        return ModelUse(
            model=self.model,
            prompt=self.question.prompt.id,
            calls=self.calls,
            tokens_in=self.tokens_in,
            tokens_out=self.tokens_out,
            cost_microusd=self.cost,
            latency_ms=self.latency,
        )


@dataclass(frozen=True)
class Desk:
    """Asks the first of ``models``, and where it cannot answer the next.

    Each is asked again up to twice when it was only busy or out of reach, and once more, with the reason, when its
    answer could not be used.
    """

    models: Sequence[Model]
    ledger: Ledger
    prices: Prices
    clock: Clock
    rng: random.Random = field(default_factory=random.SystemRandom)

    async def ask(self, question: Question) -> Answered | NoAnswer:
        """The answer to a question, or why there is none. Raises DatabaseUnavailable when calls cannot be counted."""
        tally = _Tally(question)
        whys: list[str] = []
        for model in self.models:
            found = await self._of(model, question, tally)
            if isinstance(found, dict):
                return Answered(found, tally.use())
            if isinstance(found, _Held):
                return NoAnswer(f"No model was asked: {found.why}.", tally.use() if tally.calls else None)
            told = "gave no answer that could be used" if found.unusable else "could not be reached"
            whys.append(f"The model {model.name} {told}: {found.why}.")
        return NoAnswer(" ".join(whys), tally.use() if tally.calls else None)

    async def _of(self, model: Model, question: Question, tally: _Tally) -> dict[str, Any] | Trouble | _Held:
        messages = [Message(Speaker.SYSTEM, question.prompt.text), Message(Speaker.USER, question.told)]
        found: dict[str, Any] | Trouble | _Held = Trouble("it was not asked")
        for _ in range(_ROUNDS):
            heard = _Heard()
            found = await self._patiently(model, question, messages, tally, heard)
            if not isinstance(found, Trouble) or not found.unusable:
                return found
            again = (
                f"That answer cannot be used: {found.why}. Answer again: one JSON object, as described, and no more."
            )
            messages += [Message(Speaker.MODEL, heard.text[:_QUOTED] or "(nothing)"), Message(Speaker.USER, again)]
        return found

    async def _patiently(
        self, model: Model, question: Question, messages: Sequence[Message], tally: _Tally, heard: _Heard
    ) -> dict[str, Any] | Trouble | _Held:
        """The answer; a call that failed for the moment is made again."""

        async def once() -> dict[str, Any] | Trouble | _Held:
            return await self._once(model, question, messages, tally, heard)

        loop = AsyncRetrying(
            retry=retry_if_result(lambda found: isinstance(found, Trouble) and found.transient),
            wait=self._pause,
            stop=lambda state: stop_after_attempt(_ATTEMPTS)(state) or self._pause(state) > _LONGEST_WAIT,
            sleep=self.clock.sleep,
            retry_error_callback=_outcome,
        )
        return cast("dict[str, Any] | Trouble | _Held", await loop(once))

    def _pause(self, state: RetryCallState) -> float:
        """Seconds before the next attempt: growing, and never sooner than the endpoint asks."""
        found = _outcome(state)
        asked = found.retry_after.total_seconds() if isinstance(found, Trouble) and found.retry_after else 0.0
        delay = _FIRST * _FACTOR ** (state.attempt_number - 1) * self.rng.uniform(1 - _JITTER, 1 + _JITTER)
        return max(delay, asked)

    async def _once(
        self, model: Model, question: Question, messages: Sequence[Message], tally: _Tally, heard: _Heard
    ) -> dict[str, Any] | Trouble | _Held:
        given = estimated("".join(message.text for message in messages))
        most = self.prices.cost(model.name, given, model.most_tokens)
        call = CallBegun(question.run, question.kind, model.name, question.prompt.id, self.clock.now(), most)
        leave = await self.ledger.begin(call)
        if not leave.call:
            return _Held(leave.why)
        if leave.wait:
            await self.clock.sleep(leave.wait.total_seconds())
        began = asyncio.get_running_loop().time()
        said = await model.say(messages, Form(question.kind, question.schema))
        latency = round((asyncio.get_running_loop().time() - began) * 1000)
        found = _read(said, question)
        ended = self._ended(model, said, found, given, latency)
        heard.text = said.text if isinstance(said, Said) else ""
        tally.model, tally.calls = model.name, tally.calls + 1
        tally.tokens_in += ended.tokens_in
        tally.tokens_out += ended.tokens_out
        tally.cost += ended.cost_microusd
        tally.latency += latency
        await self.ledger.end(leave.call, ended)
        return found

    def _ended(
        self, model: Model, said: Said | Trouble, found: dict[str, Any] | Trouble, given: int, latency: int
    ) -> CallEnded:
        """What a call took; where the endpoint does not count and did answer, by estimate."""
        answered = isinstance(said, Said) or said.unusable
        text = said.text if isinstance(said, Said) else ""
        tokens_in = said.tokens_in if said.tokens_in is not None else given if answered else 0
        tokens_out = said.tokens_out if said.tokens_out is not None else estimated(text)
        return CallEnded(
            ok=isinstance(found, dict),
            why=_kind(found),
            tokens_in=tokens_in,
            tokens_out=tokens_out,
            cost_microusd=self.prices.cost(model.name, tokens_in, tokens_out),
            latency_ms=latency,
        )


@dataclass
class _Heard:
    """The model's last words."""

    text: str = ""


def _read(said: Said | Trouble, question: Question) -> dict[str, Any] | Trouble:
    if isinstance(said, Trouble):
        return said
    try:
        return read(said.text, question.check or fits(question.schema))
    except Unusable as error:
        return Trouble(str(error), unusable=True)


def _kind(found: dict[str, Any] | Trouble) -> str:
    """Why a call came to nothing, without what the model wrote."""
    return "" if isinstance(found, dict) else found.why.partition(":")[0]


def _outcome(state: RetryCallState) -> Any:
    """What the attempt gave (tenacity hands over its state)."""
    if state.outcome is None:
        raise RuntimeError("tenacity asked about an attempt that has not ended")
    return state.outcome.result()
