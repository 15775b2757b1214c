"""The pixels of an image file, and by how much two images differ."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from attrs import frozen
from numpy.typing import NDArray
from PIL import Image

from lacelang.storage.png import DAMAGED


@frozen
class Difference:
    """By how much two images of one size differ.

    Attributes:
        share: of the pixels that are not the same, 0..1.
        most, mean: of the absolute differences of the channels, in steps of 1/255; the mean is of
            all pixels.
    """

    share: float
    most: int
    mean: float

    def __bool__(self) -> bool:
        return self.most > 0


def difference(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> Difference:
    """Compare two images, uint8 (H, W, 3)."""
    apart = np.abs(a.astype(np.int16) - b)
    changed = float(apart.any(axis=-1).mean())
    return Difference(changed, int(apart.max(initial=0)), float(apart.mean()))


def pixels_of(path: Path) -> NDArray[np.uint8] | None:
    """Return the pixels of an image file, uint8 (H, W, 3); None if they cannot be read."""
    try:
        with Image.open(path) as image:
            return np.asarray(image.convert("RGB"))
    except DAMAGED:
        return None
