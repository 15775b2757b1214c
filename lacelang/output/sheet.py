"""Contact sheets: every face of a group small, with what was wanted and what was got under it."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from lacelang.output.files import write_atomic
from lacelang.output.records import Atom, GroupRecord, SampleRecord
from lacelang.output.text import fit, font, font_for, legible, wrap

THUMBNAIL = 256
MOST_FACES = 400

_MARGIN, _GAP = 28, 16
_TITLE, _CONDITION, _SMALL, _ROW = 30, 19, 15, 21
_MOST_ROWS = 14

_PAPER = "#15171b"
_CARD = "#1e2126"
_INK = "#f1f3f5"
_SOFT = "#9aa2ad"
_FAINT = "#7b838e"
_GOT = "#7ddc9b"
_ALARM = "#ff6b5e"


def thumbnail(image: NDArray[np.uint8] | Image.Image) -> Image.Image:
    """Shrink a face, uint8 (H, W, 3) or a PIL image, to `THUMBNAIL` pixels a side."""
    picture = image if isinstance(image, Image.Image) else Image.fromarray(image)
    size = (THUMBNAIL, THUMBNAIL)
    if picture.width < THUMBNAIL:
        # Pixels of a small generator are shown as they are, not blurred into a photograph.
        return picture.convert("RGB").resize(size, Image.Resampling.NEAREST)
    return picture.convert("RGB").resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)


def columns_for(count: int) -> int:
    """How many faces stand side by side in a sheet of `count`: nearly square, its last row full.

    Of the widths between a square and twice as wide as high, the one that leaves the fewest
    places empty; at most 16.
    """
    narrow = min(16, math.isqrt(max(count - 1, 0)) + 1)
    wide = min(16, max(narrow, math.floor(math.sqrt(2.2 * count))))
    return min(range(narrow, wide + 1), key=lambda columns: (-count % columns, columns))


def draw_sheet(group: GroupRecord, thumbnails: Mapping[int, Image.Image]) -> Image.Image:
    """Draw the contact sheet of `group`.

    Args:
        group: its first `MOST_FACES` samples are shown, in order.
        thumbnails: sample index → `thumbnail` of its face; a missing one leaves an empty frame.
    """
    shown = group.samples[:MOST_FACES]
    columns = columns_for(len(shown))
    atoms = group.atoms[:_MOST_ROWS]
    more = len(group.atoms) - len(atoms)
    cell_height = THUMBNAIL + 12 + _ROW * (1 + len(atoms) + (more > 0)) + 8
    # A title wants some room, even over a single face.
    width = max(2 * _MARGIN + columns * (THUMBNAIL + _GAP) - _GAP, 2 * _MARGIN + 2 * THUMBNAIL)
    header = _header(group, len(shown), width - 2 * _MARGIN)
    top = _MARGIN + sum(line[3] for line in header) + _GAP
    rows = math.ceil(len(shown) / columns)
    height = top + rows * (cell_height + _GAP) - _GAP + _MARGIN

    sheet = Image.new("RGB", (width, height), _PAPER)
    draw = ImageDraw.Draw(sheet)
    y = _MARGIN
    for text, size, ink, advance in header:
        draw.text((_MARGIN, y), text, font=font_for(text, size), fill=ink)
        y += advance
    for place, sample in enumerate(shown):
        row, column = divmod(place, columns)
        corner = (_MARGIN + column * (THUMBNAIL + _GAP), top + row * (cell_height + _GAP))
        _draw_card(draw, corner, cell_height, sample, atoms, more)
        picture = thumbnails.get(sample.index)
        if picture is not None:
            sheet.paste(picture, corner)
        if sample.status != "converged":
            _draw_status(draw, corner, sample.status)
    return sheet


def write_sheet(path: Path, sheet: Image.Image) -> None:
    """Write a drawn sheet as PNG, whole or not at all.

    Raises:
        ResourceError: the disk is full, or the folder cannot be written.
    """
    buffer = io.BytesIO()
    sheet.save(buffer, "PNG", compress_level=4)
    write_atomic(path, buffer.getvalue())


def achieved(atom: Atom, value: float | None) -> str:
    """How a reading stands on the sheet: `0.99` for a probability, `14.2` for a value.

    Under a `not`, the probability of what was wanted: of the opposite.
    """
    if value is None:
        return "-"
    if atom.reading == "probability":
        value = 1 - value if atom.negated else value
        # 0.997 must not read as certainty, nor 0.004 as impossibility.
        if 0.995 <= value < 0.9995 or 0.0005 <= value < 0.005:
            return f"{value:.3f}"
        return f"{value:.2f}"
    # Degrees and years to a tenth; what has no unit is a share of 1.
    return f"{value:z.1f}" if atom.unit is not None else f"{value:z.2f}"


def _header(group: GroupRecord, shown: int, width: int) -> list[tuple[str, int, str, int]]:
    """Lines over the faces: text, size, ink and the distance to the next one."""
    lines = []
    face = font_for(group.name, _TITLE)
    lines.append((fit(legible(group.name, face), face, width), _TITLE, _INK, _TITLE + 12))
    condition = group.condition or "no condition: draws from the prior"
    face = font_for(condition, _CONDITION)
    for text in wrap(legible(condition, face), face, width, lines=4):
        lines.append((text, _CONDITION, _SOFT, _CONDITION + 7))
    for text in wrap(_facts(group, shown), font(_SMALL), width, lines=3):
        lines.append((text, _SMALL, _FAINT, _SMALL + 6))
    return lines


def _facts(group: GroupRecord, shown: int) -> str:
    count = len(group.samples)
    faces = f"{count} faces" if count != 1 else "1 face"
    facts = [faces if shown == count else f"first {shown} of {faces}", f"seed {group.seed}"]
    facts += [str(group.settings[key]) for key in ("model", "sampler") if key in group.settings]
    if "truncation" in group.settings:
        facts.append(f"truncation {group.settings['truncation']:g}")
    failed = sum(sample.status != "converged" for sample in group.samples)
    if failed:
        facts.append(f"{failed} did not converge")
    if group.atoms:
        facts.append("values read by the latent classifiers")
    return legible(" · ".join(facts), font(_SMALL))


def _draw_card(
    draw: ImageDraw.ImageDraw,
    corner: tuple[int, int],
    height: int,
    sample: SampleRecord,
    atoms: Sequence[Atom],
    more: int,
) -> None:
    x, y = corner
    small = font(_SMALL)
    left, right = x + 10, x + THUMBNAIL - 10
    draw.rectangle((x, y, x + THUMBNAIL - 1, y + height - 1), fill=_CARD)
    y += THUMBNAIL + 8
    draw.text((left, y), f"{sample.index:04d}", font=small, fill=_FAINT)
    if atoms:
        energy = "energy -" if sample.energy is None else f"energy {sample.energy:.2f}"
        draw.text((right, y), energy, font=small, fill=_FAINT, anchor="ra")
    for atom in atoms:
        y += _ROW
        value = sample.readings.get(atom.text)
        got = value is not None and atom.holds(value)
        shown = achieved(atom, value)
        draw.text((right, y), shown, font=small, fill=_GOT if got else _INK, anchor="ra")
        room = right - left - small.getlength(shown) - 12
        draw.text((left, y), fit(legible(atom.wanted, small), small, room), font=small, fill=_SOFT)
    if more > 0:
        y += _ROW
        draw.text((left, y), f"and {more} more", font=small, fill=_FAINT)


def _draw_status(draw: ImageDraw.ImageDraw, corner: tuple[int, int], status: str) -> None:
    x, y = corner
    small = font(_SMALL)
    words = status.replace("_", " ")
    draw.rectangle((x, y, x + THUMBNAIL - 1, y + THUMBNAIL - 1), outline=_ALARM, width=3)
    draw.rectangle((x, y, x + int(small.getlength(words)) + 20, y + 26), fill=_ALARM)
    draw.text((x + 10, y + 4), words, font=small, fill=_PAPER)
