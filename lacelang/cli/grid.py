"""`lacelang grid`: groups of a run folder side by side, in one labelled picture."""

from __future__ import annotations

import csv
import re
from argparse import Namespace
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from lacelang.errors import UsageError
from lacelang.text.names import nfc

if TYPE_CHECKING:
    from PIL import Image

    from lacelang.render.grid import Grid
    from lacelang.storage.reading import FoundGroup
    from lacelang.storage.records import GroupRecord

SAMPLES = "samples"
NAME = "grid.png"
_MOST_INDICES = 1000


def draw_groups(arguments: Namespace) -> int:
    """Draw a grid of groups, and print the path of its file."""
    from lacelang.render.grid import draw_grid
    from lacelang.render.sheet import encoded
    from lacelang.storage.files import write_atomic
    from lacelang.storage.images import Images
    from lacelang.storage.provenance import synthetic
    from lacelang.storage.reading import find_run

    folder = Path(arguments.folder)
    out: Path | None = arguments.out
    if out is not None and out.suffix.lower() not in (".png", ".jpg", ".jpeg"):
        raise UsageError(f"--out names a .png or a .jpg file, not {out}")
    run = find_run(folder)
    groups = {group.record.name: group for group in run.groups}
    grid = _grid(
        run.record.program.name,
        [group.record for group in run.groups],
        arguments.rows,
        arguments.columns,
        None if arguments.samples is None else _indices(arguments.samples),
    )
    if not grid.cells:
        raise UsageError("no samples of these groups are there; run the program again")
    sheet = draw_grid(grid, partial(_picture, groups))
    kind = "PNG" if out is None or out.suffix.lower() == ".png" else "JPEG"
    shown = [group for name, group in groups.items() if name in grid.groups]
    of_photo = any(group.record.of_photo for group in shown)
    data = encoded(sheet, kind, texts=_said(shown[0]) | synthetic(of_photo))
    if out is None:
        # Somebody else's file of this name is set aside.
        Images(folder).read().write(NAME, data)
    else:
        write_atomic(out, data)
    print(out or folder / NAME)
    return 0


def _said(first: FoundGroup) -> dict[str, str]:
    """What the images of a grid's first group say of how they were made, as a grid says it."""
    from lacelang.storage.provenance import read, texts

    with suppress(OSError, ValueError):
        said = read(next(iter(first.images.values())))
        if said is not None:
            return texts(said.of_grid)
    return {}


def _picture(groups: Mapping[str, FoundGroup], name: str, index: int) -> Image.Image | None:
    from lacelang.report.pictures import read

    path = groups[name].images.get(index)
    return None if path is None else read(path)


def _grid(
    title: str,
    groups: Sequence[GroupRecord],
    rows: str | None,
    columns: str | None,
    samples: Sequence[int] | None,
) -> Grid:
    from lacelang.render.grid import MOST_IN_A_CELL
    from lacelang.render.group_grids import crossed_grid, sample_grid

    by_columns = columns is not None and columns != SAMPLES
    if rows == SAMPLES and not by_columns:
        raise UsageError("samples stand in rows or in columns; name groups for the other")
    if by_columns and rows not in (None, SAMPLES):
        assert columns is not None
        assert rows is not None
        down, across = _patterns(rows), _patterns(columns)
        places = _crossed(groups, down, across)
        labels = [[_label(each) for each in axis] for axis in (down, across)]
        shown = range(MOST_IN_A_CELL) if samples is None else samples
        return crossed_grid(title, labels[0], labels[1], places, shown)
    named = _chosen(groups, columns if by_columns else rows)
    labelled = [(group.name, group) for group in named]
    return sample_grid(title, labelled, samples, across=not by_columns)


def _crossed(
    groups: Sequence[GroupRecord], rows: Sequence[str], columns: Sequence[str]
) -> dict[tuple[int, int], GroupRecord]:
    """The group of each cell: the one whose name fits the patterns of its row and column."""
    fit_rows, fit_columns = (
        [[g.name for g in groups if _fits(p, g.name)] for p in axis] for axis in (rows, columns)
    )
    for patterns, found in ((rows, fit_rows), (columns, fit_columns)):
        for pattern, names in zip(patterns, found, strict=True):
            if not names:
                raise _unknown(pattern, groups)
    by_name = {group.name: group for group in groups}
    places = {}
    for row, of_row in enumerate(fit_rows):
        for column, of_column in enumerate(fit_columns):
            both = [name for name in of_row if name in of_column]
            if len(both) > 1:
                listed = ", ".join(both[:4])
                raise UsageError(
                    f"several groups are in row `{rows[row]}` and column `{columns[column]}`: "
                    f"{listed}; patterns must leave one for each cell"
                )
            if both:
                places[row, column] = by_name[both[0]]
    if not places:
        raise UsageError("no group is in both a row and a column")
    return places


def _chosen(groups: Sequence[GroupRecord], patterns: str | None) -> list[GroupRecord]:
    """Groups by names and patterns, in their order; all of them for None."""
    if patterns is None:
        return list(groups)
    found: dict[str, GroupRecord] = {}
    for pattern in _patterns(patterns):
        fitting = {group.name: group for group in groups if _fits(pattern, group.name)}
        if not fitting:
            raise _unknown(pattern, groups)
        found.update(fitting)
    return list(found.values())


def _patterns(text: str) -> list[str]:
    """Names and patterns between commas; one with a comma stands in double quotes."""
    (fields,) = csv.reader([nfc(text.replace("\n", " "))], skipinitialspace=True)
    found = [field.strip() for field in fields if field.strip()]
    if not found:
        raise UsageError("--rows and --columns name groups, such as `a,b` or `age*`, or samples")
    return found


def _fits(pattern: str, name: str) -> bool:
    """Whether a name is as a pattern says; no group's name has `*` or `?` in it."""
    parts = (re.escape(each) for each in re.split(r"([*?])", pattern))
    form = "".join({r"\*": ".*", r"\?": "."}.get(part, part) for part in parts)
    return re.fullmatch(form, name, re.DOTALL) is not None


def _label(pattern: str) -> str:
    """A pattern as a label: `age 15*` as `age 15`."""
    return " ".join(re.sub(r"[*?]+", " … ", pattern).strip(" …").split()) or pattern


def _unknown(pattern: str, groups: Sequence[GroupRecord]) -> UsageError:
    known = ", ".join(group.name for group in groups[:20]) or "none"
    more = f" and {len(groups) - 20} more" if len(groups) > 20 else ""
    return UsageError(f"the run has no group `{pattern}`; its groups: {known}{more}")


def _indices(text: str) -> list[int]:
    """Indices of samples, such as `0..3,7`."""
    found: list[int] = []
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d{1,9})\s*(?:\.\.\s*(\d{1,9})\s*)?", part)
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
        if first > last or last - first >= _MOST_INDICES:
            raise UsageError(f"--samples takes indices such as `0..3,7`, not {text!r}")
        found += range(first, last + 1)
    return list(dict.fromkeys(found))[:_MOST_INDICES]
