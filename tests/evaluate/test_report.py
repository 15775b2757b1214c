"""Reports as JSON, Markdown and files."""

from __future__ import annotations

import io
import json
from pathlib import Path

from PIL import Image

from lacelang.evaluate.report import (
    Picture,
    Report,
    Table,
    as_json,
    as_markdown,
    print_tables,
    save,
    shown,
)
from lacelang.text.channels import console

REPORT = Report(
    "trial",
    (
        Table(
            "what | how",
            ({"name": "a|b", "ACC": 0.98765}, {"name": "c", "ACC": 1.0, "paper": 0.5}),
            "n.",
        ),
    ),
    (
        Picture("points", "Points", lambda: Image.new("RGB", (500, 30)), {"x": "share"}),
        Picture("faces", "Some faces", lambda: Image.new("RGB", (40, 30), "red")),
    ),
    {"faces": 4},
)


def test_json_has_a_row_as_an_object() -> None:
    found = json.loads(as_json(REPORT))
    row = found["tables"][0]["rows"][0]
    assert row == {"name": "a|b", "ACC": 0.98765, "paper": None}
    assert found["figures"] == [{"x": "share"}]
    assert found["sheets"] == [{"name": "faces", "title": "Some faces"}]


def test_markdown_escapes_bars_and_puts_numbers_to_the_right() -> None:
    lines = as_markdown(REPORT).splitlines()
    assert "| name | ACC | paper |" in lines
    assert "| --- | --: | --: |" in lines
    assert "| a\\|b | 0.988 |  |" in lines


def test_a_table_of_nine_columns_fits_a_terminal() -> None:
    columns = ("variant", "faces", "DES", "undivided", "of at most", "yaw", "smile", "age", "x")
    table = Table(
        "t", [dict(zip(columns, ("hold as in the paper", 64, *[0.123] * 7), strict=True))]
    )
    screen = console(io.StringIO(), width=80, record=True)
    print_tables(Report("trial", (table,)), screen)
    text = screen.export_text()
    assert "…" not in text
    assert text.count("0.123") == 7


def test_numbers_keep_three_digits() -> None:
    assert [shown(v) for v in (0.5, 12.345, 0.0, 1e-5, 1234.5, None, 7)] == [
        *("0.500", "12.3", "0.000", "1e-05", "1.23e+03", "", "7")
    ]


def test_saving_draws_the_figures_and_the_sheets(tmp_path: Path) -> None:
    save(REPORT, tmp_path / "new")
    assert {path.name for path in (tmp_path / "new").iterdir()} == {
        *("report.json", "report.md", "points.png", "faces.jpg")
    }
    with Image.open(tmp_path / "new" / "points.png") as image:
        assert image.width > 400
    with Image.open(tmp_path / "new" / "faces.jpg") as image:
        assert (image.format, image.size) == ("JPEG", (40, 30))


def test_figures_and_sheets_are_linked() -> None:
    markdown = as_markdown(REPORT)
    assert "![Points](points.png)" in markdown
    assert "![Some faces](faces.jpg)" in markdown
