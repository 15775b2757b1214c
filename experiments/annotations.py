"""Annotations with image features, scores and descriptors of identity, and groups with them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise
from typing import TypeAlias

import numpy as np
from attrs import field, frozen
from numpy.typing import NDArray

from lacelang import ir
from lacelang.annotators import judging
from lacelang.annotators.faces import BINARY, FACES, IDENTITY
from lacelang.annotators.faces.annotation import WHOLE, scores
from lacelang.api import Program
from lacelang.classifiers.draws import Draws, joined
from lacelang.classifiers.labels import columns_of, rows_of
from lacelang.classifiers.measuring import Measured, Source, measure
from lacelang.engine.truth import Columns
from lacelang.evaluate.judged import Judged
from lacelang.evaluate.sampled import sample_groups
from lacelang.progress import Progress
from lacelang.semantics.weights import weights_of

Floats: TypeAlias = NDArray[np.float32]


@frozen(eq=False)
class Annotations:
    """Annotations of F faces.

    Attributes:
        columns: by attribute (F,): class index or value, NaN where the attribute is not visible.
        features: image features (F, D), for Fréchet distances.
        strengths: by binary attribute (F,), scores 0..1; 1 from 0.5 up.
        identity: descriptors (F, K) of identity, if requested.
    """

    columns: Columns
    features: Floats
    strengths: Columns = field(factory=dict)
    identity: Floats | None = None

    def __len__(self) -> int:
        return len(self.features)

    def rows(self, chosen: slice | NDArray[np.int64]) -> Annotations:
        """Return the annotations of some of the faces."""
        return Annotations(
            {name: column[chosen] for name, column in self.columns.items()},
            self.features[chosen],
            {name: column[chosen] for name, column in self.strengths.items()},
            None if self.identity is None else self.identity[chosen],
        )

    def split(self, counts: Sequence[int]) -> Iterator[Annotations]:
        """Split into the first `counts[0]` faces, the next `counts[1]`, and so on."""
        for start, end in pairwise(accumulate(counts, initial=0)):
            yield self.rows(slice(start, end))


@frozen(eq=False)
class Annotated(Judged):
    """A group, and all annotations of its first faces."""

    annotations: Annotations


def judge_groups(
    program: Program,
    progress: Progress,
    title: str = "judging",
    faces: int | None = None,
    identity: bool = False,
) -> list[Annotated]:
    """Sample all groups of a program, of one model; decode and annotate the first `faces` of each.

    Samples and annotations stay in the cache. `identity` adds descriptors of identity.
    """
    statements = program.samples
    groups = sample_groups(program, progress)
    parts = [
        Draws.at(group.latents.numpy()[:faces], statement.truncation)
        for statement, group in zip(statements, groups, strict=True)
    ]
    found = annotate(statements[0].model, joined(parts), progress, title, identity)
    return [
        Annotated(statement, group, annotations.columns, annotations)
        for statement, group, annotations in zip(
            statements, groups, found.split(list(map(len, parts))), strict=True
        )
    ]


def annotate(
    spec: ir.ModelSpec,
    faces: Draws,
    progress: Progress,
    title: str = "judging",
    identity: bool = False,
) -> Annotations:
    """Decode and annotate faces; annotations stay in the cache."""
    source = Source(spec.generator, weights_of(spec))
    others = (a for a in judging({attribute.name for attribute in spec.attributes}) if a != FACES)
    # The annotator of faces measures the image features as well.
    annotators = [FACES, *others, *([IDENTITY] if identity else ())]
    measured = measure(source, faces, annotators, progress=progress, title=title)
    return Annotations(
        columns_of(measured, annotators),
        measured["embedding"][:, WHOLE].astype(np.float32),
        strengths_of(measured),
        measured.get("identity"),
    )


def strengths_of(measured: Measured) -> Columns:
    """Return scores of each binary attribute of faces: float32 (N,) in 0..1, 1 from 0.5 up."""
    rows = [scores(row) for row in rows_of(measured)]
    return {name: np.array([row[name] for row in rows], np.float32) for name in BINARY}
