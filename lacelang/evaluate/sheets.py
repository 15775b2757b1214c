"""Contact sheets of judged faces: under each, what annotators saw in it."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from itertools import islice

import numpy as np
from attrs import evolve
from PIL import Image

from lacelang import ir
from lacelang.engine.atoms import CLOSE, atoms_of
from lacelang.engine.truth import NEAR, Columns, truth
from lacelang.evaluate.judged import Judged
from lacelang.evaluate.report import Picture
from lacelang.render.sheet import draw_sheet
from lacelang.render.sheet_cells import thumbnail
from lacelang.storage.files import folder_name
from lacelang.storage.records import GroupRecord

FACES = 16


def sheet_of(judged: Judged) -> Picture:
    """The first faces of a group, with the annotations of its condition; decoded when saved."""
    record = judged.group.record
    name = folder_name(record.name.replace(" ", "_"))
    return Picture(name, record.condition or record.name, partial(draw_judged, judged))


def draw_judged(judged: Judged, faces: int = FACES, columns: int | None = None) -> Image.Image:
    """Draw the sheet of a group's first faces, so many side by side."""
    shown = annotated_record(judged, faces)
    images = islice(judged.group.each_image(), len(shown.samples))
    thumbnails = {s.index: thumbnail(i) for s, i in zip(shown.samples, images, strict=True)}
    return draw_sheet(shown, thumbnails, "judged from the images", columns)


def annotated_record(judged: Judged, faces: int) -> GroupRecord:
    """The record of a group's first faces, with annotations in place of classifiers' readings."""
    record, where = judged.group.record, judged.statement.where
    samples = record.samples[: min(faces, len(judged))]
    if where is None:
        return evolve(record, samples=samples)
    found = annotated_readings([where], judged.columns)
    atoms = atoms_of(where, near_sigma(judged.statement.model))
    samples = tuple(evolve(s, readings=r) for s, r in zip(samples, found, strict=False))
    return evolve(record, atoms=atoms, samples=samples)


def near_sigma(model: ir.ModelSpec) -> dict[str, float]:
    """Spreads with which a sheet shows `a=v` as satisfied exactly where `engine.truth` does."""
    return {
        a.name: NEAR * (a.limits[1] - a.limits[0]) / CLOSE
        for a in model.attributes
        if a.limits is not None
    }


def annotated_readings(
    conditions: Iterable[ir.Predicate], columns: Columns
) -> list[dict[str, float | None]]:
    """The annotations of each face by comparison: a value, or a probability of 0 or 1.

    None where nothing was seen.
    """
    found: list[dict[str, float | None]] = [{} for _ in next(iter(columns.values()))]
    for leaf in (leaf for condition in conditions for leaf in ir.comparisons(condition)):
        values = columns[leaf.attribute.name].astype(float)
        if isinstance(leaf, ir.ClassComparison):
            drawn = isinstance(leaf, ir.DrawnClass)
            shown = truth(leaf, columns) if drawn else np.isin(values, sorted(leaf.classes))
            values = np.where(np.isnan(values), np.nan, shown)
        for face, value in zip(found, values.tolist(), strict=True):
            face[" ".join(leaf.text.split())] = None if np.isnan(value) else value
    return found
