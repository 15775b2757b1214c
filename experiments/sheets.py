"""Contact sheets of several groups, one above the other."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image

from lacelang.evaluate.judged import Judged
from lacelang.evaluate.report import Picture
from lacelang.evaluate.sheets import draw_judged
from lacelang.render.sheet_cells import GAP, PAPER


def rows_sheet(name: str, title: str, groups: Sequence[Judged], faces: int) -> Picture:
    """The first faces of several groups, one row per group."""
    columns = min(faces, max(map(len, groups)))
    return Picture(
        name, title, lambda: stacked([draw_judged(one, faces, columns) for one in groups])
    )


def stacked(pictures: Sequence[Image.Image]) -> Image.Image:
    """Stack images vertically."""
    height = sum(picture.height for picture in pictures) + GAP * (len(pictures) - 1)
    whole = Image.new("RGB", (max(picture.width for picture in pictures), height), PAPER)
    top = 0
    for picture in pictures:
        whole.paste(picture, (0, top))
        top += picture.height + GAP
    return whole
