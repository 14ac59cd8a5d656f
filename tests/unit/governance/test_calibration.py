"""The arithmetic of calibration: known cases, and what must hold for any claims."""

from __future__ import annotations

import itertools
import math
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.calibration import (
    brier,
    brier_difference,
    brier_of_base_rate,
    calibration,
    expected_error,
    reliability,
    wilson,
)
from governance.recalibration import MINIMUM, corrected_apart, curve

CLAIM = st.tuples(st.floats(0, 1), st.booleans())
CLAIMS = st.lists(CLAIM, min_size=1, max_size=200)
MANY = st.lists(CLAIM, min_size=MINIMUM, max_size=200)


def test_known_figures() -> None:
    """By hand: (0.1² + 0.8² + 0.3²) / 3; half right scores a quarter."""
    assert brier([(0.9, True), (0.8, False), (0.7, True)]) == pytest.approx((0.01 + 0.64 + 0.09) / 3)
    assert brier_of_base_rate([(0.5, True), (0.5, False)]) == 0.25
    assert wilson(0, 0) == (0, 1)
    low, high = wilson(45, 50)
    assert (round(low, 4), round(high, 4)) == (0.7864, 0.9565)  # the textbook's interval for 90 % of 50


@given(CLAIMS, st.integers(1, 20))
def test_bins_hold_every_claim_once_and_bound_their_share(claims: list[tuple[float, bool]], bins: int) -> None:
    """In order of confidence, equal ones together, none empty, never more than asked for."""
    found = reliability(claims, bins)
    assert sum(each.n for each in found) == len(claims)
    assert len(found) <= bins
    centres = [each.confidence for each in found]
    assert all(a < b or math.isclose(a, b) for a, b in itertools.pairwise(centres))
    assert all(0 <= each.low <= each.share <= each.high <= 1 for each in found)


@given(CLAIMS)
def test_scores_stay_in_their_range(claims: list[tuple[float, bool]]) -> None:
    """Brier and calibration error lie between 0 and 1; the base rate never scores worse than a quarter."""
    assert 0 <= brier(claims) <= 1
    assert 0 <= expected_error(reliability(claims)) <= 1
    assert 0 <= brier_of_base_rate(claims) <= 0.25


@given(CLAIMS, st.integers())
def test_the_same_seed_gives_the_same_interval(claims: list[tuple[float, bool]], seed: int) -> None:
    """Chance comes from outside; low is not above high."""
    low, high = brier_difference(claims, Random(seed), 50)
    assert (low, high) == brier_difference(claims, Random(seed), 50)
    assert low <= high


def test_an_interval_tells_knowing_from_guessing() -> None:
    """Who knows is better than the base rate for certain; who claims at random is worse for certain."""
    rng = Random(7)
    knows = [(0.9 if right else 0.1, right) for right in (rng.random() < 0.6 for _ in range(400))]
    guesses = [(rng.random(), rng.random() < 0.6) for _ in range(400)]
    assert brier_difference(knows, rng)[1] < 0
    assert brier_difference(guesses, rng)[0] > 0
    found = calibration(knows, rng)
    assert found is not None
    assert found.brier == pytest.approx(0.01)
    assert calibration([], rng) is None


@given(st.lists(CLAIM, max_size=MINIMUM - 1), st.floats(0, 1))
def test_few_cases_correct_nothing(claims: list[tuple[float, bool]], confidence: float) -> None:
    """Below the minimum the map is the identity."""
    assert curve(claims)(confidence) == confidence


@given(MANY, st.lists(st.floats(0, 1), min_size=2, max_size=20))
def test_the_map_rises_and_stays_between_0_and_1(claims: list[tuple[float, bool]], asked: list[float]) -> None:
    """Who is surer is never corrected below who is less sure; nothing becomes certain."""
    found = [curve(claims)(confidence) for confidence in sorted(asked)]
    assert all(a <= b for a, b in itertools.pairwise(found))
    assert all(0 < value < 1 for value in found)


@given(MANY, st.randoms(use_true_random=False))
def test_the_order_of_claims_does_not_matter(claims: list[tuple[float, bool]], rng: Random) -> None:
    """The same experience, told in another order, is the same map."""
    shuffled = list(claims)
    rng.shuffle(shuffled)
    points = [0.0, 0.25, 0.5, 0.9, 1.0]
    mapped = [[curve(each)(point) for point in points] for each in (claims, shuffled)]
    assert mapped[0] == pytest.approx(mapped[1])


def test_overconfidence_is_corrected_and_few_cases_move_little() -> None:
    """95 % said, 70 % right: many such make it 70 %, and 20 of them something between."""
    many = [(0.95, number % 10 < 7) for number in range(1000)]
    few = [(0.95, number % 10 < 7) for number in range(20)] + [(0.5, True)] * 400
    assert curve(many)(0.95) == pytest.approx(0.7, abs=0.01)
    assert curve(few)(0.95) > 0.7


def test_no_claim_vouches_for_itself() -> None:
    """A single right one among wrong ones of another confidence is not corrected by itself."""
    claims = [(0.5, False)] * 30 + [(0.9, True)]
    (corrected, _) = corrected_apart(claims)[-1]
    assert corrected < 0.1
