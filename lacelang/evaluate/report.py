"""Reports of evaluations, tables and pictures: printed, saved, and as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import quote

from attrs import field, frozen
from PIL.Image import Image
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table as Drawn

from lacelang.render.markdown import markdown_table, markdown_text
from lacelang.render.sheet import write_sheet
from lacelang.storage.files import make_folder, write_atomic

Cell: TypeAlias = str | float | int | None
Row: TypeAlias = Mapping[str, Cell]


@frozen
class Table:
    """A table: rows by heading (what a row lacks is empty), and a sentence below it."""

    title: str
    rows: Sequence[Row]
    note: str = ""

    @property
    def columns(self) -> tuple[str, ...]:
        """The headings of all rows."""
        return tuple(dict.fromkeys(heading for row in self.rows for heading in row))

    @property
    def texts(self) -> list[list[str]]:
        """The cells as they are printed."""
        return [[shown(row.get(heading)) for heading in self.columns] for row in self.rows]

    @property
    def numeric(self) -> list[bool]:
        """Which columns hold no text."""
        return [
            not any(isinstance(row.get(heading), str) for row in self.rows)
            for heading in self.columns
        ]

    @property
    def markdown(self) -> str:
        """The table as Markdown, numbers to the right."""
        return markdown_table(self.columns, self.texts, self.numeric)


@frozen(eq=False)
class Picture:
    """A picture beside the tables."""

    name: str  # of its file
    title: str
    draw: Callable[[], Image]  # called only when it is saved
    data: Mapping[str, Any] | None = None  # of a figure, JSON values; None of sheets of faces

    @property
    def file(self) -> str:
        """The name of its file: figures are PNG, faces JPEG."""
        return f"{self.name}.{'jpg' if self.data is None else 'png'}"


@frozen
class Report:
    """What one evaluation found; `about` says how it was made, in JSON values."""

    suite: str
    tables: Sequence[Table]
    pictures: Sequence[Picture] = ()
    about: Mapping[str, Any] = field(factory=dict)


def as_json(report: Report) -> str:
    """The report as one JSON object; a row of a table is an object."""
    tables = [
        {
            "title": table.title,
            "rows": [{name: row.get(name) for name in table.columns} for row in table.rows],
            "note": table.note,
        }
        for table in report.tables
    ]
    content = {
        "suite": report.suite,
        "about": dict(report.about),
        "tables": tables,
        "figures": [picture.data for picture in report.pictures if picture.data is not None],
        "sheets": [
            {"name": picture.name, "title": picture.title}
            for picture in report.pictures
            if picture.data is None
        ],
    }
    return json.dumps(content, indent=1, ensure_ascii=False)


def as_markdown(report: Report) -> str:
    """The report's tables as Markdown, its pictures as links to files beside it."""
    parts = [f"# {markdown_text(report.suite)}", *_tables(report, "##")]
    parts += [
        f"![{markdown_text(picture.title)}]({quote(picture.file)})" for picture in report.pictures
    ]
    return "\n\n".join(parts) + "\n"


def tables_as_markdown(report: Report, heading: str = "###") -> str:
    """The report's tables alone, under headings of a level."""
    return "\n\n".join(_tables(report, heading)) + "\n"


def _tables(report: Report, heading: str) -> Iterator[str]:
    for table in report.tables:
        yield f"{heading} {markdown_text(table.title)}\n\n{table.markdown}"
        if table.note:
            yield table.note


def shown(cell: Cell) -> str:
    """Write a cell: numbers with three decimals, or three significant digits."""
    if cell is None:
        return ""
    if isinstance(cell, float):
        return f"{cell:.3f}" if 1e-3 <= abs(cell) < 10 or cell == 0 else f"{cell:.3g}"
    return str(cell)


def save(report: Report, folder: Path) -> None:
    """Write `report.json`, `report.md` and the pictures.

    Raises:
        ResourceError: the folder cannot be written, or there is nothing here to draw figures with.
    """
    make_folder(folder)
    for picture in report.pictures:
        write_sheet(folder / picture.file, picture.draw())
    write_atomic(folder / "report.md", as_markdown(report).encode())
    write_atomic(folder / "report.json", (as_json(report) + "\n").encode())


def print_tables(report: Report, console: Console) -> None:
    """Print the tables to a console without markup, as `text.channels` makes them."""
    for table in report.tables:
        console.print(table.title, style="bold", soft_wrap=True)
        drawn = Drawn(box=SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0))
        for heading, numeric in zip(table.columns, table.numeric, strict=True):
            drawn.add_column(heading, justify="right" if numeric else "left")
        for row in table.texts:
            drawn.add_row(*row)
        console.print(drawn)
        if table.note:
            console.print(table.note, soft_wrap=True)
        console.print()
