"""Labelled grids of pictures: rows, columns, and in each cell one picture or a few."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from attrs import field, frozen
from PIL import Image, ImageDraw

from lacelang.render.sheet_cells import ALARM, CARD, FAINT, INK, PAPER, SOFT
from lacelang.render.text import Font, font_for, lines_of, spelled

Picture: TypeAlias = Callable[[str, int], Image.Image | None]
"""The picture of a sample, by its group's name and its index; None where there is none."""

MOST_ROWS, MOST_COLUMNS = 64, 32
"""Of more rows or columns a grid has some, evenly spaced, the first and the last among them."""

MOST_IN_A_CELL = 4
_SIDE, _LEAST_SIDE = 256, 48
#: Pixels of all pictures side by side, and of all one above the other.
_WIDEST, _HIGHEST = 4096, 8192
_MARGIN, _GAP, _INNER = 28, 10, 2
_TITLE, _TEXT = 26, 17


@frozen
class Shown:
    """One picture of a cell: whose it is, and whether its sampler did not converge."""

    group: str
    index: int
    failed: bool = False


@frozen(eq=False)
class Grid:
    """What a grid shows, before any picture is drawn.

    Attributes:
        title: in the first line.
        facts: below it, each a short text.
        rows, columns: their labels, any text, also of several lines.
        cells: by row and column, the pictures of a cell, as many as `MOST_IN_A_CELL`.
    """

    title: str
    facts: tuple[str, ...]
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    cells: Mapping[tuple[int, int], tuple[Shown, ...]] = field(factory=dict)

    @property
    def groups(self) -> frozenset[str]:
        """The names of the groups that it shows."""
        return frozenset(each.group for cell in self.cells.values() for each in cell)

    @property
    def block(self) -> tuple[int, int]:
        """How many pictures every cell has room for, across and down."""
        most = max(map(len, self.cells.values()), default=1)
        across = math.ceil(math.sqrt(most))
        return across, math.ceil(most / across)

    @property
    def side(self) -> int:
        """How many pixels wide and high every picture is."""
        across, down = self.block
        wide = _WIDEST // max(1, across * len(self.columns))
        high = _HIGHEST // max(1, down * len(self.rows))
        return max(_LEAST_SIDE, min(_SIDE, wide, high))


def evenly(count: int, most: int) -> list[int]:
    """Choose at most `most` of 0 … count - 1, evenly spaced, the first and the last among them."""
    if count <= most:
        return list(range(count))
    return [round(k * (count - 1) / (most - 1)) for k in range(most)]


def thumbnail(picture: Image.Image, side: int) -> Image.Image:
    """Return a picture as a cell of a grid has it, with whole pixels of a small generator."""
    how = Image.Resampling.NEAREST if picture.width < side else Image.Resampling.LANCZOS
    return picture.convert("RGB").resize((side, side), how, reducing_gap=2.0)


def draw_grid(grid: Grid, picture: Picture) -> Image.Image:
    """Draw a grid; a picture that is missing leaves an empty frame.

    Labels are as long as they are: they are broken into lines and never cut off, and the grid makes
    room for them.
    """
    side, (across, down) = grid.side, grid.block
    wide, high = (side * n + _INNER * (n - 1) for n in (across, down))
    head = [_Label.of(text, wide) for text in grid.columns]
    tags = [_Label.of(text, _row_label_width(grid.rows, wide)) for text in grid.rows]
    left = _MARGIN + max((label.width for label in tags), default=0) + _GAP
    heights = [max(high, label.height) for label in tags]
    width = max(
        left + len(head) * (wide + _GAP) - _GAP + _MARGIN,
        2 * _MARGIN + _LEAST_TITLE,
    )
    title = _Label.of(grid.title, width - 2 * _MARGIN, _TITLE)
    facts = _Label.of(" · ".join(grid.facts), width - 2 * _MARGIN)
    top = _MARGIN + title.height + _GAP + (facts.height + 2 * _GAP if grid.facts else 0)
    first = top + max((label.height for label in head), default=0) + _GAP
    height = first + sum(heights) + _GAP * (len(heights) - 1) + _MARGIN
    sheet = Image.new("RGB", (width, height), PAPER)
    pen = ImageDraw.Draw(sheet)
    title.draw(pen, _MARGIN, _MARGIN, INK)
    facts.draw(pen, _MARGIN, _MARGIN + title.height + _GAP, FAINT)
    for column, label in enumerate(head):
        # Above its cells, close to them.
        x = left + column * (wide + _GAP)
        label.draw(pen, x, first - _GAP - label.height, SOFT, wide)
    y = first
    for row, (label, tall) in enumerate(zip(tags, heights, strict=True)):
        label.draw(pen, _MARGIN, y + (tall - label.height) // 2, SOFT)
        for column in range(len(head)):
            x = left + column * (wide + _GAP)
            corner = x, y + (tall - high) // 2
            _draw_cell(sheet, pen, corner, grid, grid.cells.get((row, column), ()), picture)
        y += tall + _GAP
    return sheet


_LEAST_TITLE = 360
_NOTE = "lacelang grid"


def note(key: str) -> dict[str, str]:
    """Return the text of a grid's file by which `noted` knows what it shows."""
    return {_NOTE: key}


def noted(path: Path) -> str | None:
    """Return the note of a grid's file; None of any other file, or of none."""
    try:
        with Image.open(path, formats=("PNG",)) as image:
            key = image.info.get(_NOTE)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return None
    return key if isinstance(key, str) else None


def _draw_cell(
    sheet: Image.Image,
    pen: ImageDraw.ImageDraw,
    corner: tuple[int, int],
    grid: Grid,
    shown: Sequence[Shown],
    picture: Picture,
) -> None:
    side, (across, down) = grid.side, grid.block
    x, y = corner
    wide, high = (side * n + _INNER * (n - 1) for n in (across, down))
    pen.rectangle((x, y, x + wide - 1, y + high - 1), fill=CARD)
    for place, each in enumerate(shown):
        found = picture(each.group, each.index)
        if found is None:
            continue
        row, column = divmod(place, across)
        left, top = x + column * (side + _INNER), y + row * (side + _INNER)
        small = found if found.size == (side, side) else thumbnail(found, side)
        sheet.paste(small, (left, top))
        if each.failed:
            pen.rectangle((left, top, left + side - 1, top + side - 1), outline=ALARM, width=3)


@frozen(eq=False)
class _Label:
    """A text in lines, and the room that it takes."""

    lines: tuple[str, ...]
    face: Font
    width: int
    step: int

    @classmethod
    def of(cls, text: str, width: int, size: int = _TEXT) -> _Label:
        """Break a text into lines of `width` pixels; its own line breaks stay."""
        face = font_for(text, size)
        paragraphs = "\n".join(spelled(each, face) for each in text.split("\n"))
        lines = tuple(lines_of(paragraphs, face, width))
        ends = [face.getbbox(line)[2] for line in lines if line]
        # A font says how high its lines are: some scripts are twice as high as Latin.
        box = face.getbbox("".join(lines) or "x", anchor="la")
        step = max(math.ceil(size * 1.3), math.ceil(box[3]) + 2)
        return cls(lines, face, math.ceil(max(ends, default=0)), step)

    @property
    def height(self) -> int:
        return self.step * len(self.lines)

    def draw(
        self, pen: ImageDraw.ImageDraw, x: int, y: int, ink: str, centred: int | None = None
    ) -> None:
        """Draw it from its upper left corner, or in the middle of so many pixels."""
        for number, line in enumerate(self.lines):
            shift = 0.0 if centred is None else max(0.0, (centred - self.face.getlength(line)) / 2)
            pen.text((x + shift, y + number * self.step), line, font=self.face, fill=ink)


def _row_label_width(labels: Sequence[str], cell: int) -> int:
    """How wide labels of rows may be: as they are, if that is not much wider than a cell."""
    widest = 0.0
    for text in labels:
        face = font_for(text, _TEXT)
        widest = max(widest, *(face.getlength(spelled(each, face)) for each in text.split("\n")))
    return math.ceil(min(widest, max(cell, 240)))
