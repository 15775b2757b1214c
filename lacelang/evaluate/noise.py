"""The judges' own noise: how far annotators agree with themselves in a mirror, and with an eye.

No figure that they give can be better known than this. An accuracy of 0.97 where mirror images
agree in 0.97 of cases may be perfect.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lacelang import ir
from lacelang.annotators import probe
from lacelang.annotators.annotation import ATTRIBUTES, MEASURES, Annotation, derive
from lacelang.annotators.judge import Agreement, agreement
from lacelang.annotators.probe import Figures
from lacelang.classifiers import eye_labels as eye
from lacelang.classifiers.draws import Draws, Mirrored
from lacelang.classifiers.measuring import Measured, Source, measure
from lacelang.engine.loading import archive_of
from lacelang.evaluate.report import Cell, Table
from lacelang.samplers.streams import prior

if TYPE_CHECKING:
    from lacelang.progress import Progress

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
    source = Source(spec.generator, archive_of(spec))
    plain = measure(source, draws, progress=progress, title="judging the judges")
    flipped = measure(source, Mirrored(draws), progress=progress, title="judging mirror images")
    pairs = list(zip(_annotations(plain), _annotations(flipped), strict=True))
    return {name: agreement(pairs, name) for name in ATTRIBUTES}


def _annotations(measured: Measured) -> list[Annotation]:
    rows = zip(measured.raw, measured.embedding, strict=True)
    return [derive(raw, embedding) for raw, embedding in rows]


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
    source = Source(spec.generator, archive_of(spec))
    measured = measure(source, eye.draws(labels), progress=progress, title="faces labelled by eye")
    with progress.stage("comparing with labels by eye", total=None) as stage:
        found = eye.held_out(labels, measured.raw, measured.embedding)
        stage.advance()
    known = [i for i, label in enumerate(labels) if "gender" in label.seen]
    male = measured.raw[known, MEASURES.index("male")].astype(np.float64) - 0.5
    seen = np.array([labels[i].seen["gender"] for i in known])
    return {**found, "gender": probe.figures(male[:, None], seen)}
