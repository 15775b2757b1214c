"""Film strips: a face before an edit and after each of its lines, side by side."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image, ImageDraw

from lacelang.render.sheet import draw_header, header
from lacelang.render.sheet_cells import (
    GAP,
    MARGIN,
    PAPER,
    THUMBNAIL,
    card_height,
    draw_card,
    draw_status,
)
from lacelang.storage.records import Atom, GroupRecord, SampleRecord

_MOST_ROWS = 14
# Wider strips are more than Pillow opens without a warning of a decompression bomb.
_MOST_PICTURES = 200


def draw_film(
    group: GroupRecord, sample: SampleRecord, thumbnails: Sequence[Image.Image]
) -> Image.Image:
    """Draw the film strip of one edited sample.

    Under each picture stand all comparisons of the edit with what was read there; those that the
    lines so far do not ask for are faint.

    Args:
        group: an edited one.
        sample: one of its samples.
        thumbnails: of its face before the first line and after each; of very many, those in the
            middle are left out.
    """
    atoms = _atoms(group)
    rows = atoms[:_MOST_ROWS]
    more = len(atoms) - len(rows)
    height = card_height(len(rows) + (more > 0))
    shown = list(range(len(thumbnails)))
    facts = [str(group.settings[key]) for key in ("model", "sampler") if key in group.settings]
    if len(shown) > _MOST_PICTURES:
        half = _MOST_PICTURES // 2
        facts.append(f"lines {half} to {len(shown) - half - 1} are left out")
        shown = shown[:half] + shown[-half:]
    width = 2 * MARGIN + len(shown) * (THUMBNAIL + GAP) - GAP
    title = f"{group.name} {sample.index:04d}"
    lines = header(title, group.condition, " · ".join(facts), width - 2 * MARGIN)
    top = MARGIN + sum(line.advance for line in lines) + GAP
    film = Image.new("RGB", (width, top + height + MARGIN), PAPER)
    draw = ImageDraw.Draw(film)
    draw_header(draw, lines)
    for place, moment in enumerate(shown):
        picture, step = thumbnails[moment], sample.steps[moment]
        corner = (MARGIN + place * (THUMBNAIL + GAP), top)
        caption = group.steps[moment - 1].text if moment else "before"
        asked = {atom.text for atom in group.steps[moment - 1].atoms} if moment else set()
        draw_card(
            draw,
            corner,
            height,
            caption,
            step.energy,
            rows,
            step.readings,
            more=more,
            unasked={atom.text for atom in rows} - asked,
        )
        film.paste(picture, corner)
        if step.status != "converged":
            draw_status(draw, corner, step.status)
    return film


def _atoms(group: GroupRecord) -> list[Atom]:
    found = {atom.text: atom for step in group.steps for atom in step.atoms}
    return list(found.values())
