"""A picture of cells under a headline: small faces, with comparisons and their readings."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence

import numpy as np
from attrs import field, frozen
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from lacelang.render.result_text import achieved
from lacelang.render.text import fit, font, font_for, legible, wrap
from lacelang.storage.records import Atom, DrawnValues

THUMBNAIL = 256
MARGIN, GAP = 28, 16
_TITLE, _CONDITION, _SMALL, _ROW = 30, 19, 15, 21
_MOST_ROWS = 14

PAPER = "#15171b"
INK = "#f1f3f5"
SOFT = "#9aa2ad"
FAINT = "#7b838e"
CARD = "#1e2126"
_GOT = "#7ddc9b"
ALARM = "#ff6b5e"


@frozen(eq=False)
class Cell:
    """A face: its `thumbnail`, or None for an empty frame, and the text under it.

    Readings are by the comparison's text; those of `unasked` comparisons are faint. `drawn` are the
    values that `each` gave to the sample.
    """

    picture: Image.Image | None
    caption: str
    energy: float | None
    status: str
    readings: Mapping[str, float | None]
    unasked: Collection[str] = ()
    drawn: DrawnValues = field(factory=dict)


def thumbnail(image: NDArray[np.uint8] | Image.Image) -> Image.Image:
    """Shrink a face, uint8 (H, W, 3) or a PIL image, to `THUMBNAIL` pixels a side."""
    picture = image if isinstance(image, Image.Image) else Image.fromarray(image)
    size = (THUMBNAIL, THUMBNAIL)
    if picture.width < THUMBNAIL:
        # Pixels of a small generator stay visible.
        return picture.convert("RGB").resize(size, Image.Resampling.NEAREST)
    return picture.convert("RGB").resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)


def framed(image: NDArray[np.uint8]) -> Image.Image:
    """Shrink a picture, uint8 (H, W, 3 or 4), to fit into `THUMBNAIL` pixels a side."""
    picture = Image.fromarray(image)
    scale = THUMBNAIL / max(picture.size)
    size = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
    small = picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)
    frame = Image.new("RGB", (THUMBNAIL, THUMBNAIL), CARD)
    place = ((THUMBNAIL - small.width) // 2, (THUMBNAIL - small.height) // 2)
    frame.paste(small, place, small if small.mode == "RGBA" else None)
    return frame


def draw_cells(
    title: str,
    condition: str,
    facts: Sequence[str],
    atoms: Sequence[Atom],
    cells: Sequence[Cell],
    columns: int,
) -> Image.Image:
    """Draw cells, `columns` side by side, with a row for each of the first comparisons."""
    width = _width(columns)
    lines = _headline(title, condition, facts, width - 2 * MARGIN)
    top = MARGIN + sum(size + space for _, size, _, space in lines) + GAP
    height = _cell_height(len(atoms))
    rows = math.ceil(len(cells) / columns)
    picture = Image.new("RGB", (width, top + rows * (height + GAP) - GAP + MARGIN), PAPER)
    draw = ImageDraw.Draw(picture)
    y = MARGIN
    for text, size, ink, space in lines:
        draw.text((MARGIN, y), text, font=font_for(text, size), fill=ink)
        y += size + space
    for place, cell in enumerate(cells):
        row, column = divmod(place, columns)
        x, y = MARGIN + column * (THUMBNAIL + GAP), top + row * (height + GAP)
        draw.rectangle((x, y, x + THUMBNAIL - 1, y + height - 1), fill=CARD)
        _draw_rows(draw, x, y + THUMBNAIL + 8, cell, atoms)
        if cell.picture is not None:
            picture.paste(cell.picture, (x, y))
        if cell.status != "converged":
            small = font(_SMALL)
            words = legible(cell.status.replace("_", " "), small)
            draw.rectangle((x, y, x + THUMBNAIL - 1, y + THUMBNAIL - 1), outline=ALARM, width=3)
            draw.rectangle((x, y, x + int(small.getlength(words)) + 20, y + 26), fill=ALARM)
            draw.text((x + 10, y + 4), words, font=small, fill=PAPER)
    return picture


def cut_row(picture: Image.Image, count: int, comparisons: int) -> list[Image.Image]:
    """Cut the pictures out of what `draw_cells` drew of `count` cells in one row.

    `comparisons` is how many there were. Returns none of a picture of another layout.
    """
    top = picture.height - MARGIN - _cell_height(comparisons)
    if picture.width != _width(count) or top <= MARGIN:
        return []
    lefts = [MARGIN + column * (THUMBNAIL + GAP) for column in range(count)]
    return [picture.crop((x, top, x + THUMBNAIL, top + THUMBNAIL)) for x in lefts]


def _width(columns: int) -> int:
    # At least two faces wide, for the title.
    return 2 * MARGIN + max(columns * (THUMBNAIL + GAP) - GAP, 2 * THUMBNAIL)


def _cell_height(comparisons: int) -> int:
    return THUMBNAIL + 12 + _ROW * (1 + min(comparisons, _MOST_ROWS + 1)) + 8


def _headline(
    title: str, condition: str, facts: Sequence[str], width: int
) -> list[tuple[str, int, str, int]]:
    """Return the lines over the cells: text, size, colour, and the space below."""
    face = font_for(title, _TITLE)
    lines = [(fit(legible(title, face), face, width), _TITLE, INK, 12)]
    condition = condition or "no condition: draws from the prior"
    face = font_for(condition, _CONDITION)
    for text in wrap(legible(condition, face), face, width, lines=4):
        lines.append((text, _CONDITION, SOFT, 7))
    small = font(_SMALL)
    for text in wrap(legible(" · ".join(facts), small), small, width, lines=3):
        lines.append((text, _SMALL, FAINT, 6))
    return lines


def _draw_rows(
    draw: ImageDraw.ImageDraw, x: int, y: int, cell: Cell, atoms: Sequence[Atom]
) -> None:
    """Draw the caption under a picture, and a row for each comparison."""
    small = font(_SMALL)
    left, right = x + 10, x + THUMBNAIL - 10

    def row(text: str, soft: str, value: str, ink: str) -> None:
        nonlocal y
        draw.text((right, y), value, font=small, fill=ink, anchor="ra")
        room = right - left - small.getlength(value) - 12
        draw.text((left, y), fit(legible(text, small), small, room), font=small, fill=soft)
        y += _ROW

    if cell.energy is None and not cell.readings:
        # Nothing reads it: a photograph.
        row(cell.caption, FAINT, "", FAINT)
        return
    energy = "energy -" if cell.energy is None else f"energy {cell.energy:.2f}"
    row(cell.caption, FAINT, energy if atoms else "", FAINT)
    for atom in atoms[:_MOST_ROWS]:
        value, wanted = cell.readings.get(atom.text), atom.of(cell.drawn)
        if atom.text in cell.unasked:
            soft = ink = FAINT
        else:
            soft, ink = SOFT, _GOT if value is not None and wanted.holds(value) else INK
        row(wanted.wanted, soft, achieved(atom, value), ink)
    if len(atoms) > _MOST_ROWS:
        row(f"and {len(atoms) - _MOST_ROWS} more", FAINT, "", FAINT)
