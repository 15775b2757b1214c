"""Age and gender from small face chips aligned on the eyes and the nose.

The networks were trained on chips that dlib cut around its own five landmarks; the same points
are taken from the mesh here and laid on dlib's mean positions by a similarity, so dlib itself is
not needed. Each chip is judged together with its mirror image, which halves the noise and makes
the answer the same for a face and its mirror.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lacelang.annotators import mesh
from lacelang.annotators.networks import Network
from lacelang.annotators.opencv import cv2

AGE_CHIP, GENDER_CHIP = 64, 32

# The average positions of dlib's five landmarks in the unit square of a face.
_TEMPLATE = np.array(
    [
        [0.8595674595992, 0.2134981538014],
        [0.6460604764104, 0.2289674387677],
        [0.1205750620789, 0.2137274526848],
        [0.3340850613712, 0.2290642403242],
        [0.4901123135679, 0.6277975316475],
    ]
)
_LANDMARKS = (
    mesh.EYE_RIGHT_OUTER,
    mesh.EYE_RIGHT_INNER,
    mesh.EYE_LEFT_OUTER,
    mesh.EYE_LEFT_INNER,
    mesh.NOSE_BASE,
)
_PADDING = 0.2
# A chip is cut at this multiple of its side and then averaged down, so that detail does not alias.
_OVERSAMPLE = 4

_MEAN = np.array([122.782, 117.001, 104.298], dtype=np.float32)
_YEARS = np.concatenate([[0.25], np.arange(1, 81)])


def similarity(source: NDArray[np.float64], target: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the (2, 3) matrix of the least-squares similarity from source to target, (N, 2)."""
    a, b = source - source.mean(0), target - target.mean(0)
    # As complex numbers a rotation with scale is one factor, found by linear regression.
    p, q = a[:, 0] + 1j * a[:, 1], b[:, 0] + 1j * b[:, 1]
    factor = np.vdot(p, q) / np.vdot(p, p)
    turn = np.array([[factor.real, -factor.imag], [factor.imag, factor.real]])
    return np.hstack([turn, (target.mean(0) - turn @ source.mean(0))[:, None]])


def chip(
    image: NDArray[np.uint8], points: NDArray[np.float64], side: int, padding: float = _PADDING
) -> NDArray[np.uint8]:
    """Cut the (side, side, 3) chip of the face whose mesh is `points`, in pixels of `image`.

    `padding` is how much is kept around dlib's square of a face, as a share of its side.
    """
    large = side * _OVERSAMPLE
    target = (_TEMPLATE + padding) / (1 + 2 * padding) * large
    # Pixel centres, not corners, hold the colours.
    matrix = similarity(points[list(_LANDMARKS), :2], target - 0.5)
    cut = cv2.warpAffine(image, matrix, (large, large), flags=cv2.INTER_LINEAR)
    return mesh.resize(np.asarray(cut, dtype=np.uint8), side)


def _pair(piece: NDArray[np.uint8]) -> NDArray[np.float32]:
    pair = np.stack([piece, piece[:, ::-1]]).astype(np.float32)
    return ((pair - _MEAN) / np.float32(256)).transpose(0, 3, 1, 2)


class AgeGender:
    """Estimates apparent age and gender: a network's guess about a picture of nobody."""

    def __init__(self, age: Network, gender: Network) -> None:
        self._age, self._gender = age, gender

    def age(self, image: NDArray[np.uint8], points: NDArray[np.float64]) -> float:
        """Years, the expectation over the network's 81 classes."""
        return float((self._age(_pair(chip(image, points, AGE_CHIP))) @ _YEARS).mean())

    def male(self, image: NDArray[np.uint8], points: NDArray[np.float64]) -> float:
        """Probability of "male"."""
        return float(self._gender(_pair(chip(image, points, GENDER_CHIP)))[:, 1].mean())
