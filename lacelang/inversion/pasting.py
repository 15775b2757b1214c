"""An image of a generator put back into the photograph, where its face was cut out.

The heads of both are found by the face-parsing network. Where either is, the image is shown; at the
border both are blended in several bands of frequency (Burt and Adelson 1983), so that colours meet
over a wide stretch and details over a narrow one.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lacelang.annotators.images import Image, cv2

Array = NDArray[np.float64]
Mask = NDArray[np.float32]

# Classes of CelebAMask-HQ that belong to a head: skin to lips with ears, earrings and spectacles,
# neck, hair. A hat stays the photograph's, and so do clothes and necklaces.
_HEAD = (*range(1, 15), 17)
# The inner part of an aligned image, as shares of its side, in which the head's middle is.
_MIDDLE = (0.35, 0.75)
# As shares of the side: by how much the mask is wider than the heads, how soft it is, and how far
# from the border of the square it fades.
_WIDER, _SOFT, _FADE = 0.02, 0.012, 0.06
# The widest band of the blend reaches over about this share of the side.
_REACH = 0.08
# The blender rounds down in each band: colours are multiplied by this first, so that none is seen.
_FINE = 64
_ROWS = 256


def head(classes: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Where the head in the middle is, of the classes (S, S) of an aligned image.

    Other people's heads beside it are left out.
    """
    found = np.isin(classes, _HEAD).astype(np.uint8)
    count, parts = cv2.connectedComponents(found)
    side = len(classes)
    inner = slice(*(round(edge * side) for edge in _MIDDLE))
    sizes = np.bincount(parts[inner, inner].ravel(), minlength=count)[1:]
    if not sizes.any():
        return np.zeros(classes.shape, bool)
    return np.asarray(parts == 1 + int(sizes.argmax()))


def mask_of(*heads: NDArray[np.bool_]) -> Mask:
    """Where an image is shown, (S, S), 0 to 1: where any of the heads is, with a soft border."""
    found = np.logical_or.reduce(heads).astype(np.uint8)
    side = len(found)
    size = 2 * max(1, round(_WIDER * side)) + 1
    wider = cv2.dilate(found, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)))
    mask = cv2.GaussianBlur(wider.astype(np.float32), (0, 0), max(1.0, _SOFT * side))
    return np.asarray(mask * _window(side), np.float32)


def _window(side: int) -> Mask:
    """1 in the middle of a square, and 0 at its border."""
    place = (np.arange(side) + 0.5) / side
    near = np.clip(np.minimum(place, 1.0 - place) / _FADE, 0.0, 1.0)
    smooth = near * near * (3.0 - 2.0 * near)
    return np.asarray(np.outer(smooth, smooth), np.float32)


def pasted(photo: Image, square: Array, image: Image, mask: Mask) -> Image:
    """Return the photograph with an image in it.

    Args:
        photo: uint8 (H, W, 3).
        square: (3, 2), the corners top left, top right and bottom left in pixels of it.
        image: uint8 (side, side, 3).
        mask: (S, S), how far the image is shown, 0 to 1.

    Returns:
        uint8 (H, W, 3); outside of the square it is `photo`, bit for bit.
    """
    corners = np.vstack((square, square[1] + square[2] - square[0]))
    size = np.array([photo.shape[1], photo.shape[0]])
    low = np.clip(np.floor(corners.min(0)), 0, size).astype(int)
    high = np.clip(np.ceil(corners.max(0)), 0, size).astype(int)
    result = photo.copy()
    if (high <= low).any():
        return result
    box = slice(low[1], high[1]), slice(low[0], high[0])
    under, moved = photo[box], square - low
    across = float(np.linalg.norm(square[1] - square[0]))
    shape = under.shape[1], under.shape[0]
    over = _placed(_shrunk(image, across), moved, shape, cv2.BORDER_REPLICATE)
    shown = _placed(mask, moved, shape, cv2.BORDER_CONSTANT)
    window = _placed(_window(len(mask)), moved, shape, cv2.BORDER_CONSTANT)[..., None]
    blended = _blended(under, over, shown, across)
    # Coarse bands reach farther than the mask, and must not reach beyond the square. Some rows at a
    # time, for a photograph may be large.
    target = result[box]
    for start in range(0, len(under), _ROWS):
        rows = slice(start, start + _ROWS)
        share = np.minimum(1.0, 4.0 * window[rows])
        mixed = under[rows] + share * (blended[rows] / np.float32(_FINE) - under[rows])
        target[rows] = np.where(share > 0, np.clip(np.rint(mixed), 0, 255), under[rows])
    return result


def _shrunk(image: Image, side: float) -> Image:
    """Averaged down to about that side where it is larger, so that detail does not alias."""
    if side >= len(image):
        return image
    small = max(1, math.ceil(side))
    return np.asarray(cv2.resize(image, (small, small), interpolation=cv2.INTER_AREA), np.uint8)


def _placed(
    image: NDArray[Any], square: Array, shape: tuple[int, int], border: int
) -> NDArray[Any]:
    """Map a square image to its place in a picture of the shape width, height."""
    side = len(image)
    own = np.array([[0.0, 0.0], [side, 0.0], [0.0, side]])
    # Pixel centres, not corners, hold the colours.
    matrix = cv2.getAffineTransform(
        (own - 0.5).astype(np.float32), (square - 0.5).astype(np.float32)
    )
    way = cv2.INTER_CUBIC if image.ndim == 3 else cv2.INTER_LINEAR
    return np.asarray(cv2.warpAffine(image, matrix, shape, flags=way, borderMode=border))


def _blended(under: Image, over: Image, shown: Mask, side: float) -> NDArray[np.int16]:
    """Blend two pictures, (h, w, 3), in several bands; `shown` is the share of `over`.

    The colours are multiplied by `_FINE`.
    """
    bands = max(1, round(math.log2(max(2.0, _REACH * side))))
    blender = cv2.detail.MultiBandBlender(0, bands, cv2.CV_32F)
    blender.prepare((0, 0, under.shape[1], under.shape[0]))
    share = np.rint(255.0 * shown).astype(np.uint8)
    for picture, weight in ((under, 255 - share), (over, share)):
        blender.feed(np.multiply(picture, _FINE, dtype=np.int16), weight, (0, 0))
    blended, _ = blender.blend(None, None)  # type: ignore[call-overload]
    return np.asarray(blended)
