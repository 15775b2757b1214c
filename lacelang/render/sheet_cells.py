"""Cards: a face small, and under it what was wanted of it and what it reads."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from lacelang.render.result_text import achieved
from lacelang.render.text import fit, font, legible
from lacelang.storage.records import Atom

THUMBNAIL = 256
MARGIN, GAP = 28, 16
TITLE, CONDITION, SMALL, ROW = 30, 19, 15, 21

PAPER = "#15171b"
INK = "#f1f3f5"
SOFT = "#9aa2ad"
FAINT = "#7b838e"
_CARD = "#1e2126"
_GOT = "#7ddc9b"
_ALARM = "#ff6b5e"


def thumbnail(image: NDArray[np.uint8] | Image.Image) -> Image.Image:
    """Shrink a face, uint8 (H, W, 3) or a PIL image, to `THUMBNAIL` pixels a side."""
    picture = image if isinstance(image, Image.Image) else Image.fromarray(image)
    size = (THUMBNAIL, THUMBNAIL)
    if picture.width < THUMBNAIL:
        # Pixels of a small generator are shown as they are, not blurred into a photograph.
        return picture.convert("RGB").resize(size, Image.Resampling.NEAREST)
    return picture.convert("RGB").resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)


def card_height(rows: int) -> int:
    """Height in pixels of a card with so many rows of comparisons."""
    return THUMBNAIL + 12 + ROW * (1 + rows) + 8


def draw_card(
    draw: ImageDraw.ImageDraw,
    corner: tuple[int, int],
    height: int,
    caption: str,
    energy: float | None,
    atoms: Sequence[Atom],
    readings: Mapping[str, float | None],
    *,
    more: int = 0,
    unasked: Collection[str] = (),
) -> None:
    """Draw all of a card but its picture.

    Args:
        draw: on the sheet.
        corner: left, top.
        height: from `card_height`.
        caption: of the picture, at the left.
        energy: shown at the right, if there are atoms.
        atoms: a row each.
        readings: by an atom's text.
        more: how many atoms have no row.
        unasked: texts of atoms that are not asked for yet: read, and judged by nobody.
    """
    x, y = corner
    small = font(SMALL)
    left, right = x + 10, x + THUMBNAIL - 10
    draw.rectangle((x, y, x + THUMBNAIL - 1, y + height - 1), fill=_CARD)
    y += THUMBNAIL + 8
    shown = ""
    if atoms:
        shown = "energy -" if energy is None else f"energy {energy:.2f}"
        draw.text((right, y), shown, font=small, fill=FAINT, anchor="ra")
    room = right - left - small.getlength(shown) - 12
    draw.text((left, y), fit(legible(caption, small), small, room), font=small, fill=FAINT)
    for atom in atoms:
        y += ROW
        value = readings.get(atom.text)
        asked = atom.text not in unasked
        got = value is not None and atom.holds(value)
        ink = FAINT if not asked else _GOT if got else INK
        shown = achieved(atom, value)
        draw.text((right, y), shown, font=small, fill=ink, anchor="ra")
        room = right - left - small.getlength(shown) - 12
        wanted = fit(legible(atom.wanted, small), small, room)
        draw.text((left, y), wanted, font=small, fill=SOFT if asked else FAINT)
    if more > 0:
        y += ROW
        draw.text((left, y), f"and {more} more", font=small, fill=FAINT)


def draw_status(draw: ImageDraw.ImageDraw, corner: tuple[int, int], status: str) -> None:
    """Mark a picture whose sampler did not converge."""
    x, y = corner
    small = font(SMALL)
    words = status.replace("_", " ")
    draw.rectangle((x, y, x + THUMBNAIL - 1, y + THUMBNAIL - 1), outline=_ALARM, width=3)
    draw.rectangle((x, y, x + int(small.getlength(words)) + 20, y + 26), fill=_ALARM)
    draw.text((x + 10, y + 4), words, font=small, fill=PAPER)
