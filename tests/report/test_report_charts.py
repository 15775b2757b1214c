"""Charts: their scales, what they say in words, and numbers that are nothing special."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest

from lacelang.report.charts import (
    HEIGHT,
    WIDTH,
    of_classes,
    of_series,
    of_values,
    round_ticks,
)
from lacelang.report.variety import spread


def heights(path: str) -> list[float]:
    return [float(each) for each in re.findall(r"v-([\d.]+)", path)]


def test_the_highest_bar_of_both_is_as_high_as_the_chart() -> None:
    chart = of_classes("hair", ["black", "gray"], [0.25, 0.75], [0.9, 0.1])
    assert heights(chart.prior) == pytest.approx([HEIGHT, HEIGHT / 9], abs=0.1)
    assert heights(chart.bars) == pytest.approx([HEIGHT * 0.25 / 0.9, HEIGHT * 0.75 / 0.9], abs=0.1)
    assert chart.summary == "hair: black 25% (prior 90%), gray 75% (prior 10%)"


@pytest.mark.parametrize("seed", range(3))
def test_shares_of_values_sum_to_one(seed: int) -> None:
    rng = np.random.default_rng(seed)
    group, prior = rng.normal(3, 1, 50), rng.normal(0, 5, 2000)
    chart = of_values("x", group, prior, "years", (-10.0, 10.0))
    own, others = heights(chart.bars), heights(chart.prior)
    # Both on one scale: heights are shares times the same number.
    assert sum(own) == pytest.approx(sum(others), rel=0.02)
    assert "mean 3" in chart.summary or "mean 2.9" in chart.summary
    assert all(0 <= place <= WIDTH for place, _ in chart.ticks)


def test_values_that_are_all_the_same_or_beyond_the_limits_are_drawn() -> None:
    assert heights(of_values("x", np.full(3, 7.0), None).bars) == [HEIGHT]
    assert heights(of_values("x", np.array([99.0]), None, None, (0.0, 1.0)).bars) == [HEIGHT]


@pytest.mark.parametrize(
    ("low", "high"),
    [(0, 1), (0, 70), (-45, 45), (59.9, 60.0), (0, 302), (15, 32), (-1e-6, 1e-6), (3, 4e9)],
)
def test_ticks_are_round_and_few_and_differ(low: float, high: float) -> None:
    ticks = round_ticks(low, high)
    texts = [text for _, text in ticks]
    assert 2 <= len(ticks) <= 6
    assert len(set(texts)) == len(texts)
    for place, text in ticks:
        assert low - 1e-9 <= place <= high * (1 + 1e-9)
        assert float(text) == pytest.approx(place, abs=1e-9 * max(1, abs(high)))


def test_a_plot_has_a_line_for_each_sample_and_their_median() -> None:
    series = [([0, 1, 2], [8.0, 4.0, 0.0]), ([0, 1], [6.0, 2.0]), ([0, 2], [7.0, 1.0])]
    plot = of_series("Energy", series, "evaluations", log=True)
    assert plot is not None
    assert len(plot.lines) == 3
    assert plot.summary == "Energy, 3 samples: median from 7 to 1 after 2 evaluations"
    points = [tuple(map(float, p.split(","))) for line in plot.lines for p in line.points.split()]
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in points)


def test_numbers_that_are_missing_or_not_finite_are_left_out() -> None:
    assert of_series("e", [], "x") is None
    assert of_series("e", [([1, 2], [None, math.nan])], "x") is None
    plot = of_series("e", [([1, 2, 3], [None, 2.0, -1e9])], "x", log=True)
    assert plot is not None
    assert "nan" not in plot.lines[0].points
    flat = of_series("e", [([0, 0], [1.0, 1.0])], "x")
    assert flat is not None
    assert "nan" not in flat.lines[0].points


def test_the_spread_of_prior_draws_is_one_and_of_copies_nothing() -> None:
    rng = np.random.default_rng(0)
    z = rng.standard_normal((400, 64))
    assert spread(z) == pytest.approx(1.0, abs=0.02)
    assert spread(0.5 * z) == pytest.approx(0.25, abs=0.02)
    assert spread(np.ones((5, 8))) == pytest.approx(0.0, abs=1e-12)
    # By its definition: the mean of squared distances between different samples, over 2 d.
    few = z[:6]
    distances = ((few[:, None] - few[None]) ** 2).sum(axis=2)
    assert spread(few) == pytest.approx(distances.sum() / (6 * 5) / (2 * 64))
    assert spread(z[:1]) is None
    assert spread(np.full((3, 4), np.nan)) is None
