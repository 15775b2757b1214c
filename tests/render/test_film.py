"""Film strips of edits."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest
from attrs import evolve
from made_runs import make_samples
from PIL import Image

from lacelang.render.sheet import draw_film, write_sheet
from lacelang.render.sheet_cells import MARGIN, THUMBNAIL
from lacelang.storage.records import Atom, GroupRecord, StepPlan, StepRecord


@pytest.mark.parametrize("lines", [1, 3, 199, 200, pytest.param(1000, marks=pytest.mark.slow)])
def test_a_film_opens_whatever_the_number_of_lines(tmp_path: Path, lines: int) -> None:
    atoms = tuple(Atom(f"a{i}=1", f"a{i}", "probability", 0.5, 1.0, None) for i in range(20))
    plans = tuple(StepPlan(f"line {i}", None, atoms) for i in range(lines))
    group = GroupRecord("e", "e", "x " * 500, "f", 0, 1, {}, atoms, (), plans)
    steps = tuple(StepRecord(0.5, "max_steps", 0, 0, 0, {}) for _ in range(lines + 1))
    (sample,) = make_samples(0, 1)
    picture = Image.new("RGB", (THUMBNAIL, THUMBNAIL), "red")
    film = draw_film(group, evolve(sample, steps=steps), [picture] * (lines + 1))
    write_sheet(tmp_path / "film.png", film)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with Image.open(tmp_path / "film.png") as image:
            image.load()
            # The last picture is shown, whatever is left out.
            middle = image.width - MARGIN - THUMBNAIL // 2
            column = image.crop((middle, 0, middle + 1, image.height))
            assert b"\xff\x00\x00" in column.tobytes()
