"""Measures of the face-parsing classes: spectacles, hair and its colour, bare scalp."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lacelang.annotators.faces import mesh
from lacelang.annotators.images import Image, cv2

# Classes as in CelebAMask-HQ, and how many there are.
SKIN, EYEGLASSES, NOSE, HAIR, HAT = 1, 6, 10, 17, 18
CLASSES = 19
#: Side in pixels of the class map.
OUTPUT_SIZE = 256

_EROSION = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))
_ENOUGH = 0.01


def shares(classes: Image) -> dict[str, float]:
    """Return the shares of the image, of classes (S, S), that are spectacles, hair and hat."""
    kinds = {"glasses": EYEGLASSES, "hair": HAIR, "hat": HAT}
    return {f"{name}_share": float((classes == kind).mean()) for name, kind in kinds.items()}


def colours(image: Image, classes: Image) -> dict[str, float]:
    """Return the median CIELAB colours of hair and skin, of image (S, S, 3), classes (S, S)."""
    kinds = {"hair": HAIR, "skin": SKIN}
    return {
        f"{name}_{axis}": value
        for name, kind in kinds.items()
        for axis, value in zip("lab", median_lab(image, classes, kind), strict=True)
    }


def median_lab(image: Image, classes: Image, kind: int) -> tuple[float, float, float]:
    """Return the median CIELAB colour of one class, NaN under a hundredth of the image.

    Its area is eroded, since colours mix at its border.
    """
    mask = cv2.erode((classes == kind).astype(np.uint8), _EROSION).astype(bool)
    if mask.mean() < _ENOUGH:
        return (float("nan"),) * 3
    pixels = image[mask].astype(np.float32)[None] / np.float32(255)
    lab = np.median(cv2.cvtColor(pixels, cv2.COLOR_RGB2LAB)[0], axis=0)
    return float(lab[0]), float(lab[1]), float(lab[2])


def scalp_share(classes: Image, points: NDArray[np.float64]) -> float:
    """Return the share of bare skin on the head above the brows, 0..1.

    `points` is the mesh in pixels of `classes`. A hat counts as hair.
    """
    left, right = points[:, 0].min(), points[:, 0].max()
    brow = points[list(mesh.BROWS), 1].min()
    rows, columns = slice(0, max(0, round(brow))), slice(max(0, round(left)), round(right))
    region = classes[rows, columns]
    skin = int((region == SKIN).sum())
    covered = int(np.isin(region, (HAIR, HAT)).sum())
    return skin / max(1, skin + covered)
