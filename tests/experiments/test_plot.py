"""Figures."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from experiments.plot import scatter
from lacelang.evaluate.report import Report, save


def test_a_figure_is_saved_as_png_and_its_points_as_json(tmp_path: Path) -> None:
    figure = scatter("points", "Points", "x", "y", {"a": [(1.0, 2.0), (10.0, 3.0)]}, log="x")
    save(Report("trial", (), [figure]), tmp_path)
    with Image.open(tmp_path / "points.png") as image:
        assert image.width > 400
    assert '"log": [' in (tmp_path / "report.json").read_text()
