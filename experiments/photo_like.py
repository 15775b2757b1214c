"""Images of a generator made more like photographs: blurred, noisy, badly cut, partly hidden."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]


def photo_like(image: Image, rng: np.random.Generator) -> Image:
    """Return another uint8 (S, S, 3) RGB image of the same face."""
    side = len(image)
    x = _moved(image, rng) if rng.random() < 0.8 else image.copy()
    if rng.random() < 0.35:
        x = _narrowed(x, rng)
    if rng.random() < 0.15:
        x = _hidden(x, rng)
    if rng.random() < 0.5:
        small = max(24, round(side / rng.uniform(1.0, 2.5)))
        x = _sized(_sized(x, small, cv2.INTER_AREA), side, cv2.INTER_LINEAR)
    y = x.astype(np.float32)
    if rng.random() < 0.7:
        y = _coloured(y, rng)
    if rng.random() < 0.4:
        y += rng.normal(0.0, rng.uniform(1.0, 8.0), y.shape).astype(np.float32)
    x = np.clip(np.rint(y), 0, 255).astype(np.uint8)
    if rng.random() < 0.5:
        quality = int(rng.integers(30, 95))
        _, data = cv2.imencode(".jpg", x, [cv2.IMWRITE_JPEG_QUALITY, quality])
        x = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), dtype=np.uint8)
    return x


def _sized(image: Image, side: int, method: int) -> Image:
    return np.asarray(cv2.resize(image, (side, side), interpolation=method), dtype=np.uint8)


def _moved(image: Image, rng: np.random.Generator) -> Image:
    """A little off its place, as landmarks are not exact."""
    side = len(image)
    angle, scale = rng.uniform(-3.0, 3.0), rng.uniform(0.95, 1.06)
    matrix = np.asarray(cv2.getRotationMatrix2D((side / 2, side / 2), angle, scale), float)
    matrix[:, 2] += rng.uniform(-0.025, 0.025, 2) * side
    moved = cv2.warpAffine(image, matrix, (side, side), borderMode=cv2.BORDER_REFLECT_101)
    return np.asarray(moved, dtype=np.uint8)


def _narrowed(image: Image, rng: np.random.Generator) -> Image:
    """As of a photograph that ends beside the face: its border is mirrored and blurred."""
    side = len(image)
    left, right = (int(rng.uniform(0.0, 0.25) * side) for _ in range(2))
    top, bottom = int(rng.uniform(0.0, 0.15) * side), int(rng.uniform(0.0, 0.2) * side)
    inner = image[top : side - bottom, left : side - right]
    whole = cv2.copyMakeBorder(inner, top, bottom, left, right, cv2.BORDER_REFLECT_101)
    blurred = cv2.GaussianBlur(whole, (0, 0), 0.03 * side)
    blurred[top : side - bottom, left : side - right] = inner
    return np.asarray(blurred, dtype=np.uint8)


def _hidden(image: Image, rng: np.random.Generator) -> Image:
    """With something before it, such as a hand or a microphone."""
    side = len(image)
    width, height = (rng.uniform(0.1, 0.3, 2) * side).astype(int)
    x, y = int(rng.uniform(0, side - width)), int(rng.uniform(0.55 * side, side - height))
    image[y : y + height, x : x + width] = rng.integers(0, 256, 3)
    return image


def _coloured(y: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Of other saturation, contrast and white balance."""
    grey = y.mean(axis=2, keepdims=True)
    saturation = 0.0 if rng.random() < 0.06 else rng.uniform(0.6, 1.25)
    y = grey + saturation * (y - grey)
    y = 255.0 * (np.clip(y, 0, 255) / 255.0) ** rng.uniform(0.85, 1.2)
    gains = rng.uniform(0.94, 1.06, 3) * rng.uniform(0.92, 1.08)
    return np.asarray(y * gains, dtype=np.float32)
