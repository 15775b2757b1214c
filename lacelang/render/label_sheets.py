"""Contact sheets of labels: faces with each class, or with low, middle and high values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from lacelang.render.sheet_cells import INK, PAPER, SOFT
from lacelang.render.text import fit, font, font_for, legible

Floats = NDArray[np.float32]

FACES = 12
_SIDE, _GAP, _MARGIN, _CAPTION, _HEAD = 120, 6, 16, 18, 24
# Low, middle and high values as quantiles of the labels.
_BANDS = (("low", 0.02), ("middle", 0.5), ("high", 0.98))
_BAND_WIDTH = 0.02


Band = tuple[str, NDArray[np.int64]]
"""One row of a sheet: its title, and the indices of labels."""


def bands(column: Floats, values: Sequence[str], unit: str | None) -> list[Band]:
    """Choose labels of one attribute (N,), NaN where nothing was seen, to show.

    `values` are the classes of a discrete attribute; a number has none.
    """
    rng = np.random.default_rng(0)
    seen = np.flatnonzero(np.isfinite(column))
    if len(values):
        parts = [
            (f"{value} ({np.mean(column[seen] == k):.1%})", seen[column[seen] == k])
            for k, value in enumerate(values)
        ]
    else:
        ranks = np.empty(len(seen))
        ranks[np.argsort(column[seen], kind="stable")] = np.linspace(0, 1, len(seen))
        parts = []
        for name, at in _BANDS:
            inside = seen[np.abs(ranks - at) <= _BAND_WIDTH]
            parts.append((f"{name}, about {np.median(column[inside]):.3g} {unit or ''}", inside))
    return [(title, rng.permutation(rows)[:FACES]) for title, rows in parts if len(rows)]


def draw(
    title: str, chosen: Sequence[Band], column: Floats, faces: Iterator[NDArray[np.uint8]]
) -> Image.Image:
    """Draw one sheet of `bands`: `faces` are the images of their rows, labels the captions."""
    row_height = _HEAD + _SIDE + _CAPTION + _GAP
    width = 2 * _MARGIN + FACES * (_SIDE + _GAP) - _GAP
    sheet = Image.new("RGB", (width, 2 * _MARGIN + 34 + len(chosen) * row_height), PAPER)
    pen = ImageDraw.Draw(sheet)
    face = font_for(title, 24)
    pen.text((_MARGIN, _MARGIN), fit(legible(title, face), face, width), INK, face)
    for k, (words, rows) in enumerate(chosen):
        top = _MARGIN + 34 + k * row_height
        face = font_for(words, 15)
        pen.text((_MARGIN, top), fit(legible(words, face), face, width), SOFT, face)
        for i, row in enumerate(rows):
            left = _MARGIN + i * (_SIDE + _GAP)
            small = Image.fromarray(next(faces)).resize((_SIDE, _SIDE), reducing_gap=2.0)
            sheet.paste(small, (left, top + _HEAD))
            pen.text((left, top + _HEAD + _SIDE), f"{column[row]:.3g}", SOFT, font(12))
    return sheet
