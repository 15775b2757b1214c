"""Edited faces, annotated before the first line of the edit and after each line, and metrics."""

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
from lacelang.classifiers.draws import digest
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

#: Faces per sheet.
SHOWN = 4


@frozen(eq=False)
class EditPaths:
    """Annotations of N faces at P moments: before an edit's first line, and after each line.

    `frames` are the decoded w+ (N, P, styles, d); each moment has N annotations.
    """

    frames: Floats
    moments: Sequence[Annotations]

    def __len__(self) -> int:
        return len(self.frames)

    def identity(self, moment: int) -> Floats:
        """Return the identity descriptors (N, K) of the faces at a moment."""
        found = self.moments[moment].identity
        assert found is not None
        return found

    def followed(self, rest: EditPaths) -> EditPaths:
        """Return the same faces, with the moments of `rest` appended."""
        frames = np.concatenate([self.frames, rest.frames], axis=1)
        return EditPaths(frames, [*self.moments, *rest.moments])

    def first(self, faces: int) -> EditPaths:
        """Return the first faces only."""
        some = slice(faces)
        return EditPaths(self.frames[some], [moment.rows(some) for moment in self.moments])


def annotate_paths(
    model: ir.ModelSpec, parts: Sequence[Floats], progress: Progress
) -> list[EditPaths]:
    """Annotate several arrays of frames, w+ (N, P, styles, d) each; N and P may differ.

    Frames that are the same, such as those of variants that part at the last line, are judged once.
    """
    # All at once, so that the annotators are loaded only once.
    frames = [part[:, moment] for part in parts for moment in range(part.shape[1])]
    flat = np.concatenate(frames)
    numbers: dict[str, int] = {}
    at = [numbers.setdefault(digest(frame), len(numbers)) for frame in flat]
    first = np.unique(at, return_index=True)[1]
    faces = Styles(flat[first])
    found = annotate(model, faces, progress, "judging edited faces", identity=True)
    moments = found.rows(np.array(at)).split(list(map(len, frames)))
    return [EditPaths(part, list(islice(moments, part.shape[1]))) for part in parts]


# Accuracy, disentanglement and drift


def accuracies(steps: Sequence[ir.Predicate], paths: EditPaths) -> Array:
    """Return the accuracy of every line's comparison at every moment, (lines + 1, lines).

    For a class, the fraction of faces that have it; for a number, 1 − mean |Δ| / range.
    """
    return np.array(
        [[scores([(s, moment.columns)])[0].accuracy for s in steps] for moment in paths.moments]
    )


def strengths(accuracy: Array, least: float) -> tuple[Array, Array]:
    """Return the disentangled edit strength of every line, as published and without its division.

    D_i = a_i − max over j ≠ i of |a_j|, where a_j is the change of accuracy j by line i. As
    published (LACE section 3.2), a_j is divided by 1 − the accuracy before, which is bounded below
    by `least`, the contribution of one face. The DES is the mean over the lines.
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
    """Return the change of each attribute that no line mentions, from the start to the end.

    For a class, the fraction of faces whose class changed; for a number, the mean change divided by
    the range. Faces in which the attribute is not visible at either end are left out.
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

    Cosines are taken after subtraction of the mean descriptor (K,) of the generator's faces,
    because all descriptors lie on one side of the origin.

    Returns:
        `ID distance`, the mean Euclidean distance of descriptors; `cosine`, their mean cosine: 1
        for the same face, 0 on average for two people; `alike`, the cosine if each face had moved
        by the mean displacement and no more; `own`, the cosine with each side centred on its own
        mean: 1 for faces that keep their differences; `nearest`, the fraction of faces whose own
        start is the nearest of all starts.
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
    """Return the mean cosine of corresponding rows (N, K); NaN if a row is zero."""
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return float(((a * b).sum(axis=1) / lengths).mean())


def strangers(descriptors: Array) -> float:
    """Return the mean distance of two different faces of (N, K), N > 1."""
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
    """Film strips of the first faces, with annotations under each frame; decoded when saved."""
    shown = annotated_record(statement, record, paths.first(faces))
    return Picture(name, title, partial(_draw, shown, paths, decode))


def annotated_record(
    statement: ir.EditStatement, record: GroupRecord, paths: EditPaths
) -> GroupRecord:
    """Return an edited group's record of these faces, with annotations instead of predictions."""
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
