"""Contact sheets: every face of a group small, with what was wanted and what was got under it."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from attrs import frozen
from PIL import Image, ImageDraw

from lacelang.render.sheet_cells import (
    CONDITION,
    FAINT,
    GAP,
    INK,
    MARGIN,
    PAPER,
    SMALL,
    SOFT,
    THUMBNAIL,
    TITLE,
    card_height,
    draw_card,
    draw_status,
)
from lacelang.render.text import fit, font, font_for, legible, wrap
from lacelang.storage.files import write_atomic
from lacelang.storage.records import GroupRecord
from lacelang.text.numerals import number_text

MOST_FACES = 400

_MOST_ROWS = 14


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
    shown = group.samples[:MOST_FACES]
    columns = columns_for(len(shown)) if columns is None else columns
    atoms = group.atoms[:_MOST_ROWS]
    more = len(group.atoms) - len(atoms)
    cell_height = card_height(len(atoms) + (more > 0))
    # A title wants some room, even over a single face.
    width = max(2 * MARGIN + columns * (THUMBNAIL + GAP) - GAP, 2 * MARGIN + 2 * THUMBNAIL)
    lines = header(
        group.name, group.condition, _facts(group, len(shown), source), width - 2 * MARGIN
    )
    top = MARGIN + sum(line.advance for line in lines) + GAP
    rows = math.ceil(len(shown) / columns)
    height = top + rows * (cell_height + GAP) - GAP + MARGIN

    sheet = Image.new("RGB", (width, height), PAPER)
    draw = ImageDraw.Draw(sheet)
    draw_header(draw, lines)
    for place, sample in enumerate(shown):
        row, column = divmod(place, columns)
        corner = (MARGIN + column * (THUMBNAIL + GAP), top + row * (cell_height + GAP))
        caption, read = f"{sample.index:04d}", sample.readings
        draw_card(draw, corner, cell_height, caption, sample.energy, atoms, read, more=more)
        picture = thumbnails.get(sample.index)
        if picture is not None:
            sheet.paste(picture, corner)
        if sample.status != "converged":
            draw_status(draw, corner, sample.status)
    return sheet


def write_sheet(path: Path, sheet: Image.Image) -> None:
    """Write a drawn sheet as PNG, whole or not at all.

    Raises:
        ResourceError: the disk is full, or the folder cannot be written.
    """
    buffer = io.BytesIO()
    sheet.save(buffer, "PNG", compress_level=4)
    write_atomic(path, buffer.getvalue())


@frozen
class Line:
    """A line over the faces: its text, size and ink, and the distance to the next one."""

    text: str
    size: int
    ink: str
    advance: int


def header(title: str, condition: str, facts: str, width: int) -> list[Line]:
    """Set the lines over the faces in so many pixels."""
    face = font_for(title, TITLE)
    lines = [Line(fit(legible(title, face), face, width), TITLE, INK, TITLE + 12)]
    condition = condition or "no condition: draws from the prior"
    face = font_for(condition, CONDITION)
    for text in wrap(legible(condition, face), face, width, lines=4):
        lines.append(Line(text, CONDITION, SOFT, CONDITION + 7))
    for text in wrap(facts, font(SMALL), width, lines=3):
        lines.append(Line(text, SMALL, FAINT, SMALL + 6))
    return lines


def draw_header(draw: ImageDraw.ImageDraw, lines: Sequence[Line]) -> None:
    """Draw the lines from the top margin downwards."""
    y = MARGIN
    for line in lines:
        draw.text((MARGIN, y), line.text, font=font_for(line.text, line.size), fill=line.ink)
        y += line.advance


def _facts(group: GroupRecord, shown: int, source: str) -> str:
    count = len(group.samples)
    faces = f"{count} faces" if count != 1 else "1 face"
    facts = [faces if shown == count else f"first {shown} of {faces}", f"seed {group.seed}"]
    facts += [str(group.settings[key]) for key in ("model", "sampler") if key in group.settings]
    if "truncation" in group.settings:
        facts.append(f"truncation {number_text(group.settings['truncation'])}")
    failed = sum(sample.status != "converged" for sample in group.samples)
    if failed:
        facts.append(f"{failed} did not converge")
    if group.atoms:
        facts.append(f"values {source}")
    return legible(" · ".join(facts), font(SMALL))
