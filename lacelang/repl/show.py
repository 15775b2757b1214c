"""Groups in the terminal: faces in rows as they are decoded, with readings under each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain, islice
from typing import NamedTuple

from PIL import Image
from rich.cells import cell_len
from rich.console import Console
from rich.control import Control
from rich.text import Text

from lacelang.render.result_text import achieved
from lacelang.repl.pictures import Graphics, drawn, pixels_of
from lacelang.repl.themes import TERMINAL, Theme
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
    record: GroupRecord,
    faces: Iterable[Image.Image],
    console: Console,
    graphics: Graphics,
    theme: Theme = TERMINAL,
) -> None:
    """Draw a group's first `MOST` faces, in the order of its samples, and their readings."""
    shown = record.samples[:MOST]
    layout = layout_for(len(shown), console.width)
    pictures = iter(faces)
    for start in range(0, len(shown), layout.side):
        row = shown[start : start + layout.side]
        if graphics != "none":
            _draw_row(islice(pictures, len(row)), len(row), layout, console, graphics)
        _print_all(captions(record.atoms, row, layout.width, theme), console)
    _say_the_rest(record, console, theme)


def show_edited(
    record: GroupRecord,
    pairs: Iterable[tuple[Image.Image, Image.Image]],
    console: Console,
    graphics: Graphics,
    theme: Theme = TERMINAL,
) -> None:
    """Draw an edited group's first `MOST` faces, each beside what it was before the edit."""
    shown = record.samples[:MOST]
    layout = layout_for(2 * len(shown), console.width)
    side = max(1, layout.side // 2)
    if layout.side < 2:
        layout = Layout(2, max(1, (console.width - GAP) // 2))
    pictures = chain.from_iterable(pairs)
    for start in range(0, len(shown), side):
        row = shown[start : start + side]
        if graphics != "none":
            count = 2 * len(row)
            _draw_row(islice(pictures, count), count, layout, console, graphics)
        _print_all(changes(record.atoms, row, layout.width, theme), console)
    _say_the_rest(record, console, theme)


def show_picture(picture: Image.Image, console: Console, graphics: Graphics) -> None:
    """Draw one picture, such as a sheet, as wide as the terminal at most and not enlarged."""
    cell, _ = pixels_of(1, 1, "sixel")
    most = console.width if graphics == "blocks" else picture.width // cell
    columns = max(1, min(console.width, most))
    # A character is twice as high as wide.
    rows = max(1, round(columns * picture.height / picture.width / 2))
    console.print(drawn(picture.convert("RGB"), columns, rows, graphics), end="")


def _print_all(lines: Iterable[Text], console: Console) -> None:
    for line in lines:
        console.print(line, no_wrap=True, overflow="crop", crop=True)


def _say_the_rest(record: GroupRecord, console: Console, theme: Theme) -> None:
    if len(record.samples) > MOST:
        said = f"the first {MOST} of {len(record.samples)}; `:sheet` has all"
        console.print(said, style=theme.quiet)


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


def captions(
    atoms: Sequence[Atom], row: Sequence[SampleRecord], width: int, theme: Theme = TERMINAL
) -> list[Text]:
    """Return the lines under a row of faces: number and energy, then a line for each comparison."""
    lines = [[_head(sample, f"{sample.index}", bool(atoms), width, theme) for sample in row]]
    for atom in atoms:
        cells = []
        for sample in row:
            value, wanted = sample.readings.get(atom.text), atom.of(sample.drawn)
            style = _held(wanted, value, theme)
            cells.append(_cell(wanted.wanted, achieved(atom, value), width, "", style))
        lines.append(cells)
    return [Text(" " * GAP).join(cells) for cells in lines]


def changes(
    atoms: Sequence[Atom], row: Sequence[SampleRecord], width: int, theme: Theme = TERMINAL
) -> list[Text]:
    """Return the lines under a row of pairs: readings before the edit under the face before it."""
    lines = []
    before = [f"{sample.index} before" for sample in row]
    heads = [_head(sample, "after", bool(atoms), width, theme) for sample in row]
    firsts = [_cell(said, "", width, theme.quiet, "") for said in before]
    lines.append(list(chain.from_iterable(zip(firsts, heads, strict=True))))
    for atom in atoms:
        cells = []
        for sample in row:
            for readings in (sample.steps[0].readings, sample.readings):
                value = readings.get(atom.text)
                style = _held(atom, value, theme)
                cells.append(_cell(atom.wanted, achieved(atom, value), width, "", style))
        lines.append(cells)
    return [Text(" " * GAP).join(cells) for cells in lines]


def _head(sample: SampleRecord, number: str, asked: bool, width: int, theme: Theme) -> Text:
    energy = "-" if sample.energy is None else f"{sample.energy:.2f}"
    said, style = (f"energy {energy}" if asked else ""), theme.quiet
    if sample.status != "converged":
        said, style = sample.status.replace("_", " "), theme.failed
    return _cell(number, said, width, theme.quiet, style)


def _held(wanted: Atom, value: float | None, theme: Theme) -> str:
    return theme.held if value is not None and wanted.holds(value) else theme.missed


def _cell(left: str, right: str, width: int, left_style: str, right_style: str) -> Text:
    """Return a cell with one text at its left edge and another at its right."""
    left, right = in_line(left), in_line(right)
    cell = Text(left, left_style)
    cell.truncate(max(0, width - cell_len(right) - 1), overflow="ellipsis", pad=True)
    return Text.assemble(cell, " ", (right, right_style))
