"""Fréchet distances against their closed form."""

from __future__ import annotations

import numpy as np
import pytest

from lacelang.evaluate.frechet import reference


def sample(count: int, mean: np.ndarray, scale: np.ndarray, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(mean, scale, (count, len(mean)))


def test_distance_of_normal_samples_is_that_of_their_distributions() -> None:
    scale = np.array([3.0, 2.0, 1.0, 0.5])
    other_mean, other_scale = np.array([1.0, 0.0, -2.0, 0.0]), np.array([3.0, 1.0, 1.0, 1.5])
    base = reference(sample(40_000, np.zeros(4), scale, 1), directions=4)
    found = base.distance(sample(40_000, other_mean, other_scale, 2))
    # Diagonal covariances commute: |m|^2 + sum of (s - t)^2. Sampling noise is about 1e-2.
    expected = float(other_mean @ other_mean + ((scale - other_scale) ** 2).sum())
    assert found == pytest.approx(expected, abs=0.2)


def test_distance_sees_correlation() -> None:
    base = reference(sample(40_000, np.zeros(2), np.ones(2), 1), directions=2)
    x = sample(40_000, np.zeros(2), np.ones(2), 2)
    mixed = np.stack([x[:, 0], 0.8 * x[:, 0] + 0.6 * x[:, 1]], axis=1)
    # Eigenvalues 1.8 and 0.2: sum of (1 - sqrt(v))^2.
    expected = (1 - 1.8**0.5) ** 2 + (1 - 0.2**0.5) ** 2
    assert base.distance(mixed) == pytest.approx(expected, abs=0.02)


def test_a_sample_lies_nearer_to_its_own_distribution_than_a_shifted_one() -> None:
    scale = np.linspace(2.0, 0.1, 100)
    base = reference(sample(500, np.zeros(100), scale, 1), directions=64)
    same = base.distance(sample(100, np.zeros(100), scale, 2))
    shifted = base.distance(sample(100, 0.5 * scale, scale, 3))
    assert 0 < same < shifted
