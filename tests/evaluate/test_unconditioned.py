"""Distances to unconditioned faces, and the nearest that one can expect to come."""

from __future__ import annotations

import numpy as np
import pytest

from lacelang.evaluate.frechet import DIRECTIONS, reference
from lacelang.evaluate.unconditioned import Unconditioned


def features(count: int, seed: int) -> np.ndarray:
    scale = np.linspace(2.0, 0.1, 90)
    return np.random.default_rng(seed).normal(0.0, scale, (count, 90)).astype(np.float32)


@pytest.fixture(scope="module")
def faces() -> Unconditioned:
    return Unconditioned(reference(features(800, 0)), features(200, 1))


def test_the_floor_is_the_mean_over_disjoint_parts(faces: Unconditioned) -> None:
    halves = [faces.distance(faces.fresh[:100]), faces.distance(faces.fresh[100:])]
    assert faces.floor(100) == pytest.approx(np.mean([h for h in halves if h is not None]))
    assert faces.floor(200) == faces.distance(faces.fresh)


def test_more_faces_come_nearer(faces: Unconditioned) -> None:
    whole, half = faces.floor(200), faces.floor(80)
    assert whole is not None
    assert half is not None
    assert whole < half


def test_too_few_have_no_distance(faces: Unconditioned) -> None:
    assert faces.distance(features(DIRECTIONS, 2)) is None
    assert faces.floor(DIRECTIONS) is None
    assert faces.distance(features(DIRECTIONS + 1, 2)) is not None


def test_more_than_there_are_have_no_floor(faces: Unconditioned) -> None:
    assert faces.floor(201) is None
