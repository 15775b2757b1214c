from __future__ import annotations

import io
from collections.abc import Iterator

import pytest
from PIL import Image
from rich.console import Console

from lacelang.repl.show import GAP, MOST, NARROWEST, layout_for, show_group
from lacelang.storage.records import Atom, GroupRecord, SampleRecord
from lacelang.text.channels import console

GLASSES = Atom("glasses=1", "glasses", "probability", 0.5, 1.0)
HAIR = Atom("haircolor=gray and more of it", "haircolor", "probability", 0.5, 1.0)


def group(count: int, atoms: tuple[Atom, ...] = (GLASSES, HAIR)) -> GroupRecord:
    samples = tuple(
        SampleRecord(i, 0.25, "converged", 10, {atom.text: 0.98 - i / 100 for atom in atoms})
        for i in range(count)
    )
    return GroupRecord("kids", "kids", "glasses=1", "f", 0, count, {}, atoms, samples)


def screen(width: int, **options: object) -> Console:
    return console(io.StringIO(), force_terminal=False, width=width, **options)


def text(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


class Faces:
    def __init__(self, count: int) -> None:
        self.count = count
        self.taken = 0

    def __iter__(self) -> Iterator[Image.Image]:
        for _ in range(self.count):
            self.taken += 1
            yield Image.new("RGB", (64, 64), "red")


@pytest.mark.parametrize("columns", [20, 40, 80, 100, 120, 200])
@pytest.mark.parametrize("count", [1, 3, 4, 8, 16])
def test_rows_fit(count: int, columns: int) -> None:
    layout = layout_for(count, columns)
    assert layout.side * (layout.width + GAP) - GAP <= columns
    assert layout.side <= count
    assert layout.width >= min(NARROWEST, columns)


def test_four_faces_stand_side_by_side_in_eighty_columns() -> None:
    assert layout_for(4, 80).side == 4


def test_values_stand_under_their_faces() -> None:
    console = screen(80)
    show_group(group(4), Faces(4), console, "blocks")
    lines = text(console).splitlines()
    layout = layout_for(4, 80)
    assert sum("▀" in line for line in lines) >= layout.height
    numbers, glasses, hair = lines[-3:]
    for place in range(4):
        start = place * (layout.width + GAP)
        cell = slice(start, start + layout.width)
        assert numbers[cell].split() == [str(place), "energy", "0.25"]
        assert glasses[cell].split() == ["glasses=1", f"{0.98 - place / 100:.2f}"]
        assert hair[cell].startswith("haircolor=")
        assert "…" in hair[cell]
        assert hair[cell].endswith(f"{0.98 - place / 100:.2f}")


def test_no_more_faces_are_decoded_than_are_drawn() -> None:
    faces = Faces(40)
    console = screen(80)
    show_group(group(40), faces, console, "blocks")
    assert faces.taken == MOST
    assert f"the first {MOST} of 40" in text(console)


def test_text_only_draws_and_decodes_nothing() -> None:
    faces = Faces(4)
    console = screen(80)
    show_group(group(4), faces, console, "none")
    assert faces.taken == 0
    assert "▀" not in text(console)
    assert "\x1b" not in text(console)
    assert "glasses=1" in text(console)


def test_what_did_not_converge_is_said() -> None:
    record = group(1)
    (sample,) = record.samples
    failed = SampleRecord(0, sample.energy, "max_steps", 10, sample.readings)
    console = screen(80)
    show_group(
        GroupRecord("k", "k", "", "f", 0, 1, {}, record.atoms, (failed,)), Faces(1), console, "none"
    )
    assert "max steps" in text(console)
