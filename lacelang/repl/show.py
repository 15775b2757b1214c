"""A group in the terminal: its faces in rows as they are decoded, wanted and got under each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from attrs import define

from lacelang.repl.pictures import Way, drawn, pixels_of
from lacelang.storage.records import Atom, GroupRecord, SampleRecord

if TYPE_CHECKING:
    from PIL import Image
    from rich.console import Console
    from rich.text import Text

MOST = 16
"""So many faces are drawn; more would scroll away."""

NARROWEST, WIDEST = 19, 30
GAP = 1


@define
class Layout:
    """How a terminal's width is shared out: `side` faces a row, each `width` characters wide."""

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
    record: GroupRecord, faces: Iterable[Image.Image], console: Console, way: Way
) -> None:
    """Draw a group's first `MOST` faces as they come, and what was wanted and got.

    Args:
        record: of the group.
        faces: in the order of its samples; taken one at a time, and no more than are drawn.
        console: where.
        way: how.
    """
    shown = record.samples[:MOST]
    layout = layout_for(len(shown), console.width)
    pictures = iter(faces)
    for start in range(0, len(shown), layout.side):
        row = shown[start : start + layout.side]
        if way != "none":
            _draw_row(row, pictures, layout, console, way)
        for line in captions(record.atoms, row, layout.width):
            console.print(line, no_wrap=True, overflow="crop", crop=True)
    if len(shown) < len(record.samples):
        console.print(f"the first {len(shown)} of {len(record.samples)}", style="dim")


def _draw_row(
    row: Sequence[SampleRecord],
    faces: Iterable[Image.Image],
    layout: Layout,
    console: Console,
    way: Way,
) -> None:
    """Draw a row anew with every face that arrives."""
    from PIL import Image
    from rich.control import Control

    columns = len(row) * (layout.width + GAP) - GAP
    width, height = pixels_of(columns, layout.height, way)
    one, _ = pixels_of(layout.width, layout.height, way)
    step, _ = pixels_of(layout.width + GAP, layout.height, way)
    # Black is the nearest to nothing that a picture can be.
    strip = Image.new("RGB", (width, height))
    for place, face in zip(range(len(row)), faces, strict=False):
        small = face.resize((one, height), Image.Resampling.LANCZOS, reducing_gap=2.0)
        strip.paste(small, (place * step, 0))
        if place:
            console.control(Control.move(0, -layout.height))
        filled = strip.crop((0, 0, place * step + one, height))
        cells = (place + 1) * (layout.width + GAP) - GAP
        console.print(drawn(filled, cells, layout.height, way), end="")


def captions(atoms: Sequence[Atom], row: Sequence[SampleRecord], width: int) -> list[Text]:
    """Return the lines under a row of faces: number and energy, then a line for each comparison."""
    from rich.text import Text

    from lacelang.render.result_text import achieved

    lines = []
    head = Text()
    for place, sample in enumerate(row):
        converged = sample.status == "converged"
        energy = "" if not atoms else f"energy {_energy(sample.energy)}"
        words = energy if converged else sample.status.replace("_", " ")
        _put(head, place, str(sample.index), words, width, "dim", "dim" if converged else "red")
    lines.append(head)
    for atom in atoms:
        line = Text()
        for place, sample in enumerate(row):
            value = sample.readings.get(atom.text)
            holds = value is not None and atom.holds(value)
            got = achieved(atom, value)
            _put(line, place, atom.wanted, got, width, "", "green" if holds else "yellow")
        lines.append(line)
    return lines


def _put(
    line: Text, place: int, left: str, right: str, width: int, left_style: str, right_style: str
) -> None:
    """Add a cell to a line: one thing at its left edge, another at its right."""
    from rich.cells import cell_len, set_cell_size

    line.append(" " * GAP if place else "")
    room = max(0, width - cell_len(right) - 1)
    if cell_len(left) > room:
        left = f"{set_cell_size(left, max(0, room - 1)).rstrip()}…"
    line.append(set_cell_size(left, width - cell_len(right)), style=left_style)
    line.append(right, style=right_style)


def _energy(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
