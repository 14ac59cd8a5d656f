"""The table of effect classes: a second call is made only where it cannot make a second effect."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from governance.effects import EffectClass
from tests.unit.tools.stage import START, look, make_tool
from tools.reconcile import Move, next_move

SECONDS = st.floats(0, 1e5).map(lambda seconds: timedelta(seconds=seconds))


@given(
    effect=st.sampled_from(EffectClass),
    has_lookup=st.booleans(),
    in_doubt=st.booleans(),
    may_call=st.booleans(),
    elapsed=SECONDS,
    settle=SECONDS,
    lag=SECONDS,
    life=st.none() | SECONDS,
)
def test_in_doubt_only_harmless_calls_are_made_and_nothing_is_asked_too_early(
    effect: EffectClass,
    has_lookup: bool,
    in_doubt: bool,
    may_call: bool,
    elapsed: timedelta,
    settle: timedelta,
    lag: timedelta,
    life: timedelta | None,
) -> None:
    """In doubt only harmless calls are made and nothing is asked too early."""
    tool = make_tool(effect, lookup=look if has_lookup else None, settle=settle, lag=lag)
    now, deadline = START + elapsed, START + tool.timeout
    expires = None if life is None else START + life
    step = next_move(tool, now=now, in_doubt=in_doubt, may_call=may_call, deadline=deadline, key_expires=expires)
    assert step.at >= now
    if step.move is Move.CALL and in_doubt and effect is not EffectClass.READ:
        assert may_call
        assert effect in {EffectClass.NATURAL_KEY, EffectClass.KEYED}
        assert effect is EffectClass.NATURAL_KEY or expires is None or now + tool.timeout < expires
    if step.move is Move.LOOK_UP:
        assert has_lookup
        assert step.at >= deadline + settle + lag
    if step.move is Move.ASK:
        assert not has_lookup
        assert step.at >= deadline + settle
