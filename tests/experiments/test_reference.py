"""Fréchet distances against their closed form, and the nearest that one can expect to come."""

from __future__ import annotations

import numpy as np
import pytest

from experiments.reference import DIRECTIONS, Reference, Unconditioned


def sample(count: int, mean: np.ndarray, scale: np.ndarray, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(mean, scale, (count, len(mean)))


def test_distance_of_normal_samples_is_that_of_their_distributions() -> None:
    scale = np.array([3.0, 2.0, 1.0, 0.5])
    other_mean, other_scale = np.array([1.0, 0.0, -2.0, 0.0]), np.array([3.0, 1.0, 1.0, 1.5])
    base = Reference.of(sample(40_000, np.zeros(4), scale, 1), directions=4)
    found = base.distance(sample(40_000, other_mean, other_scale, 2))
    # Diagonal covariances commute: |m|^2 + sum of (s - t)^2. Sampling noise is about 1e-2.
    expected = float(other_mean @ other_mean + ((scale - other_scale) ** 2).sum())
    assert found == pytest.approx(expected, abs=0.2)


def test_distance_sees_correlation() -> None:
    base = Reference.of(sample(40_000, np.zeros(2), np.ones(2), 1), directions=2)
    x = sample(40_000, np.zeros(2), np.ones(2), 2)
    mixed = np.stack([x[:, 0], 0.8 * x[:, 0] + 0.6 * x[:, 1]], axis=1)
    # Eigenvalues 1.8 and 0.2: sum of (1 - sqrt(v))^2.
    expected = (1 - 1.8**0.5) ** 2 + (1 - 0.2**0.5) ** 2
    assert base.distance(mixed) == pytest.approx(expected, abs=0.02)


def test_a_sample_lies_nearer_to_its_own_distribution_than_a_shifted_one() -> None:
    scale = np.linspace(2.0, 0.1, 100)
    base = Reference.of(sample(500, np.zeros(100), scale, 1), directions=64)
    same = base.distance(sample(100, np.zeros(100), scale, 2))
    shifted = base.distance(sample(100, 0.5 * scale, scale, 3))
    assert 0 < same < shifted


def features(count: int, seed: int) -> np.ndarray:
    scale = np.linspace(2.0, 0.1, 90)
    return np.random.default_rng(seed).normal(0.0, scale, (count, 90)).astype(np.float32)


@pytest.fixture(scope="module")
def faces() -> Unconditioned:
    return Unconditioned(Reference.of(features(800, 0)), features(200, 1))


def test_the_floor_is_the_mean_over_disjoint_parts(faces: Unconditioned) -> None:
    halves = [
        faces.reference.distance(faces.fresh[:100]),
        faces.reference.distance(faces.fresh[100:]),
    ]
    assert faces.floor(100) == pytest.approx(np.mean([h for h in halves if h is not None]))
    assert faces.floor(200) == faces.reference.distance(faces.fresh)


def test_more_faces_come_nearer(faces: Unconditioned) -> None:
    whole, half = faces.floor(200), faces.floor(80)
    assert whole is not None
    assert half is not None
    assert whole < half


def test_too_few_have_no_distance(faces: Unconditioned) -> None:
    assert faces.reference.distance(features(DIRECTIONS, 2)) is None
    assert faces.floor(DIRECTIONS) is None
    assert faces.reference.distance(features(DIRECTIONS + 1, 2)) is not None


def test_more_than_there_are_have_no_floor(faces: Unconditioned) -> None:
    assert faces.floor(201) is None
