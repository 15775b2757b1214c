"""Contact sheets of the faces of a group, and film strips of a face along an edit."""

from __future__ import annotations

import io
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from PIL import Image

from lacelang.render.sheet_cells import Cell, cut_row, draw_cells
from lacelang.storage.files import write_atomic
from lacelang.storage.png import carrying
from lacelang.storage.records import GroupRecord, SampleRecord
from lacelang.text.numerals import number_text

MOST_FACES = 400
# Pillow warns of a decompression bomb when it opens wider strips.
_MOST_PICTURES = 200


def columns_for(count: int) -> int:
    """How many faces stand side by side in a sheet of `count`.

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
    """Draw the contact sheet of the first `MOST_FACES` samples of `group`.

    `thumbnails` are by sample index; a missing one leaves an empty frame. `source` is printed as
    the source of the readings. Without `columns` the sheet is nearly square.
    """
    cells = [
        Cell(
            thumbnails.get(s.index), f"{s.index:04d}", s.energy, s.status, s.readings, drawn=s.drawn
        )
        for s in group.samples[:MOST_FACES]
    ]
    count = len(group.samples)
    samples = f"{count} samples" if count != 1 else "1 sample"
    if len(cells) < count:
        samples = f"first {len(cells)} of {samples}"
    facts = [samples, f"seed {group.seed}", *_made_by(group)]
    if "truncation" in group.settings:
        facts.append(f"truncation {number_text(group.settings['truncation'])}")
    ends = Counter(sample.status for sample in group.samples)
    unverified = ends.pop("unverified", 0)
    failed = ends.total() - ends["converged"]
    if failed:
        facts.append(f"{failed} did not converge")
    if unverified:
        facts.append(f"{unverified} unverified")
    tries = [sample.tries for sample in group.samples if sample.tries is not None]
    if tries:
        facts.append(f"verified by annotators, {sum(tries) / len(tries):.1f} candidates a sample")
    if group.atoms:
        facts.append(f"values {source}")
    columns = columns or columns_for(len(cells))
    return draw_cells(group.name, group.condition, facts, group.atoms, cells, columns)


def draw_film(
    group: GroupRecord,
    sample: SampleRecord,
    thumbnails: Sequence[Image.Image],
    photo: Image.Image | None = None,
    pasted: Image.Image | None = None,
) -> Image.Image:
    """Draw the film strip of one edited sample, or of one that was made of a photograph.

    Under each picture are all comparisons of the edit with their readings; those that its line does
    not ask for are faint. `thumbnails` show the face before the first line and after each; of very
    many, those in the middle are left out. A `photo` comes first, and what was `pasted` last.
    """
    atoms = list({atom.text: atom for step in group.steps for atom in step.atoms}.values())
    facts = _made_by(group)
    shown = film_moments(len(thumbnails))
    if len(shown) < len(thumbnails):
        half = len(shown) // 2
        facts.append(f"lines {half} to {len(thumbnails) - half - 1} are left out")
    cells = []
    if photo is not None:
        cells.append(Cell(photo, "photo", None, "converged", {}))
        facts += [
            f"{name} {value:.3g}" for name, value in sample.extra.items() if value is not None
        ]
    if not sample.steps:
        cells += [Cell(each, "inverted", None, "converged", {}) for each in thumbnails]
    for moment in shown if sample.steps else ():
        step, line = sample.steps[moment], group.steps[moment - 1] if moment else None
        asked = {atom.text for atom in line.atoms} if line else set()
        cells.append(
            Cell(
                thumbnails[moment],
                line.text if line else "before" if photo is None else "inverted",
                step.energy,
                step.status,
                step.readings,
                {atom.text for atom in atoms} - asked,
            )
        )
    if pasted is not None:
        cells.append(Cell(pasted, "pasted into the photograph", None, "converged", {}))
    title = f"{group.name} {sample.index:04d}"
    return draw_cells(title, group.condition, facts, atoms, cells, len(cells))


def film_moments(count: int) -> list[int]:
    """Which of `count` moments of an edit a film strip shows: all, or the first and the last."""
    if count <= _MOST_PICTURES:
        return list(range(count))
    half = _MOST_PICTURES // 2
    return [*range(half), *range(count - half, count)]


def film_pictures(group: GroupRecord, strip: Image.Image) -> list[Image.Image]:
    """Cut the pictures out of a film strip that `draw_film` drew, in the order of the moments.

    The photograph is left out, alone and with the last of them in it.

    Returns none of a picture that is not laid out as such a strip.
    """
    atoms = {atom.text for step in group.steps for atom in step.atoms}
    moments = len(film_moments(len(group.steps) + 1))
    first = int(group.shows_photo)
    # Programs that paste, and others, may have drawn it for the same samples.
    counts = (first + moments, first + moments + 1)
    found = next(filter(None, (cut_row(strip, count, len(atoms)) for count in counts)), [])
    return found[first : first + moments]


def _made_by(group: GroupRecord) -> list[str]:
    """The names of a group's model and sampler."""
    return [str(group.settings[key]) for key in ("model", "sampler") if key in group.settings]


def write_sheet(path: Path, sheet: Image.Image, quality: int = 86) -> None:
    """Write a picture as PNG or JPEG, by the name of its file, whole or not at all."""
    write_atomic(path, encoded(sheet, "JPEG" if path.suffix == ".jpg" else "PNG", quality))


def encoded(
    sheet: Image.Image,
    kind: str = "PNG",
    quality: int = 86,
    texts: Mapping[str, str] | None = None,
) -> bytes:
    """Return the bytes of a picture's file; a PNG carries `texts` by their names."""
    buffer = io.BytesIO()
    info = carrying(texts or {})
    sheet.save(buffer, kind, compress_level=4, quality=quality, pnginfo=info)
    return buffer.getvalue()
