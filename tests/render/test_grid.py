"""Grids: their plans, and that no label is cut off or lies on another one or on a picture."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from attrs import evolve
from PIL import Image

from lacelang.render.grid import (
    MOST_COLUMNS,
    MOST_ROWS,
    Grid,
    Shown,
    draw_grid,
    evenly,
    note,
    noted,
    thumbnail,
)
from lacelang.render.group_grids import crossed_grid, loop_grids, sample_grid
from lacelang.render.sheet import encoded
from lacelang.render.sheet_cells import CARD, PAPER
from lacelang.render.text import font_for, lines_of, spelled
from lacelang.storage.records import GroupRecord, LoopRecord, SampleRecord, TurnRecord

Make = Callable[..., GroupRecord]


def looped(make_group: Make, name: str, *turns: tuple[str, str], count: int = 3) -> GroupRecord:
    samples = tuple(SampleRecord(k, 1.0, "converged", 1, {}) for k in range(count))
    loop = LoopRecord("2:3", tuple(TurnRecord(*turn) for turn in turns)) if turns else None
    return make_group(name, count=count, samples=samples, loop=loop)


def plain_picture(name: str, index: int) -> Image.Image:
    return Image.new("RGB", (64, 64), (200, 30 * index % 255, 90))


def test_a_loop_makes_rows_by_value_and_columns_by_sample(make_group: Make) -> None:
    groups = [looped(make_group, f"beard at {t}", ("t", t)) for t in ("2", "1", "0.5")]
    ((found),) = loop_grids([*groups, looped(make_group, "alone")])
    assert found.name == "grid_t"
    assert found.grid.title == "beard at {t}"
    assert found.grid.rows == ("t = 2", "t = 1", "t = 0.5")
    assert found.grid.columns == ("0000", "0001", "0002")
    assert found.grid.cells[2, 1] == (Shown("beard at 0.5", 1),)
    assert "seed 124" in found.grid.facts


def test_nested_loops_make_rows_and_columns_with_the_first_samples_in_a_cell(
    make_group: Make,
) -> None:
    groups = [
        looped(make_group, f"a {a} b {b}", ("a", a), ("b", b), count=6)
        for a in ("x", "y")
        for b in ("1", "2", "3")
    ]
    (found,) = loop_grids(groups)
    assert (found.grid.rows, found.grid.columns) == (
        ("a = x", "a = y"),
        ("b = 1", "b = 2", "b = 3"),
    )
    assert [each.index for each in found.grid.cells[1, 2]] == [0, 1, 2, 3]
    assert found.grid.block == (2, 2)
    assert "4 of 6 samples in each cell" in found.grid.facts
    # Three loops: the outer two make the rows.
    groups = [
        looped(make_group, f"{a}{b}{c}", ("a", a), ("b", b), ("c", c), count=1)
        for a in "12"
        for b in "34"
        for c in "56"
    ]
    (found,) = loop_grids(groups)
    assert found.grid.rows[1] == "a = 1\nb = 4"
    assert found.grid.columns == ("c = 5", "c = 6")
    assert found.grid.block == (1, 1)


def test_a_row_that_depends_on_the_outer_loop_leaves_places_empty(make_group: Make) -> None:
    groups = [
        looped(make_group, f"{a} {b}", ("a", a), ("b", b)) for a, b in ("11", "12", "22", "23")
    ]
    (found,) = loop_grids(groups)
    assert found.grid.columns == ("b = 1", "b = 2", "b = 3")
    assert set(found.grid.cells) == {(0, 0), (0, 1), (1, 1), (1, 2)}


def test_statements_and_programs_have_grids_of_their_own(make_group: Make) -> None:
    first = [looped(make_group, f"a {t}", ("t", t)) for t in "12"]
    second = [evolve(looped(make_group, f"b {t}", ("t", t)), origin="other") for t in "12"]
    third = [evolve(g, name=f"c{g.name}", loop=evolve(g.loop, at="9:9")) for g in first if g.loop]
    once = looped(make_group, "once", ("s", "1"))
    found = loop_grids([*first, *second, *third, once])
    assert [each.name for each in found] == ["grid_t", "grid_t_2", "grid_t_3"]


def test_a_big_loop_is_bounded_and_evenly_chosen(make_group: Make) -> None:
    groups = [looped(make_group, f"n {n}", ("n", str(n)), count=40) for n in range(1000)]
    (found,) = loop_grids(groups)
    assert len(found.grid.rows) == MOST_ROWS
    assert (found.grid.rows[0], found.grid.rows[-1]) == ("n = 0", "n = 999")
    assert len(found.grid.columns) == 16
    assert f"{MOST_ROWS} of 1000 groups" in found.grid.facts
    picture = draw_grid(found.grid, plain_picture)
    assert picture.width < 4096 + 600
    assert picture.height < 8192 + 1500
    places = {(row, column): groups[0] for row in range(90) for column in range(90)}
    wide = crossed_grid("t", [str(k) for k in range(90)], [str(k) for k in range(90)], places)
    assert (len(wide.rows), len(wide.columns)) == (MOST_ROWS, MOST_COLUMNS)


def test_evenly() -> None:
    for count in (1, 2, 5, 64, 65, 1000):
        chosen = evenly(count, 64)
        assert chosen == sorted(set(chosen))
        assert (chosen[0], chosen[-1]) == (0, count - 1)
        assert len(chosen) == min(count, 64)


LABELS = (
    "t = 2",
    "a condition of many words that goes on and on: glasses=1 and not (smile=1 or age in 10..20)",
    "W" * 100,
    "年齢 = 六十歳以上の眼鏡をかけた人",
    "العمر = ستون",
    "आयु = साठ",
    "e\u0301" * 40,
    "first line\nsecond line\nthird line",
    "👩‍👩‍👧 = x",
    "",
)


@pytest.mark.parametrize("number", range(len(LABELS)))
def test_labels_have_room_whatever_their_text(number: int) -> None:
    label = LABELS[number]
    grid = Grid(
        "title " + label[:30],
        ("a fact",),
        (label, "next row", label),
        (label, "next column", label + "!"),
        {(r, c): (Shown("g", c),) for r in range(3) for c in range(3)},
    )
    grid = evolve(grid, cells=grid.cells)
    bare = Grid("title", (), ("", "", ""), ("", "", ""), grid.cells)
    picture = np.asarray(draw_grid(grid, plain_picture), int)
    # Neither margin is drawn on: a label that is cut off would reach the edge.
    paper = np.array([int(PAPER[k : k + 2], 16) for k in (1, 3, 5)])
    away = np.abs(picture - paper).sum(axis=2) > 24
    assert not away[:8].any()
    assert not away[-8:].any()
    assert not away[:, :20].any()
    assert not away[:, -20:].any()
    # Every picture is whole: nothing is drawn over it.
    colours = {(200, 30 * k, 90): 3 for k in range(3)}
    for colour, count in colours.items():
        same = (picture == np.array(colour)).all(axis=2).sum()
        assert same == count * grid.side**2
    assert draw_grid(bare, plain_picture).height <= len(picture)


def inked(picture: Image.Image) -> int:
    return int((np.asarray(picture.convert("L")) > 60).sum())


def test_all_of_a_long_label_is_drawn() -> None:
    """Twice the letters are about twice the ink, however narrow the place is."""

    def ink(letters: int) -> int:
        grid = Grid("x", (), ("M" * letters,), ("",), {})
        return inked(draw_grid(grid, lambda name, index: None))

    base = ink(0)
    few, many = ink(50) - base, ink(100) - base
    assert many == pytest.approx(2 * few, rel=0.02)


def test_lines_of_keeps_every_character_within_the_width() -> None:
    for label in LABELS:
        face = font_for(label, 17)
        text = spelled(label.replace("\n", " "), face)
        lines = lines_of(text, face, 90)
        assert "".join(lines).replace(" ", "") == text.replace(" ", "")
        assert all(face.getlength(line) <= 90 for line in lines)
        # No mark begins a line.
        assert not any(line.startswith(("\u0301", "\u200d")) for line in lines)


def test_what_no_font_has_is_told_apart() -> None:
    face = font_for("x", 17)
    assert spelled("\u4e2d", face) != spelled("\u65e5", face)


def test_pixels_of_small_generators_stay_whole() -> None:
    rng = np.random.default_rng(0)
    small = Image.fromarray(rng.integers(0, 256, (16, 16, 3), dtype=np.uint8))
    big = np.asarray(thumbnail(small, 256))
    assert (big.reshape(16, 16, 16, 16, 3) == big[::16, ::16][:, None, :, None]).all()


def test_a_missing_picture_leaves_a_frame_and_a_failed_one_is_marked(make_group: Make) -> None:
    samples = (
        SampleRecord(0, None, "max_steps", 1, {}),
        SampleRecord(1, 1.0, "converged", 1, {}),
    )
    group = make_group("g", count=2, samples=samples)
    grid = sample_grid("t", [("g", group)])
    picture = draw_grid(grid, lambda name, index: plain_picture(name, 0) if index == 0 else None)
    pixels = np.asarray(picture, int)
    card = np.array([int(CARD[k : k + 2], 16) for k in (1, 3, 5)])
    assert (pixels == card).all(axis=2).sum() == grid.side**2
    face = (pixels == (200, 0, 90)).all(axis=2).sum()
    assert face == (grid.side - 6) ** 2


def test_a_file_keeps_its_note(tmp_path) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "grid.png"
    path.write_bytes(encoded(Image.new("RGB", (4, 4)), texts=note("key")))
    assert noted(path) == "key"
    path.write_bytes(b"no picture")
    assert noted(path) is None
    assert noted(tmp_path / "none.png") is None
