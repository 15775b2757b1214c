"""The annotators' own noise: their agreement on mirror images and with manual labels.

If mirror images agree in 0.97 of cases, a measured accuracy of 0.97 may be perfect.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from experiments import eye_labels as eye
from experiments import probes
from experiments.faces import Mirrored
from lacelang import ir
from lacelang.annotators.faces import FACES as ANNOTATOR
from lacelang.annotators.faces.annotation import MEASURES
from lacelang.classifiers.draws import Draws
from lacelang.classifiers.labels import columns_of
from lacelang.classifiers.measuring import Source, measure
from lacelang.engine.loading import load
from lacelang.evaluate.report import Row, Table
from lacelang.progress import Progress
from lacelang.samplers.streams import prior
from lacelang.semantics.weights import weights_of

Floats = NDArray[np.float32]

#: Draws from the prior that are compared with their mirror images, and how they are drawn.
FACES = 200
SEED = 5002
TRUNCATION = 0.7


def tables(spec: ir.ModelSpec, progress: Progress, faces: int | None = None) -> list[Table]:
    """Return tables of a model's annotators; annotations stay in the cache.

    `faces`, for quick figures, is the number of mirrored faces; manual labels are then left out.
    """
    count = FACES if faces is None else min(faces, FACES)
    mirror = Table(
        "The annotators' own noise: faces and their mirror images",
        list(_in_a_mirror(spec, progress, count)),
        f"{count} draws from the prior. `same class` is the fraction of faces whose mirror image "
        "has the same class. Noise is the standard deviation of one annotation about the mean of "
        "the two, with yaw and light3 flipped back.",
    )
    return [mirror] if faces is not None else [mirror, _by_eye(spec, progress)]


def _in_a_mirror(spec: ir.ModelSpec, progress: Progress, faces: int) -> Iterator[Row]:
    dim = load(spec, "cpu", progress).generator.latent_dim
    draws = Draws.at(prior(SEED, range(faces), dim).numpy(), TRUNCATION)
    source = Source(spec.generator, weights_of(spec))
    plain = columns_of(measure(source, draws, progress=progress, title="faces"))
    flipped = Mirrored(draws.z, draws.psi)
    mirrored = columns_of(measure(source, flipped, progress=progress, title="mirror images"))
    # Every detected face has an age. Hidden hair counts as a class of its own.
    found = np.isfinite(plain["age"]) & np.isfinite(mirrored["age"])
    for name, classes in ANNOTATOR.attributes.items():
        pair = plain[name][found], unmirrored(name, mirrored[name])[found]
        compared, figure = agreement(*pair, bool(classes))
        yield {
            "attribute": name,
            "faces": compared,
            "same class": figure if classes else None,
            "noise": None if classes else figure,
            "unit": spec.attribute(name).unit,
        }


def agreement(one: Floats, other: Floats, discrete: bool) -> tuple[int, float]:
    """Compare two annotations (N,) of the same faces, NaN where the attribute is not visible.

    Returns the number of faces with both annotations and, for a class, the fraction of them with
    the same class; for a number, the standard deviation of one annotation about the mean of both,
    in the attribute's unit.
    """
    if discrete:
        same = (one == other) | (np.isnan(one) & np.isnan(other))
        return len(one), float(same.mean()) if len(one) else math.nan
    apart = (one - other).astype(np.float64)
    apart = apart[np.isfinite(apart)]
    # The difference of two annotations has twice the variance of one.
    return len(apart), float(np.sqrt((apart**2).mean() / 2)) if len(apart) else math.nan


def unmirrored(name: str, column: Floats) -> Floats:
    """Convert annotations (N,) of mirror images to those of the faces: yaw and light3 flip."""
    if name == "yaw":
        return -column
    return 1 - column if name == "light3" else column


def _by_eye(spec: ir.ModelSpec, progress: Progress) -> Table:
    """Return the annotators' accuracy on the manually labelled faces."""
    labels = eye.read()
    faces = eye.draws(labels, load(spec, "cpu", progress).generator.latent_dim)
    source = Source(spec.generator, weights_of(spec))
    measured = measure(source, faces, progress=progress, title="labelled faces")
    with progress.stage("comparing with manual labels", total=None) as stage:
        found = eye.held_out(labels, measured["raw"], measured["embedding"])
        stage.advance()
    known = [i for i, label in enumerate(labels) if "gender" in label.seen]
    male = measured["raw"][known, MEASURES.index("male")].astype(np.float64) - 0.5
    seen = np.array([labels[i].seen["gender"] for i in known])
    rows = [
        {
            "attribute": name,
            "faces": figures.faces,
            "accuracy": figures.accuracy,
            "mean recall": figures.balanced,
            "AUC": None if np.isnan(figures.auc) else figures.auc,
        }
        for name, figures in {**found, "gender": probes.figures(male[:, None], seen)}.items()
    ]
    return Table(
        "The annotators against manual labels",
        rows,
        "Clear faces only; higher is better. The annotators of beard, smile and hair colour were "
        "fitted to such faces, and are evaluated by cross-validation; the annotator of gender was "
        "not.",
    )
