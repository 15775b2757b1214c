"""Head pose by rigid alignment of a face mesh to a mean frontal mesh.

Signs, as the viewer sees the picture: yaw > 0 when the face is turned to the viewer's right,
pitch > 0 when it looks up, roll > 0 when the head is tilted clockwise. Zero pitch is the average
of the generator's faces.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# A mesh turned by five degrees pairs up after three rounds.
_PAIRING_ROUNDS = 8


def upright(points: Array) -> Array:
    """Turn image axes (x right, y down, z away) into x right, y up, z toward the viewer."""
    out: Array = points * np.array([1.0, -1.0, -1.0])
    return out


def procrustes(source: Array, target: Array) -> tuple[Array, float]:
    """Return the rotation R (3, 3) and scale s that minimise ‖target − s · source · Rᵀ‖.

    Both are (N, 3) and are centred first (Umeyama 1991, eq. 40–42; reflections excluded).
    """
    a, b = source - source.mean(0), target - target.mean(0)
    u, singular, vt = np.linalg.svd(b.T @ a)
    signs = np.array([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])
    rotation = (u * signs) @ vt
    return rotation, float((singular * signs).sum() / (a**2).sum())


def angles(rotation: Array) -> tuple[float, float, float]:
    """Return yaw, pitch and roll in degrees of a rotation (3, 3) of the upright frontal face."""
    forward, up = rotation[:, 2], rotation[:, 1]
    yaw = np.degrees(np.arctan2(forward[0], forward[2]))
    pitch = np.degrees(np.arcsin(np.clip(forward[1], -1.0, 1.0)))
    # Roll is what is left of the up vector once yaw and pitch are undone.
    level = np.array([np.cos(np.radians(yaw)), 0.0, -np.sin(np.radians(yaw))])
    roll = np.degrees(np.arctan2(up @ level, up @ np.cross(forward, level)))
    return float(yaw), float(pitch), float(roll)


def head_pose(points: Array, frontal: Array) -> tuple[float, float, float]:
    """Return yaw, pitch and roll in degrees of a mesh in image axes (N, 3).

    `frontal` is the mean frontal mesh (N, 3), upright, of any scale.
    """
    rotation, _ = procrustes(frontal, upright(points))
    return angles(rotation)


def mean_frontal(meshes: Array, rounds: int = 5) -> Array:
    """Fit the mean frontal mesh (N, 3) to many meshes in image axes (M, N, 3).

    Generalised Procrustes analysis, made symmetric: the mirror partner of each point is found on
    the mean itself, and the plane of symmetry becomes x = 0. Then the pitch is set so that the
    median of `meshes` has none. The result is centred, upright, of unit root-mean-square radius.

    Raises:
        ValueError: the points do not pair up left and right.
    """
    shapes = np.stack([_unit(upright(mesh)) for mesh in meshes])
    mean = shapes.mean(0)
    for _ in range(rounds):
        aligned = [shape @ procrustes(shape, mean)[0].T for shape in shapes]
        mean = _unit(np.mean(aligned, 0))
    mean = _symmetric(mean)
    pitch = float(np.median([angles(procrustes(mean, shape)[0])[1] for shape in shapes]))
    level: Array = mean @ _about_x(pitch).T
    return level


def _unit(points: Array) -> Array:
    centred = points - points.mean(0)
    scaled: Array = centred / np.sqrt((centred**2).sum(1).mean())
    return scaled


def _about_x(pitch: float) -> Array:
    """Rotation that lifts the face by `pitch` degrees."""
    c, s = np.cos(np.radians(pitch)), np.sin(np.radians(pitch))
    return np.array([[1.0, 0.0, 0.0], [0.0, c, s], [0.0, -s, c]])


def partners(mean: Array) -> NDArray[np.int64]:
    """Return (N,): the point that each point of a frontal mesh (N, 3) is mirrored to.

    The mesh may be turned a little: its mirror image is laid on it step by step.

    Raises:
        ValueError: the points do not pair up left and right.
    """
    mirrored = mean * np.array([-1.0, 1.0, 1.0])
    partner = np.arange(len(mean))
    for _ in range(_PAIRING_ROUNDS):
        partner = ((mean[:, None] - mirrored[None]) ** 2).sum(2).argmin(1)
        rotation, _ = procrustes(mirrored[partner], mean)
        mirrored = mirrored @ rotation.T
    if not np.array_equal(partner[partner], np.arange(len(mean))):
        raise ValueError("the mesh has no left-right symmetry")
    return partner


def shape(points: Array, frontal: Array) -> Array:
    """Return a mesh in image axes with its pose and size taken off, as offsets from `frontal`."""
    turned = upright(points)
    rotation, scale = procrustes(turned, frontal)
    out: Array = scale * (turned - turned.mean(0)) @ rotation.T - frontal
    return out


def _symmetric(mean: Array) -> Array:
    partner = partners(mean)
    mirrored = (mean * np.array([-1.0, 1.0, 1.0]))[partner]
    mean = _unit((mean + mirrored @ procrustes(mirrored, mean)[0].T) / 2)
    # Lines between partners now run along one direction, the normal of the plane of symmetry.
    gaps = mean - mean[partner]
    normal = np.linalg.svd(gaps)[2][0]
    normal *= np.sign(normal[0])
    depth = np.array([0.0, 0.0, 1.0]) - normal * normal[2]
    depth /= np.linalg.norm(depth)
    out: Array = mean @ np.stack([normal, np.cross(depth, normal), depth]).T
    return out
