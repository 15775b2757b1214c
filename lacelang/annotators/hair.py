"""Hair colour and baldness from the face-parsing classes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lacelang.annotators import mesh
from lacelang.annotators.opencv import cv2
from lacelang.annotators.parsing import HAIR, HAT, SKIN
from lacelang.annotators.seen import SEEN

#: Hair colours, in the order of their class numbers.
COLOURS = SEEN["haircolor"]
#: Class number for hair that is hidden, shaved or too little to tell.
HIDDEN = -1

_EROSION = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))
_ENOUGH = 0.01


def median_lab(
    image: NDArray[np.uint8], classes: NDArray[np.uint8], kind: int
) -> tuple[float, float, float]:
    """Return the median CIELAB colour of one face-parsing class, NaN when there is too little.

    Args:
        image: uint8 (S, S, 3) RGB.
        classes: uint8 (S, S), the face-parsing class of each pixel.
        kind: the class, `HAIR` or `SKIN`. Its area is eroded, since its border mixes with what is
            beside it; less than a hundredth of the image is too little.
    """
    mask = cv2.erode((classes == kind).astype(np.uint8), _EROSION).astype(bool)
    if mask.mean() < _ENOUGH:
        return (float("nan"),) * 3
    pixels = image[mask].astype(np.float32)[None] / np.float32(255)
    lab = np.median(cv2.cvtColor(pixels, cv2.COLOR_RGB2LAB)[0], axis=0)
    return float(lab[0]), float(lab[1]), float(lab[2])


def scalp_share(classes: NDArray[np.uint8], points: NDArray[np.float64]) -> float:
    """Return the share of bare skin on the head above the brows, 0..1.

    `points` is the mesh in pixels of `classes`. A hat counts as hair: nobody can tell.
    """
    left, right = points[:, 0].min(), points[:, 0].max()
    brow = points[list(mesh.BROWS), 1].min()
    rows, columns = slice(0, max(0, round(brow))), slice(max(0, round(left)), round(right))
    region = classes[rows, columns]
    skin = int((region == SKIN).sum())
    covered = int(((region == HAIR) | (region == HAT)).sum())
    return skin / max(1, skin + covered)


def colour_features(lab: NDArray[np.floating], skin: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return what the colour probe reads, (..., 21), of the median colours of hair and skin.

    All monomials up to the second degree of the hair's CIELAB (..., 3) and of its difference from
    the skin's, which takes off the colour of the light, and the skin's own.
    """
    hair_, skin_ = np.asarray(lab, dtype=np.float64) / 50, np.asarray(skin, dtype=np.float64) / 50
    parts = [skin_]
    for colour in (hair_, hair_ - skin_):
        parts.append(colour)
        for i in range(3):
            parts.extend(colour[..., i : i + 1] * colour[..., j : j + 1] for j in range(i, 3))
    return np.concatenate(parts, axis=-1)
