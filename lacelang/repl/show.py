"""A group in the terminal: faces in rows as they are decoded, with readings under each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import NamedTuple

from PIL import Image
from rich.cells import cell_len
from rich.console import Console
from rich.control import Control
from rich.text import Text

from lacelang.render.result_text import achieved
from lacelang.repl.pictures import Graphics, drawn, pixels_of
from lacelang.storage.records import Atom, GroupRecord, SampleRecord
from lacelang.text.hidden import in_line

MOST = 16
"""At most so many faces are drawn; more would scroll away."""
NARROWEST, WIDEST = 19, 30
GAP = 1


class Layout(NamedTuple):
    """The faces of a row: `side` of them, each `width` characters wide."""

    side: int
    width: int

    @property
    def height(self) -> int:
        """Lines of a face: a character is twice as high as wide."""
        return self.width // 2


def layout_for(count: int, columns: int) -> Layout:
    """Return how `count` faces stand in a terminal of `columns` characters."""
    most = max(1, (columns + GAP) // (NARROWEST + GAP))
    side = max(1, min(count, most))
    return Layout(side, max(1, min(WIDEST, (columns + GAP) // side - GAP)))


def show_group(
    record: GroupRecord, faces: Iterable[Image.Image], console: Console, graphics: Graphics
) -> None:
    """Draw a group's first `MOST` faces, in the order of its samples, and their readings."""
    shown = record.samples[:MOST]
    layout = layout_for(len(shown), console.width)
    pictures = iter(faces)
    for start in range(0, len(shown), layout.side):
        row = shown[start : start + layout.side]
        if graphics != "none":
            _draw_row(islice(pictures, len(row)), len(row), layout, console, graphics)
        for line in captions(record.atoms, row, layout.width):
            console.print(line, no_wrap=True, overflow="crop", crop=True)
    if len(shown) < len(record.samples):
        console.print(f"the first {len(shown)} of {len(record.samples)}", style="dim")


def _draw_row(
    faces: Iterable[Image.Image], count: int, layout: Layout, console: Console, graphics: Graphics
) -> None:
    """Draw a row, and draw it again with every face that arrives."""
    step = layout.width + GAP
    width, height = pixels_of(count * step - GAP, layout.height, graphics)
    one, _ = pixels_of(layout.width, layout.height, graphics)
    strip = Image.new("RGB", (width, height))
    for place, face in enumerate(faces):
        left, _ = pixels_of(place * step, layout.height, graphics)
        small = face.resize((one, height), Image.Resampling.LANCZOS, reducing_gap=2.0)
        strip.paste(small, (left, 0))
        if place:
            console.control(Control.move(0, -layout.height))
        filled = strip.crop((0, 0, left + one, height))
        console.print(drawn(filled, (place + 1) * step - GAP, layout.height, graphics), end="")


def captions(atoms: Sequence[Atom], row: Sequence[SampleRecord], width: int) -> list[Text]:
    """Return the lines under a row of faces: number and energy, then a line for each comparison."""
    head = []
    for sample in row:
        energy = "-" if sample.energy is None else f"{sample.energy:.2f}"
        said, style = (f"energy {energy}" if atoms else ""), "dim"
        if sample.status != "converged":
            said, style = sample.status.replace("_", " "), "red"
        head.append(_cell(str(sample.index), said, width, "dim", style))
    lines = [head]
    for atom in atoms:
        cells = []
        for sample in row:
            value, wanted = sample.readings.get(atom.text), atom.of(sample.drawn)
            style = "green" if value is not None and wanted.holds(value) else "yellow"
            cells.append(_cell(wanted.wanted, achieved(atom, value), width, "", style))
        lines.append(cells)
    return [Text(" " * GAP).join(cells) for cells in lines]


def _cell(left: str, right: str, width: int, left_style: str, right_style: str) -> Text:
    """Return a cell with one text at its left edge and another at its right."""
    left, right = in_line(left), in_line(right)
    cell = Text(left, left_style)
    cell.truncate(max(0, width - cell_len(right) - 1), overflow="ellipsis", pad=True)
    return Text.assemble(cell, " ", (right, right_style))
