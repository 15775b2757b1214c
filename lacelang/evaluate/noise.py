"""The judges' own noise: how far annotators agree with themselves in a mirror, and with an eye.

No figure that they give can be better known than this. An accuracy of 0.97 where mirror images
agree in 0.97 of cases may be perfect.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from lacelang import ir
from lacelang.annotators.faces import FACES as ANNOTATOR
from lacelang.annotators.faces import probe
from lacelang.annotators.faces.annotation import MEASURES
from lacelang.annotators.faces.probe import Figures
from lacelang.classifiers import eye_labels as eye
from lacelang.classifiers.draws import Draws, Mirrored
from lacelang.classifiers.labels import columns_of
from lacelang.classifiers.measuring import Source, measure
from lacelang.engine.loading import weights_of
from lacelang.evaluate.report import Cell, Table
from lacelang.samplers.streams import prior

if TYPE_CHECKING:
    from lacelang.progress import Progress

Floats: TypeAlias = NDArray[np.float32]

#: Faces of the prior that are looked at in a mirror, and how they are drawn.
FACES = 200
SEED = 5002
TRUNCATION = 0.7


def tables(spec: ir.ModelSpec, progress: Progress, faces: int | None = None) -> tuple[Table, ...]:
    """Both tables of a model's judges; what they measure stays in the cache.

    Args:
        spec: the model whose faces are judged.
        progress: where to show how far it is.
        faces: to look at in a mirror, for a quick look, which leaves the labels by eye alone;
            None takes `FACES`, and all that were labelled.

    Raises:
        ResourceError: weights cannot be had, or the cache cannot be written.
    """
    mirror = _in_a_mirror(spec, progress, FACES if faces is None else min(faces, FACES))
    return (mirror,) if faces is not None else (mirror, _by_eye(spec, progress))


def mirrored(spec: ir.ModelSpec, progress: Progress, faces: int = FACES) -> dict[str, Agreement]:
    """By attribute how judgements of faces and of their mirror images compare."""
    z = prior(SEED, range(faces), 512).numpy()
    draws = Draws(z, np.full(faces, TRUNCATION, np.float32))
    source = Source(spec.generator, weights_of(spec))
    plain = measure(source, draws, progress=progress, title="judging the judges")
    flipped = measure(source, Mirrored(draws), progress=progress, title="judging mirror images")
    straight, mirrored = columns_of(plain), columns_of(flipped)
    # Of every face that is found there is an age; its hair may be hidden, which is a class too.
    found = np.isfinite(straight["age"]) & np.isfinite(mirrored["age"])
    return {
        name: agreement(
            straight[name][found], unmirrored(name, mirrored[name])[found], bool(classes)
        )
        for name, classes in ANNOTATOR.attributes.items()
    }


@frozen
class Agreement:
    """How two judgements of the same faces compare.

    Attributes:
        faces: number of faces that both judged.
        same: share with the same class; NaN for a continuous attribute.
        noise: standard deviation of one judgement about their mean, in the attribute's units;
            NaN for a discrete attribute.
    """

    faces: int
    same: float
    noise: float


def agreement(one: Floats, other: Floats, discrete: bool) -> Agreement:
    """Compare two judgements (N,) of an attribute, NaN where nothing was seen."""
    if discrete:
        same = (one == other) | (np.isnan(one) & np.isnan(other))
        return Agreement(len(one), float(same.mean()) if len(one) else math.nan, math.nan)
    apart = (one - other).astype(np.float64)
    apart = apart[np.isfinite(apart)]
    # The difference of two judgements has twice the variance of one.
    noise = float(np.sqrt((apart**2).mean() / 2)) if len(apart) else math.nan
    return Agreement(len(apart), math.nan, noise)


def unmirrored(name: str, column: Floats) -> Floats:
    """Judgements (N,) of mirror images as of the faces: yaw changes its sign, light3 its side."""
    if name == "yaw":
        return -column
    return 1 - column if name == "light3" else column


def _in_a_mirror(spec: ir.ModelSpec, progress: Progress, faces: int) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for name, found in mirrored(spec, progress, faces).items():
        attribute = spec.attribute(name)
        if attribute.limits is not None:
            rows.append((name, found.faces, None, found.noise, attribute.unit))
        else:
            rows.append((name, found.faces, found.same, None, None))
    return Table(
        "The judges' own noise: faces and their mirror images",
        ("attribute", "faces", "same class", "noise", "unit"),
        tuple(rows),
        f"{faces} draws from the prior. Noise is the standard deviation of one judgement about the "
        "mean of the two; yaw and light3 are turned round.",
    )


def _by_eye(spec: ir.ModelSpec, progress: Progress) -> Table:
    return Table(
        "The judges against labels by eye",
        ("attribute", "faces", "accuracy", "mean recall", "AUC"),
        tuple(
            (name, f.faces, f.accuracy, f.balanced, None if np.isnan(f.auc) else f.auc)
            for name, f in by_eye(spec, progress).items()
        ),
        "Faces with a clear answer only. The judges of beard, smile and hair colour were fitted to "
        "such faces, and each is judged here by one that was fitted to the others; that of gender "
        "has seen none.",
    )


def by_eye(spec: ir.ModelSpec, progress: Progress) -> dict[str, Figures]:
    """By attribute how the judges do on the faces that were labelled by eye."""
    labels = eye.read()
    source = Source(spec.generator, weights_of(spec))
    measured = measure(source, eye.draws(labels), progress=progress, title="faces labelled by eye")
    with progress.stage("comparing with labels by eye", total=None) as stage:
        found = eye.held_out(labels, measured["raw"], measured["embedding"])
        stage.advance()
    known = [i for i, label in enumerate(labels) if "gender" in label.seen]
    male = measured["raw"][known, MEASURES.index("male")].astype(np.float64) - 0.5
    seen = np.array([labels[i].seen["gender"] for i in known])
    return {**found, "gender": probe.figures(male[:, None], seen)}
