"""Film strips: a face before an edit and after each of its lines, side by side."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image

from lacelang.render.sheet import made_by
from lacelang.render.sheet_cells import Cell, draw_cells
from lacelang.storage.records import GroupRecord, SampleRecord

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
    atoms = list({atom.text: atom for step in group.steps for atom in step.atoms}.values())
    facts = made_by(group)
    shown = list(range(len(thumbnails)))
    if len(shown) > _MOST_PICTURES:
        half = _MOST_PICTURES // 2
        facts.append(f"lines {half} to {len(shown) - half - 1} are left out")
        shown = shown[:half] + shown[-half:]
    cells = []
    for moment in shown:
        step, line = sample.steps[moment], group.steps[moment - 1] if moment else None
        asked = {atom.text for atom in line.atoms} if line else set()
        cells.append(
            Cell(
                thumbnails[moment],
                line.text if line else "before",
                step.energy,
                step.status,
                step.readings,
                {atom.text for atom in atoms} - asked,
            )
        )
    title = f"{group.name} {sample.index:04d}"
    return draw_cells(title, group.condition, facts, atoms, cells, len(cells))
