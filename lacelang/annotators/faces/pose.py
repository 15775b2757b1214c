"""Head pose by rigid alignment of a face mesh to a mean frontal mesh.

Signs, as the viewer sees the picture: yaw > 0 when the face is turned to the viewer's right,
pitch > 0 when it looks up, roll > 0 when the head is tilted clockwise. Zero pitch is the average
of the generator's faces.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lacelang.annotators.faces import mesh

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


class LipShape:
    """Turns a mesh into what the smile probe reads: the outline of the lips, pose taken off.

    Mouth width alone is fooled by wide mouths and open ones.
    """

    def __init__(self, frontal: Array) -> None:
        self._frontal = frontal
        self._lips = np.array(mesh.LIPS)
        self._mirror = partners(frontal)[self._lips]

    def __call__(self, points: Array) -> Array:
        """Return (120,): offsets of the lip outline from the mean frontal mesh.

        `points` is a mesh in image axes. The offsets are averaged with those of the mirror image,
        since a smile is judged alike on both sides.
        """
        offsets = shape(points, self._frontal)
        mirrored = offsets[self._mirror] * np.array([-1.0, 1.0, 1.0])
        average: Array = ((offsets[self._lips] + mirrored) / 2).reshape(-1)
        return average
