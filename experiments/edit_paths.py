"""Edited faces, annotated before the first line of the edit and after each, and what that says."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import TypeAlias

import numpy as np
import torch
from attrs import evolve, frozen
from numpy.typing import NDArray
from PIL import Image

from experiments.annotations import Annotations, annotate
from experiments.faces import Styles
from experiments.sheets import stacked
from lacelang import ir
from lacelang.engine.atoms import atoms_of
from lacelang.evaluate.report import Picture
from lacelang.evaluate.scores import scores
from lacelang.evaluate.sheets import annotated_readings, near_sigma
from lacelang.progress import Progress
from lacelang.render.sheet import draw_film
from lacelang.render.sheet_cells import thumbnail
from lacelang.storage.records import GroupRecord, StepPlan

Array: TypeAlias = NDArray[np.floating]
Floats: TypeAlias = NDArray[np.float32]
Decode: TypeAlias = Callable[[torch.Tensor], Iterator[NDArray[np.uint8]]]

#: Faces of a sheet.
SHOWN = 4


@frozen(eq=False)
class EditPaths:
    """What was seen in N faces at P moments: before an edit's first line, and after each.

    `frames` are the w+ (N, P, styles, d) that were decoded; moments have N annotations each.
    """

    frames: Floats
    moments: Sequence[Annotations]

    def __len__(self) -> int:
        return len(self.frames)

    def identity(self, moment: int) -> Floats:
        """Descriptors (N, K) of who each face is at a moment."""
        found = self.moments[moment].identity
        assert found is not None
        return found

    def followed(self, rest: EditPaths) -> EditPaths:
        """The same faces, with the moments of `rest` after these."""
        frames = np.concatenate([self.frames, rest.frames], axis=1)
        return EditPaths(frames, [*self.moments, *rest.moments])

    def first(self, faces: int) -> EditPaths:
        """Those of the first faces alone."""
        some = slice(faces)
        return EditPaths(self.frames[some], [moment.rows(some) for moment in self.moments])


def annotate_paths(
    model: ir.ModelSpec, parts: Sequence[Floats], progress: Progress
) -> list[EditPaths]:
    """Annotate frames, w+ (N, P, styles, d) each, of which N and P may differ."""
    # In one go, so that the annotators start up once.
    frames = [part[:, moment] for part in parts for moment in range(part.shape[1])]
    flat = Styles(np.concatenate(frames))
    found = annotate(model, flat, progress, "judging edited faces", identity=True)
    moments = found.split(list(map(len, frames)))
    return [EditPaths(part, list(islice(moments, part.shape[1]))) for part in parts]


# Did each edit do what it was asked, and nothing else?


def accuracies(steps: Sequence[ir.Predicate], paths: EditPaths) -> Array:
    """The accuracy of every line's comparison at every moment, (lines + 1, lines).

    Of a class the share of faces that show it, of a number 1 − mean |Δ| / range.
    """
    return np.array(
        [[scores([(s, moment.columns)])[0].accuracy for s in steps] for moment in paths.moments]
    )


def strengths(accuracy: Array, least: float) -> tuple[Array, Array]:
    """The disentangled edit strength of every line, as published and without its division.

    D_i = a_i − max over j ≠ i of |a_j|, where a is what line i adds to the accuracies, as published
    as shares of what there was to add, 1 − the accuracy before (LACE section 3.2), and no less than
    `least`: what one face counts. Their means over the lines are the DES.
    """
    added = np.diff(accuracy, axis=0)
    return _apart(added / np.maximum(1 - accuracy[:-1], least)), _apart(added)


def _apart(added: Array) -> Array:
    own = np.diag(added)
    others = np.abs(added)
    np.fill_diagonal(others, 0.0)
    apart: Array = own - others.max(axis=1, initial=0.0)
    return apart


def drift(
    attributes: Iterable[ir.Attribute], paths: EditPaths, asked: Container[str]
) -> dict[str, float]:
    """How far each attribute that no line speaks of has gone, from before all lines to after them.

    Of a class the share of faces that changed it, of a number the mean change over the range;
    faces in which nothing was seen at either end are left out.
    """
    found: dict[str, float] = {}
    before, after = paths.moments[0].columns, paths.moments[-1].columns
    for attribute in attributes:
        if attribute.name not in before or attribute.name in asked:
            continue
        change = np.abs(after[attribute.name] - before[attribute.name])
        change = change[~np.isnan(change)]
        if attribute.limits is not None:
            low, high = attribute.limits
            change = change / (high - low)
        else:
            change = change > 0
        if len(change):
            found[attribute.name] = float(change.mean())
    return found


def likeness(before: Array, after: Array, mean: Array) -> dict[str, float]:
    """Compare descriptors (N, K) of the same N faces before and after.

    The mean descriptor (K,) of the generator's faces is where cosines are taken from: descriptors
    all lie on one side of the origin.

    Returns:
        `ID distance`, the mean Euclidean distance of descriptors; `cosine`, their mean cosine as
        seen from the mean face: 1 for the same face, 0 on average for two people; `alike`, what
        that would be if each face had moved by the mean move of all and no further; `own`, the
        cosine without the mean move, each side seen from its own mean: 1 for faces that keep what
        sets them apart; `nearest`, the share of faces to which no other face before is nearer
        than their own.
    """
    apart = np.linalg.norm(after[:, None] - before[None], axis=2)
    own = np.diag(apart)
    seen, since = before.mean(axis=0), after.mean(axis=0)
    return {
        "ID distance": float(own.mean()),
        "cosine": _cosine(before - mean, after - mean),
        "alike": _cosine(before - mean, before - seen + since - mean),
        "own": _cosine(before - seen, after - since),
        "nearest": float((own <= apart.min(axis=1)).mean()),
    }


def _cosine(a: Array, b: Array) -> float:
    """Mean cosine of the rows of (N, K) with each other; NaN where one has no length."""
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return float(((a * b).sum(axis=1) / lengths).mean())


def strangers(descriptors: Array) -> float:
    """Mean distance of two different faces of (N, K), N > 1."""
    apart = np.linalg.norm(descriptors[:, None] - descriptors[None], axis=2)
    n = len(apart)
    return float(apart.sum() / (n * (n - 1)))


# Film strips


def film_sheet(
    name: str,
    title: str,
    statement: ir.EditStatement,
    record: GroupRecord,
    paths: EditPaths,
    decode: Decode,
    faces: int = SHOWN,
) -> Picture:
    """Film strips of the first faces, under each frame what was seen; decoded when saved."""
    shown = annotated_record(statement, record, paths.first(faces))
    return Picture(name, title, partial(_draw, shown, paths, decode))


def annotated_record(
    statement: ir.EditStatement, record: GroupRecord, paths: EditPaths
) -> GroupRecord:
    """An edited group's record of these faces, with annotations in place of readings."""
    near = near_sigma(statement.model)
    predicates = [step.predicate for step in statement.steps]
    atoms = {atom.text: atom for p in predicates for atom in atoms_of(p, near)}
    plans = tuple(
        StepPlan(plan.text, plan.layers, tuple(atoms.get(a.text, a) for a in plan.atoms))
        for plan in record.steps
    )
    # By moment and face.
    found = [annotated_readings(predicates, moment.columns) for moment in paths.moments]
    samples = []
    for i, sample in enumerate(record.samples[: len(paths)]):
        pairs = zip(sample.steps, found, strict=True)
        steps = tuple(evolve(step, readings=moment[i]) for step, moment in pairs)
        samples.append(evolve(sample, steps=steps))
    return evolve(record, steps=plans, samples=tuple(samples))


def _draw(record: GroupRecord, paths: EditPaths, decode: Decode) -> Image.Image:
    strips = []
    for i, sample in enumerate(record.samples):
        frames = decode(torch.from_numpy(np.ascontiguousarray(paths.frames[i])))
        strips.append(draw_film(record, sample, [thumbnail(image) for image in frames]))
    return stacked(strips)
