"""Decisions in words that every surface shares: who decided, how sure, what it took, what became of it."""

from __future__ import annotations

from collections.abc import Callable

from governance.decisions import ModelUse
from governance.record import DecisionRecord, Spent

Namer = Callable[[str], str]
_MICRO = 1_000_000


def decider(record: DecisionRecord, name: Namer) -> str:
    """``rule:advisor`` as people read it: ``the rule advisor``, ``the model gpt``, ``Mary Jackson``."""
    kind, _, who = record.decider.partition(":")
    return {"rule": f"the rule {who}", "model": f"the model {who}", "person": name(who)}.get(kind, record.decider)


def took(use: ModelUse | Spent) -> str:
    """``2 calls, 1,204 + 310 tokens, $0.0042, 1.9 s``."""
    calls = f"{use.calls} call" + ("" if use.calls == 1 else "s")
    tokens = f"{use.tokens_in:,} + {use.tokens_out:,} tokens"
    return f"{calls}, {tokens}, {dollars(use.cost_microusd)}, {use.latency_ms / 1000:.1f} s"


def dollars(microusd: int) -> str:
    """Millionths of a dollar as dollars, with as many places as it takes to see something."""
    amount = microusd / _MICRO
    return f"${amount:,.2f}" if not microusd or amount >= 1 else f"${amount:.6f}".rstrip("0")


def total(spent: Spent) -> str:
    """What asking models took, in a sentence."""
    if not spent.asked:
        return "No model was asked: every decision is by rule or by a person."
    many = "1 decision" if spent.asked == 1 else f"{spent.asked} decisions"
    return f"Models were asked for {many}: {took(spent)}."
