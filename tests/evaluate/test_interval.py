"""Wilson's interval against the binomial distribution itself."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lacelang.engine.measures import wilson


def binomial(hits: int, draws: int, p: float) -> float:
    """Probability of so many hits."""
    logs = math.lgamma(draws + 1) - math.lgamma(hits + 1) - math.lgamma(draws - hits + 1)
    return math.exp(logs + hits * math.log(p) + (draws - hits) * math.log1p(-p))


@given(st.integers(60, 600), st.floats(0.1, 0.9))
def test_it_covers_the_probability_as_often_as_it_says(draws: int, p: float) -> None:
    # Exact, over every possible count; a discrete interval swings about its nominal 0.95.
    covered = 0.0
    for hits in range(draws + 1):
        low, high = wilson(hits, draws)
        covered += binomial(hits, draws, p) if low <= p <= high else 0.0
    assert 0.92 < covered < 0.98


@given(st.integers(1, 100_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_it_holds_the_share_and_stays_inside(counts: tuple[int, int]) -> None:
    hits, draws = counts
    low, high = wilson(hits, draws)
    assert 0.0 <= low <= hits / draws <= high <= 1.0
    assert low < high
    other = wilson(draws - hits, draws)
    assert (1 - other[1], 1 - other[0]) == pytest.approx((low, high), abs=1e-12)


def test_known_values() -> None:
    # The rule of three, nearly: z^2 / (n + z^2).
    assert wilson(0, 100) == pytest.approx((0.0, 0.036994), abs=1e-6)
    assert wilson(50, 100) == pytest.approx((0.403832, 0.596168), abs=1e-6)


@given(st.integers(0, 50))
def test_more_draws_say_more(hits: int) -> None:
    few, many = wilson(hits, 50), wilson(hits * 100, 5000)
    assert many[1] - many[0] < few[1] - few[0]
