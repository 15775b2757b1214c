"""Parts of a face cut out and aligned: chips on the eyes and the nose, and the lower face.

The networks of age, gender and identity were trained on chips that dlib cut around its own five
landmarks. Here the same points of the mesh are mapped to dlib's mean positions by a similarity.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lacelang.annotators.faces import mesh
from lacelang.annotators.images import Image, cv2, resize, warp
from lacelang.annotators.networks import Network

Array = NDArray[np.float64]

# The side of a chip in pixels, and how much is kept around dlib's square of a face, as a share of
# its side: what each network was trained on.
AGE, GENDER, IDENTITY = (64, 0.2), (32, 0.2), (150, 0.25)

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
# A chip is cut at this multiple of its side and then averaged down, so that detail does not alias.
_OVERSAMPLE = 4

_MEAN = np.array([122.782, 117.001, 104.298], dtype=np.float32)
_YEARS = np.concatenate([[0.25], np.arange(1, 81)])


def similarity(source: Array, target: Array) -> Array:
    """Return the (2, 3) matrix of the least-squares similarity from source to target, (N, 2)."""
    a, b = source - source.mean(0), target - target.mean(0)
    # As complex numbers a rotation with scale is one factor, found by linear regression.
    p, q = a[:, 0] + 1j * a[:, 1], b[:, 0] + 1j * b[:, 1]
    factor = np.vdot(p, q) / np.vdot(p, p)
    turn = np.array([[factor.real, -factor.imag], [factor.imag, factor.real]])
    return np.hstack([turn, (target.mean(0) - turn @ source.mean(0))[:, None]])


def chip(image: Image, points: Array, side: int, padding: float) -> Image:
    """Cut the (side, side, 3) chip of the face whose mesh is `points`, in pixels of `image`."""
    large = side * _OVERSAMPLE
    target = (_TEMPLATE + padding) / (1 + 2 * padding) * large
    # Pixel centres, not corners, hold the colours.
    matrix = similarity(points[list(_LANDMARKS), :2], target - 0.5)
    return resize(warp(image, matrix, large), side)


def years(network: Network, image: Image, points: Array) -> float:
    """Return apparent age in years, the expectation over the network's 81 classes."""
    return float((network(_pair(chip(image, points, *AGE)))[0] @ _YEARS).mean())


def male(network: Network, image: Image, points: Array) -> float:
    """Return the probability of "male", as the network guesses it."""
    return float(network(_pair(chip(image, points, *GENDER)))[0][:, 1].mean())


def _pair(piece: Image) -> NDArray[np.float32]:
    """A chip and its mirror image, normalised; their mean has less noise."""
    pair = np.stack([piece, piece[:, ::-1]]).astype(np.float32)
    return ((pair - _MEAN) / np.float32(256)).transpose(0, 3, 1, 2)


def lower_face(image: Image, points: Array, side: int = 224) -> Image:
    """Cut out an upright square from the nose to under the chin, as uint8 (side, side, 3).

    It is centred between nose base and chin and 1.9 times as wide as they are apart: moustache, jaw
    and a beard's lower end are in it.
    """
    nose, chin = points[mesh.NOSE_BASE, :2], points[mesh.CHIN, :2]
    eyes = points[mesh.EYE_RIGHT_OUTER, :2] - points[mesh.EYE_LEFT_OUTER, :2]
    angle = float(np.degrees(np.arctan2(eyes[1], eyes[0])))
    centre = (nose + chin) / 2
    scale = side / (1.9 * max(1.0, float(np.linalg.norm(chin - nose))))
    middle = (float(centre[0]), float(centre[1]))
    matrix = np.asarray(cv2.getRotationMatrix2D(middle, angle, scale), dtype=np.float64)
    matrix[:, 2] += side / 2 - centre
    return warp(image, matrix, side, cv2.BORDER_REPLICATE)
