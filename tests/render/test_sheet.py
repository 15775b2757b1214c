from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from attrs import evolve
from made_runs import make_samples
from PIL import Image, ImageChops

from lacelang.render.result_text import achieved
from lacelang.render.sheet import MOST_FACES, columns_for, draw_sheet, write_sheet
from lacelang.render.sheet_cells import THUMBNAIL, thumbnail
from lacelang.storage.records import Atom, GroupRecord

Make = Callable[..., GroupRecord]
INKS = [(250, 0, 0), (0, 250, 0), (0, 0, 250), (250, 250, 0), (0, 250, 250)]


def tiles(count: int) -> dict[int, Image.Image]:
    return {i: Image.new("RGB", (THUMBNAIL, THUMBNAIL), INKS[i % len(INKS)]) for i in range(count)}


def tile_corners(sheet: Image.Image, ink: tuple[int, int, int]) -> list[tuple[int, int]]:
    """Upper left corners of the squares of one colour."""
    mask = (np.asarray(sheet) == np.array(ink, dtype=np.uint8)).all(axis=2)
    inner = mask.copy()
    inner[1:, :] &= ~mask[:-1, :]
    inner[:, 1:] &= ~mask[:, :-1]
    return [(int(x), int(y)) for y, x in zip(*np.nonzero(inner & mask), strict=True)]


@pytest.mark.parametrize(
    ("count", "columns"), [(1, 1), (2, 2), (4, 2), (6, 3), (8, 4), (16, 4), (32, 8), (100, 10)]
)
def test_a_sheet_is_a_full_grid_where_it_can_be(count: int, columns: int) -> None:
    assert columns_for(count) == columns


@pytest.mark.parametrize("count", [1, 2, 3, 5, 7, 11, 17, 64, 300, 400])
def test_a_sheet_is_neither_a_ribbon_nor_a_tower(count: int) -> None:
    columns = columns_for(count)
    rows = math.ceil(count / columns)
    assert columns <= 16
    assert rows <= columns or columns == 16
    assert columns <= 2.2 * rows + 1


def test_every_face_has_its_place(make_group: Make) -> None:
    group = make_group(count=5, samples=tuple(make_samples(0, 5)))
    sheet = draw_sheet(group, tiles(5))
    places = [tile_corners(sheet, ink) for ink in INKS]
    assert [len(place) for place in places] == [1] * 5
    xs = [place[0][0] for place in places]
    ys = [place[0][1] for place in places]
    assert xs[0] < xs[1] < xs[2]
    assert xs[3:] == xs[:2]
    assert ys[0] == ys[1] == ys[2] < ys[3] == ys[4]
    # Room for the caption: one line of facts and one for each atom.
    assert ys[3] - ys[0] > THUMBNAIL + 3 * 15
    assert sheet.width > max(xs) + THUMBNAIL
    assert sheet.height > max(ys) + THUMBNAIL + 3 * 15


def test_more_atoms_make_a_longer_caption(make_group: Make) -> None:
    samples = tuple(make_samples(0, 2))
    heights = []
    for count in (1, 2, 14, 40):
        atoms = tuple(Atom(f"a{i}=1", f"a{i}", "probability", 0.5, 1) for i in range(count))
        heights.append(draw_sheet(make_group(atoms=atoms, samples=samples), tiles(2)).height)
    assert heights[1] - heights[0] == 21
    assert heights[2] - heights[0] == 13 * 21
    assert heights[3] == heights[2] + 21


def test_a_failed_sample_is_marked(make_group: Make) -> None:
    good, bad = make_samples(0, 1)[0], make_samples(1, 1, status="max_steps")[0]
    sheet = draw_sheet(make_group(samples=(good, bad)), tiles(2))
    pixels = np.asarray(sheet)
    x, y = tile_corners(sheet, INKS[0])[0]
    alarm = (pixels == np.array([0xFF, 0x6B, 0x5E], dtype=np.uint8)).all(axis=2)
    assert not alarm[y : y + THUMBNAIL, x : x + THUMBNAIL].any()
    assert alarm[y : y + THUMBNAIL, x + THUMBNAIL :].sum() > 4 * 3 * (THUMBNAIL - 10)


def test_what_was_got_shows_whether_it_holds(make_group: Make) -> None:
    sample = make_samples(0, 1)[0]
    missed = evolve(sample, readings={"glasses=1": 0.01, "age=15": 44.0})
    green = np.array([0x7D, 0xDC, 0x9B], dtype=np.uint8)
    counts = [
        (np.asarray(draw_sheet(make_group(samples=(s,)), tiles(1))) == green).all(axis=2).sum()
        for s in (sample, missed)
    ]
    assert counts[0] > 0
    assert counts[1] == 0


def test_hundreds_of_faces_are_cut_at_a_limit(make_group: Make) -> None:
    samples = tuple(make_samples(0, MOST_FACES + 50))
    group = make_group(samples=samples, atoms=())
    limited = draw_sheet(evolve(group, samples=samples[:MOST_FACES]), {})
    assert draw_sheet(group, {}).size == limited.size


def test_odd_text_does_not_break_a_sheet(make_group: Make) -> None:
    long = "глаза=1 and " * 80
    group = make_group(
        name="中文 – ∀x " * 30,
        condition=long,
        samples=tuple(evolve(s, energy=None, readings={}) for s in make_samples(0, 1)),
        atoms=(Atom("x" * 300, "x", "value", -math.inf, 3.0),),
    )
    plain = draw_sheet(make_group(samples=group.samples), tiles(1))
    assert draw_sheet(group, tiles(1)).width == plain.width


def test_an_empty_group_is_still_a_picture(make_group: Make) -> None:
    assert draw_sheet(make_group(count=0), {}).height > 0


@pytest.mark.parametrize(
    ("atom", "value", "text"),
    [
        (Atom("g=1", "g", "probability", 0.5, 1), 0.987, "0.99"),
        (Atom("g=1", "g", "probability", 0.5, 1), 0.9971, "0.997"),
        (Atom("g=1", "g", "probability", 0.5, 1), 0.99999, "1.00"),
        (Atom("g=1", "g", "probability", 0.5, 1), 0.0021, "0.002"),
        (Atom("g=1", "g", "probability", 0.5, 1, negated=True), 0.02, "0.98"),
        (Atom("age=15", "age", "value", 7, 23, "years"), 4.23, "4.2"),
        (Atom("yaw=front", "yaw", "value", -3, 3, "deg"), -0.877, "-0.9"),
        (Atom("yaw=front", "yaw", "value", -3, 3, "deg"), -0.02, "0.0"),
        (Atom("light0=0.4", "light0", "value", 0.3, 0.5), 0.412, "0.41"),
        (Atom("age=15", "age", "value", 7, 23), None, "-"),
    ],
)
def test_readings_are_short(atom: Atom, value: float | None, text: str) -> None:
    assert achieved(atom, value) == text


def test_thumbnails_are_shrunk_smoothly_and_grown_by_pixels() -> None:
    big = np.zeros((1024, 1024, 3), np.uint8)
    big[::2] = 200
    small = np.asarray(thumbnail(big))
    assert small.shape == (THUMBNAIL, THUMBNAIL, 3)
    assert np.abs(small[4:-4].astype(int) - 100).max() <= 2
    tiny = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    assert np.array_equal(np.asarray(thumbnail(tiny))[::4, ::4], tiny)


def test_a_written_sheet_is_the_drawn_one(tmp_path: Path, make_group: Make) -> None:
    sheet = draw_sheet(make_group(samples=tuple(make_samples(0, 2))), tiles(2))
    write_sheet(tmp_path / "sheet.png", sheet)
    with Image.open(tmp_path / "sheet.png") as again:
        assert ImageChops.difference(sheet, again.convert("RGB")).getbbox() is None
