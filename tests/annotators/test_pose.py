"""Head pose: rotations are recovered, signs are as documented, the mean mesh is frontal."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import load_file

from lacelang.annotators.faces import mesh
from lacelang.resources import shipped

Array = NDArray[np.float64]
IMAGE_AXES = np.array([1.0, -1.0, -1.0])


@pytest.fixture(scope="module")
def frontal() -> Array:
    return load_file(shipped("stdlib") / "face.mesh.safetensors")["frontal"].astype(np.float64)


def turned(yaw: float, pitch: float, roll: float) -> Array:
    """Rotation that turns a face right, then lifts it, after tilting it clockwise in the image."""
    a, b, c = np.radians([yaw, pitch, roll])
    about_y = np.array([[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(b), np.sin(b)], [0, -np.sin(b), np.cos(b)]])
    about_z = np.array([[np.cos(c), np.sin(c), 0], [-np.sin(c), np.cos(c), 0], [0, 0, 1]])
    return about_y @ about_x @ about_z


def seen(shape: Array, rotation: Array) -> Array:
    """The mesh in image axes of a face so turned, somewhere in the picture and of any size."""
    return (37.0 * shape @ rotation.T) * IMAGE_AXES + np.array([250.0, 300.0, 12.0])


@pytest.mark.parametrize("angles", [(0, 0, 0), (25, 0, 0), (-40, 10, 0), (15, -20, 8), (0, 0, -9)])
def test_known_pose_is_recovered(frontal: Array, angles: tuple[float, float, float]) -> None:
    points = seen(frontal, turned(*angles))
    assert mesh.head_pose(points, frontal) == pytest.approx(angles, abs=1e-6)


def test_pose_survives_noise(frontal: Array) -> None:
    noise = np.random.default_rng(0).normal(0, 0.05, frontal.shape)
    points = seen(frontal + noise, turned(20, -5, 3))
    assert mesh.head_pose(points, frontal) == pytest.approx((20, -5, 3), abs=0.5)


def test_yaw_is_positive_when_the_nose_points_to_the_right_of_the_picture(frontal: Array) -> None:
    points = seen(frontal, turned(30, 0, 0))
    nose_tip, ears = points[1], points[[234, 454]].mean(0)
    assert nose_tip[0] > ears[0]
    assert mesh.head_pose(points, frontal)[0] > 0


def test_pitch_is_positive_when_the_nose_points_up(frontal: Array) -> None:
    level = seen(frontal, turned(0, 0, 0))
    lifted = seen(frontal, turned(0, 20, 0))
    assert lifted[1, 1] < level[1, 1]
    assert mesh.head_pose(lifted, frontal)[1] > 0


def test_mirror_image_negates_yaw_and_roll(frontal: Array) -> None:
    points = seen(frontal, turned(17, 6, 4))
    mirrored = (points * np.array([-1.0, 1.0, 1.0]))[mesh.partners(frontal)]
    assert mesh.head_pose(mirrored, frontal) == pytest.approx((-17, 6, -4), abs=1e-3)


def test_procrustes_recovers_scale_and_never_reflects() -> None:
    rng = np.random.default_rng(1)
    source = rng.normal(size=(30, 3))
    rotation, scale = mesh.procrustes(source, 2.5 * source @ turned(50, 20, 10).T)
    assert scale == pytest.approx(2.5)
    assert rotation == pytest.approx(turned(50, 20, 10))
    rotation, _ = mesh.procrustes(source, source * np.array([-1.0, 1.0, 1.0]))
    assert np.linalg.det(rotation) == pytest.approx(1.0)


def test_shipped_mesh_is_symmetric_and_upright(frontal: Array) -> None:
    mirrored = (frontal * np.array([-1.0, 1.0, 1.0]))[mesh.partners(frontal)]
    assert mirrored == pytest.approx(frontal, abs=1e-5)
    assert frontal[10, 1] > frontal[152, 1], "the forehead is above the chin"
    assert frontal[1, 2] > frontal[234, 2], "the nose is nearer than the ears"


def test_shape_takes_off_pose_and_size(frontal: Array) -> None:
    points = seen(frontal, turned(-30, 12, 5))
    assert np.abs(mesh.shape(points, frontal)).max() < 1e-6
