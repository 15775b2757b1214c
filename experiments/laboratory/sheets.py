"""Grids of small images."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from PIL import Image
from torch import Tensor

from lacelang.evaluate.report import Picture

_SCALE = 2
_GAP = 8


def grid(images: Tensor, columns: int) -> Image.Image:
    """Images (N, C, H, W) in [−1, 1] row by row, each twice as large."""
    count, channels, height, width = images.shape
    rows = -(-count // columns)
    whole = np.full((rows * height, columns * width, 3), 255, np.uint8)
    for number, image in enumerate(((images.clamp(-1, 1) + 1) * 127.5).byte().numpy()):
        top, left = number // columns * height, number % columns * width
        shown = image.transpose(1, 2, 0)
        whole[top : top + height, left : left + width] = shown if channels == 3 else shown[..., :1]
    size = columns * width * _SCALE, rows * height * _SCALE
    return Image.fromarray(whole).resize(size, Image.Resampling.NEAREST)


def sheet(name: str, title: str, groups: Mapping[str, Tensor], columns: int) -> Picture:
    """Grids of several groups, one above the other in their order; the title names them."""

    def draw() -> Image.Image:
        parts = [grid(images, columns) for images in groups.values()]
        height = sum(part.height + _GAP for part in parts) - _GAP
        whole = Image.new("RGB", (max(part.width for part in parts), height), "white")
        top = 0
        for part in parts:
            whole.paste(part, (0, top))
            top += part.height + _GAP
        return whole

    return Picture(name, f"{title}: {', '.join(groups)}", draw)
