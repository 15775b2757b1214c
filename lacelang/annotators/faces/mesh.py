"""The 468-point face mesh of an aligned face, and the distances measured on it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lacelang.annotators.faces.networks import Network
from lacelang.annotators.images import Image, crop, resize

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


class FaceMesh:
    """Finds the face mesh of an aligned face in two passes, the second on the face's own box."""

    def __init__(self, network: Network) -> None:
        self._network = network

    def __call__(self, image: Image) -> tuple[Array, float]:
        """Find the mesh of the one face in `image`, uint8 (S, S, 3) RGB.

        Returns:
            points, float64 (468, 3): x right and y down in pixels of `image`, z away from the
            viewer in the same unit; and the probability that a face is there.
        """
        side = image.shape[0]
        left, top, right, bottom = (edge * side for edge in _FIRST_BOX)
        points, _ = self._run(image, (left, top, right, bottom))
        low, high = points[:, :2].min(0), points[:, :2].max(0)
        centre, half = (low + high) / 2, _MARGIN / 2 * float((high - low).max())
        if not half > 4:
            return points, 0.0
        x, y = float(centre[0]), float(centre[1])
        return self._run(image, (x - half, y - half, x + half, y + half))

    def _run(self, image: Image, box: tuple[float, float, float, float]) -> tuple[Array, float]:
        left, top, right = (round(edge) for edge in box[:3])
        patch = resize(crop(image, box), CROP)
        raw, presence = self._network(patch[None].astype(np.float32) / 255.0)
        points = raw.reshape(POINTS, 3).astype(np.float64) * ((right - left) / CROP)
        points[:, :2] += (left, top)
        logit = float(np.clip(presence.reshape(-1)[0], -60, 60))
        return points, 1.0 / (1.0 + float(np.exp(-logit)))


def distances(points: Array) -> dict[str, float]:
    """Return shares of distances, all in 3-D; up is the face's own, from the chin to the forehead.

    They are the mouth's width over the face's (0.33 at rest, 0.45 in a broad smile), the gap of the
    lips and the lift of the mouth's corners above its middle over the face's width, and the face's
    width over its height.
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
