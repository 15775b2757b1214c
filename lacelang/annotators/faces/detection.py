"""Where faces are in a picture: MediaPipe's two BlazeFace detectors (Bazarevsky et al. 2019).

One was trained for faces that fill the picture, the other for smaller ones. Both read the whole
picture, and the second reads overlapping parts of a large one as well.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from lacelang.annotators.images import Image, cv2
from lacelang.annotators.networks import Network
from lacelang.progress import Progress

Array = NDArray[np.float64]

#: Keypoints of a face. Left and right are the viewer's.
EYE_LEFT, EYE_RIGHT, NOSE, MOUTH, EAR_LEFT, EAR_RIGHT = range(6)

# The least probability of a face, and from which overlap (intersection over union) on two are one.
_SURE, _SAME = 0.6, 0.3
# From this side in pixels on, parts are looked at: so many times as large as they appear whole.
_LARGE, _PARTS, _PART = 640, 3, 0.5


@frozen(eq=False)
class Face:
    """A face in a picture, in pixels of it.

    Attributes:
        box: left, top, right, bottom.
        points: (6, 2), the keypoints.
        sure: the probability that it is a face.
    """

    box: tuple[float, float, float, float]
    points: Array
    sure: float

    @property
    def size(self) -> float:
        """The area of its box."""
        left, top, right, bottom = self.box
        return max(0.0, right - left) * max(0.0, bottom - top)


class Detector:
    """Finds the faces of a picture; it is not shared between threads."""

    def __init__(self, threads: int = 1, progress: Progress | None = None) -> None:
        self._near, self._far = (
            Network(__package__, name, threads, progress)
            for name in ("face_detection_near", "face_detection_far")
        )

    def __call__(self, image: Image) -> list[Face]:
        """Return the faces of `image`, uint8 (H, W, 3) RGB, the largest first."""
        height, width = image.shape[:2]
        whole = (0, 0, width, height)
        found = [*self._in(image, whole, near=True), *self._in(image, whole, near=False)]
        if max(height, width) >= _LARGE:
            for part in _parts(width, height):
                found += self._in(image, part, near=False)
        return sorted(_apart(found), key=lambda face: -face.size)

    def _in(self, image: Image, part: tuple[int, int, int, int], *, near: bool) -> list[Face]:
        left, top, right, bottom = part
        side = 128 if near else 192
        anchors = _NEAR if near else _FAR
        patch, scale = _boxed(image[top:bottom, left:right], side)
        outputs = (self._near if near else self._far)(patch[None].astype(np.float32) / 127.5 - 1.0)
        raw, logits = (each[0].astype(np.float64) for each in outputs)
        sure = 1.0 / (1.0 + np.exp(-np.clip(logits[:, 0], -60.0, 60.0)))
        faces = []
        for i in np.flatnonzero(sure >= _SURE):
            # The centre, the size and the keypoints, in pixels of the patch.
            centre, size = raw[i, :2] + anchors[i] * side, raw[i, 2:4]
            points = raw[i, 4:].reshape(6, 2) + anchors[i] * side
            corners = np.concatenate((centre - size / 2, centre + size / 2)) / scale
            x0, y0, x1, y1 = corners.tolist()
            box = (x0 + left, y0 + top, x1 + left, y1 + top)
            faces.append(Face(box, points / scale + (left, top), float(sure[i])))
        return faces


def _boxed(image: Image, side: int) -> tuple[Image, float]:
    """An image scaled into the top left of a black square, and by how much."""
    height, width = image.shape[:2]
    scale = side / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    square = np.zeros((side, side, 3), np.uint8)
    square[: size[1], : size[0]] = cv2.resize(image, size, interpolation=method)
    return square, scale


def _parts(width: int, height: int) -> Iterator[tuple[int, int, int, int]]:
    """Overlapping parts of a picture, of half its width and height."""
    w, h = round(width * _PART), round(height * _PART)
    for row in range(_PARTS):
        for column in range(_PARTS):
            left, top = (width - w) * column // (_PARTS - 1), (height - h) * row // (_PARTS - 1)
            yield left, top, left + w, top + h


def _apart(found: list[Face]) -> list[Face]:
    """Of faces that overlap, the ones that are surest."""
    kept: list[Face] = []
    for face in sorted(found, key=lambda face: -face.sure):
        if all(_overlap(face, other) < _SAME for other in kept):
            kept.append(face)
    return kept


def _overlap(a: Face, b: Face) -> float:
    """How much two share: of their union, or of the smaller one where it lies within the other."""
    width = min(a.box[2], b.box[2]) - max(a.box[0], b.box[0])
    height = min(a.box[3], b.box[3]) - max(a.box[1], b.box[1])
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    union = a.size + b.size - shared
    return max(shared / union, 0.5 * shared / max(1e-9, min(a.size, b.size)))


def _anchors(side: int, layers: tuple[tuple[int, int], ...]) -> Array:
    """The centres of a detector's places, (N, 2) in 0..1; layers are (stride, places a cell)."""
    parts = []
    for stride, repeats in layers:
        cells = side // stride
        y, x = np.mgrid[:cells, :cells]
        centres = (np.stack((x, y), axis=-1).reshape(-1, 2) + 0.5) / cells
        parts.append(np.repeat(centres, repeats, axis=0))
    return np.concatenate(parts)


_NEAR = _anchors(128, ((8, 2), (16, 6)))
_FAR = _anchors(192, ((4, 1),))
