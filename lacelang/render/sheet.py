"""Contact sheets: every face of a group small, with what was wanted and what was got under it."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping
from pathlib import Path

from PIL import Image

from lacelang.render.sheet_cells import Cell, draw_cells
from lacelang.storage.files import write_atomic
from lacelang.storage.records import GroupRecord
from lacelang.text.numerals import number_text

MOST_FACES = 400


def columns_for(count: int) -> int:
    """How many faces stand side by side in a sheet of `count`: nearly square, its last row full.

    Of the widths between a square and twice as wide as high, the one that leaves the fewest
    places empty; at most 16.
    """
    narrow = min(16, math.isqrt(max(count - 1, 0)) + 1)
    wide = min(16, max(narrow, math.floor(math.sqrt(2.2 * count))))
    return min(range(narrow, wide + 1), key=lambda columns: (-count % columns, columns))


def draw_sheet(
    group: GroupRecord,
    thumbnails: Mapping[int, Image.Image],
    source: str = "read by the latent classifiers",
    columns: int | None = None,
) -> Image.Image:
    """Draw the contact sheet of `group`.

    Args:
        group: its first `MOST_FACES` samples are shown, in order.
        thumbnails: sample index → `thumbnail` of its face; a missing one leaves an empty frame.
        source: where the readings come from, in the words of the sheet.
        columns: how many faces stand side by side; None fills a nearly square sheet.
    """
    cells = [
        Cell(thumbnails.get(s.index), f"{s.index:04d}", s.energy, s.status, s.readings)
        for s in group.samples[:MOST_FACES]
    ]
    count = len(group.samples)
    faces = f"{count} faces" if count != 1 else "1 face"
    if len(cells) < count:
        faces = f"first {len(cells)} of {faces}"
    facts = [faces, f"seed {group.seed}", *made_by(group)]
    if "truncation" in group.settings:
        facts.append(f"truncation {number_text(group.settings['truncation'])}")
    failed = sum(sample.status != "converged" for sample in group.samples)
    if failed:
        facts.append(f"{failed} did not converge")
    if group.atoms:
        facts.append(f"values {source}")
    columns = columns or columns_for(len(cells))
    return draw_cells(group.name, group.condition, facts, group.atoms, cells, columns)


def made_by(group: GroupRecord) -> list[str]:
    """The names of a group's model and sampler."""
    return [str(group.settings[key]) for key in ("model", "sampler") if key in group.settings]


def write_sheet(path: Path, sheet: Image.Image) -> None:
    """Write a drawn sheet as PNG, whole or not at all.

    Raises:
        ResourceError: the disk is full, or the folder cannot be written.
    """
    buffer = io.BytesIO()
    sheet.save(buffer, "PNG", compress_level=4)
    write_atomic(path, buffer.getvalue())
