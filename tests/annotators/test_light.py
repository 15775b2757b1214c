"""Lighting: a known light on a known surface is recovered."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from lacelang.annotators.faces import light

Array = NDArray[np.float64]
TRUE = np.array([0.4, 0.05, 0.1, -0.12])


def dome(count: int = 800) -> Array:
    """Points spread over the half of a unit sphere that faces the viewer."""
    rng = np.random.default_rng(0)
    points = rng.normal(size=(count, 3))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    points[:, 2] = np.abs(points[:, 2])
    return points


def shaded(normal: Array) -> Array:
    return TRUE[0] + normal @ np.array([TRUE[3], TRUE[1], TRUE[2]])


def test_normals_of_a_sphere_are_its_radii() -> None:
    points = dome()
    found = light.normals(points, light.neighbours(points))
    inner = points[:, 2] > 0.3
    assert (found * points).sum(1)[inner].min() > 0.97


def test_side_light_is_recovered() -> None:
    normal = dome()
    fitted = light.fit(normal, shaded(normal))
    assert fitted[1] == pytest.approx(TRUE[1], abs=0.01)
    assert fitted[3] == pytest.approx(TRUE[3], abs=0.01)
    # The constant takes over what the pull toward zero keeps from the frontal term.
    assert fitted[0] + fitted[2] * 0.58 == pytest.approx(TRUE[0] + TRUE[2] * 0.58, abs=0.01)


def test_a_cast_shadow_counts_for_little() -> None:
    normal = dome()
    luminance = shaded(normal)
    luminance[:80] = 0.02
    clean = light.fit(normal, shaded(normal))
    assert light.fit(normal, luminance) == pytest.approx(clean, abs=0.01)


def test_light_from_the_right_is_positive_and_mirrors() -> None:
    normal = dome()
    right = light.fit(normal, 0.3 + 0.1 * normal[:, 0])
    left = light.fit(normal, 0.3 - 0.1 * normal[:, 0])
    assert right[3] > 0.08
    assert left[3] < -0.08


def test_too_little_skin_is_unknown() -> None:
    normal = dome(30)
    assert np.isnan(light.fit(normal, shaded(normal))).all()


def test_linear_luminance_ends_and_middle() -> None:
    codes = np.array([[0, 0, 0], [255, 255, 255], [188, 188, 188], [0, 255, 0]], dtype=np.uint8)
    assert light.linear_luminance(codes) == pytest.approx([0.0, 1.0, 0.5029, 0.7152], abs=1e-3)
