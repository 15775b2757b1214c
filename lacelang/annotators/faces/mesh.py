"""The 468-point face mesh of an aligned face, and what is measured on it: distances, pose, lips.

The pose is that of a rigid alignment to a mean frontal mesh. Signs, as the viewer sees the picture:
yaw > 0 when the face is turned to the viewer's right, pitch > 0 when it looks up, roll > 0 when the
head is tilted clockwise. Zero pitch is the average of the generator's faces.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from lacelang.annotators.images import Image, crop, resize
from lacelang.annotators.networks import Network

Array = NDArray[np.float64]

#: Points of a mesh, and the side in pixels of the crop that the network reads.
POINTS = 468
CROP = 192

# Point numbers of MediaPipe's face mesh. Left and right are the viewer's.
MOUTH_LEFT, MOUTH_RIGHT = 61, 291
LIP_UPPER, LIP_LOWER = 13, 14
FACE_LEFT, FACE_RIGHT = 234, 454
FOREHEAD, CHIN = 10, 152
NOSE_BASE = 2
EYE_LEFT_OUTER, EYE_LEFT_INNER = 33, 133
EYE_RIGHT_INNER, EYE_RIGHT_OUTER = 362, 263
BROWS = (70, 63, 105, 66, 107, 336, 296, 334, 293, 300)

#: The outline of both lips.
LIPS = (
    *(61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 185, 40, 39, 37, 0, 267, 269, 270, 409),
    *(78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 191, 80, 81, 82, 13, 312, 311, 310, 415),
)

# The central box of an aligned face, as fractions of the side: left, top, right, bottom.
_FIRST_BOX = (0.12, 0.14, 0.88, 0.90)
_MARGIN = 1.5


def find(network: Network, image: Image) -> tuple[Array, float]:
    """Find the mesh of the one face in `image`, uint8 (S, S, 3) RGB, in two passes.

    Returns:
        points, float64 (468, 3): x right and y down in pixels of `image`, z away from the viewer
        in the same unit; and the probability that a face is there.
    """
    left, top, right, bottom = (edge * image.shape[0] for edge in _FIRST_BOX)
    points, _ = _find_in(network, image, (left, top, right, bottom))
    low, high = points[:, :2].min(0), points[:, :2].max(0)
    (x, y), half = ((low + high) / 2).tolist(), _MARGIN / 2 * float((high - low).max())
    if not half > 4:
        return points, 0.0
    return _find_in(network, image, (x - half, y - half, x + half, y + half))


def _find_in(
    network: Network, image: Image, box: tuple[float, float, float, float]
) -> tuple[Array, float]:
    left, top, right = (round(edge) for edge in box[:3])
    patch = resize(crop(image, box), CROP)
    raw, presence = network(patch[None].astype(np.float32) / 255.0)
    points = raw.reshape(POINTS, 3).astype(np.float64) * ((right - left) / CROP)
    points[:, :2] += (left, top)
    logit = float(np.clip(presence.reshape(-1)[0], -60, 60))
    return points, 1.0 / (1.0 + float(np.exp(-logit)))


def distances(points: Array) -> dict[str, float]:
    """Return ratios of distances in 3-D, by the names of `annotation.MEASURES`.

    The mouth's width over the face's is 0.33 at rest, 0.45 in a broad smile. Up is the direction
    from the chin to the forehead.
    """
    up = points[FOREHEAD] - points[CHIN]
    corners = (points[MOUTH_LEFT] + points[MOUTH_RIGHT]) / 2
    middle = (points[LIP_UPPER] + points[LIP_LOWER]) / 2
    width, height = _distance(points, FACE_LEFT, FACE_RIGHT), float(np.linalg.norm(up))
    return {
        "smile_ratio": _distance(points, MOUTH_LEFT, MOUTH_RIGHT) / width,
        "mouth_open": _distance(points, LIP_UPPER, LIP_LOWER) / width,
        "corner_lift": float((corners - middle) @ up) / height / width,
        "width_ratio": width / _distance(points, FOREHEAD, CHIN),
    }


def _distance(points: Array, a: int, b: int) -> float:
    return float(np.linalg.norm(points[a] - points[b]))


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


def head_pose(points: Array, frontal: Array) -> tuple[float, float, float]:
    """Return yaw, pitch and roll in degrees of a mesh in image axes (N, 3).

    `frontal` is the mean frontal mesh (N, 3), upright, of any scale.
    """
    rotation, _ = procrustes(frontal, upright(points))
    forward, up = rotation[:, 2], rotation[:, 1]
    yaw = np.degrees(np.arctan2(forward[0], forward[2]))
    pitch = np.degrees(np.arcsin(np.clip(forward[1], -1.0, 1.0)))
    # Roll is what is left of the up vector once yaw and pitch are undone.
    level = np.array([np.cos(np.radians(yaw)), 0.0, -np.sin(np.radians(yaw))])
    roll = np.degrees(np.arctan2(up @ level, up @ np.cross(forward, level)))
    return float(yaw), float(pitch), float(roll)


def partners(frontal: Array) -> NDArray[np.int64]:
    """Return (N,): the point that each point of a symmetric frontal mesh (N, 3) is mirrored to."""
    mirrored = frontal * np.array([-1.0, 1.0, 1.0])
    nearest: NDArray[np.int64] = ((frontal[:, None] - mirrored[None]) ** 2).sum(2).argmin(1)
    return nearest


def shape(points: Array, frontal: Array) -> Array:
    """Return a mesh in image axes without its pose and size, as offsets from `frontal`."""
    turned = upright(points)
    rotation, scale = procrustes(turned, frontal)
    out: Array = scale * (turned - turned.mean(0)) @ rotation.T - frontal
    return out


def lip_shape(frontal: Array) -> Callable[[Array], Array]:
    """Return the function from a mesh in image axes to the outline of its lips without the pose.

    The smile probe reads it, (120,): offsets from the mean frontal mesh, averaged with those of the
    mirror image. Mouth width alone is misled by wide and open mouths.
    """
    lips = np.array(LIPS)
    mirror = partners(frontal)[lips]

    def offsets_of(points: Array) -> Array:
        offsets = shape(points, frontal)
        mirrored = offsets[mirror] * np.array([-1.0, 1.0, 1.0])
        average: Array = ((offsets[lips] + mirrored) / 2).reshape(-1)
        return average

    return offsets_of
