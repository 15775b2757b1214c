"""Measures of variety on arrangements whose values are known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lacelang.evaluate.variety import coverage, mean_cosine, recall, standardised, vendi

sizes = st.integers(2, 12)


@given(sizes, st.integers(1, 5))
def test_the_vendi_score_counts_the_different_ones(kinds: int, copies: int) -> None:
    rows = np.repeat(np.eye(kinds) * 3.0, copies, axis=0)
    assert vendi(rows) == pytest.approx(1 / copies)


@given(sizes)
def test_one_person_is_a_bad_number(n: int) -> None:
    rows = np.tile([[1.0, 2.0, 3.0]], (n, 1)) * np.arange(1, n + 1)[:, None]
    assert vendi(rows) == pytest.approx(1 / n)
    assert mean_cosine(rows) == pytest.approx(1.0)


def test_the_vendi_score_of_two_at_an_angle() -> None:
    rows = np.array([[1.0, 0.0], [math.cos(1.0), math.sin(1.0)]])
    shares = [(1 + math.cos(1.0)) / 2, (1 - math.cos(1.0)) / 2]
    entropy = -sum(p * math.log(p) for p in shares)
    assert vendi(rows) == pytest.approx(math.exp(entropy) / 2)
    assert mean_cosine(rows) == pytest.approx(math.cos(1.0))


def test_opposites_are_as_different_as_strangers() -> None:
    assert vendi(np.array([[1.0, 0.0], [-1.0, 0.0]])) == pytest.approx(1.0)
    assert mean_cosine(np.array([[1.0, 0.0], [-1.0, 0.0]])) == pytest.approx(-1.0)


def test_what_a_group_shares_counts_by_how_common_it_is() -> None:
    """Being alike along the axis on which all differ most says less than along another one."""
    rng = np.random.default_rng(0)
    spread = np.array([6.0, *[1.0] * 19])
    prior = rng.normal(size=(500, 20)) * spread + 5.0
    shifts = {axis: 2.0 * spread[axis] * np.eye(20)[axis] for axis in (0, 1)}
    group = rng.normal(size=(24, 20)) * np.where(spread > 1.0, 0.5, 1.0) + 5.0
    plain = {a: mean_cosine(group + shift - prior.mean(axis=0)) for a, shift in shifts.items()}
    fair = {a: mean_cosine(standardised(group + shift, prior)) for a, shift in shifts.items()}
    assert plain[0] > 0.8
    assert fair[0] < 0.5 * plain[0]
    own = standardised(prior, prior)
    np.testing.assert_allclose(own.mean(axis=0), 0.0, atol=1e-9)
    assert np.square(own).sum(axis=1).mean() == pytest.approx(20.0, rel=0.5)
    # The unit of the descriptors does not matter.
    np.testing.assert_allclose(standardised(group, prior), standardised(3 * group, 3 * prior))


def test_recall_and_coverage_of_the_reference_itself_are_whole() -> None:
    rows = np.random.default_rng(0).normal(size=(40, 6))
    assert recall(rows, rows) == coverage(rows, rows) == 1.0


def test_what_lies_elsewhere_covers_nothing() -> None:
    rows = np.random.default_rng(1).normal(size=(40, 6))
    assert recall(rows + 100.0, rows) == coverage(rows + 100.0, rows) == 0.0


def test_half_of_a_reference() -> None:
    rng = np.random.default_rng(2)
    left, right = rng.normal(size=(30, 4)), rng.normal(size=(30, 4)) + 50.0
    reference = np.concatenate([left, right])
    assert coverage(left, reference) == recall(left, reference) == 0.5


def test_a_reach_is_the_distance_of_the_kth_neighbour() -> None:
    line = np.arange(10.0)[:, None]
    # On a line at distance 1, the second neighbour of an inner point is 1 away, of an end 2.
    assert coverage(np.array([[11.0]]), line, k=2) == 0.1
    assert coverage(np.array([[11.1]]), line, k=2) == 0.0
    assert recall(np.array([[0.0], [1.0], [2.0]]), line, k=1) == 0.4
    assert recall(np.array([[0.0], [1.0], [2.0]]), line, k=2) == 0.5


def test_one_face_shown_again_and_again_is_told_from_many() -> None:
    rng = np.random.default_rng(3)
    many = rng.normal(size=(24, 128))
    one = rng.normal(size=128) + 0.1 * rng.normal(size=(24, 128))
    assert vendi(one) < 0.2 < 0.8 < vendi(many)
