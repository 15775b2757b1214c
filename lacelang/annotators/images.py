"""Cropping and scaling of images, and OpenCV, without which a sentence says how to install it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lacelang.errors import ResourceError

try:
    import cv2 as cv2
except ImportError as error:
    raise ResourceError(
        "image annotators need OpenCV, which is not installed",
        "install it: pip install 'lacelang[annotate]'",
    ) from error

Image = NDArray[np.uint8]


def crop(image: Image, box: tuple[float, float, float, float]) -> Image:
    """Cut left, top, right, bottom (pixels, rounded) out of (H, W, 3), repeating edge pixels."""
    height, width = image.shape[:2]
    left, top, right, bottom = (round(edge) for edge in box)
    pad = max(0, -left, -top, right - width, bottom - height)
    if pad:
        image = np.pad(image, ((pad, pad), (pad, pad), (0, 0)), mode="edge")
    return image[top + pad : bottom + pad, left + pad : right + pad]


def resize(image: Image, side: int) -> Image:
    """Resize to (side, side, 3), averaging when shrinking so that detail does not alias."""
    method = cv2.INTER_AREA if image.shape[0] > side else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, (side, side), interpolation=method), dtype=np.uint8)


def warp(image: Image, matrix: NDArray[np.float64], side: int, border: int = 0) -> Image:
    """Map (H, W, 3) by an affine matrix (2, 3) to (side, side, 3); `border` is OpenCV's mode."""
    size = (side, side)
    cut = cv2.warpAffine(image, matrix, size, flags=cv2.INTER_LINEAR, borderMode=border)
    return np.asarray(cut, dtype=np.uint8)
