"""Groups of samples with the annotations of their images."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from attrs import field, frozen
from numpy.typing import NDArray

from lacelang.annotators import judging
from lacelang.annotators.faces import FACES, IDENTITY
from lacelang.annotators.faces.annotation import WHOLE
from lacelang.classifiers.draws import Draws, Faces, joined
from lacelang.classifiers.labels import columns_of, strengths_of
from lacelang.classifiers.measuring import Source, measure
from lacelang.engine.loading import weights_of
from lacelang.engine.truth import Columns, truth
from lacelang.evaluate.sampled import sample_groups

if TYPE_CHECKING:
    from lacelang import ir
    from lacelang.api import Program
    from lacelang.engine.result import Group
    from lacelang.progress import Progress

Floats: TypeAlias = NDArray[np.float32]


@frozen(eq=False)
class Annotations:
    """Annotations of F faces.

    Attributes:
        columns: by attribute (F,): class index or value, NaN where nothing was seen.
        features: image features (F, D), for Fréchet distances.
        strengths: by yes-or-no attribute (F,), scores 0..1; yes from 0.5 up.
        identity: descriptors (F, K) of identity, where they were asked for.
    """

    columns: Columns
    features: Floats
    strengths: Columns = field(factory=dict)
    identity: Floats | None = None

    def __len__(self) -> int:
        return len(self.features)

    def rows(self, chosen: slice) -> Annotations:
        """The annotations of some of the faces."""
        return Annotations(
            {name: column[chosen] for name, column in self.columns.items()},
            self.features[chosen],
            {name: column[chosen] for name, column in self.strengths.items()},
            None if self.identity is None else self.identity[chosen],
        )

    def split(self, counts: Sequence[int]) -> Iterator[Annotations]:
        """Those of the first `counts[0]` faces, of the next `counts[1]`, and so on."""
        for start, end in pairwise(accumulate(counts, initial=0)):
            yield self.rows(slice(start, end))


@frozen(eq=False)
class Judged:
    """A group, and the annotations of its first faces."""

    statement: ir.SampleStatement
    group: Group
    annotations: Annotations

    def __len__(self) -> int:
        return len(self.annotations)

    @property
    def columns(self) -> Columns:
        """See `Annotations`."""
        return self.annotations.columns

    @property
    def asked(self) -> tuple[ir.Predicate | None, Columns]:
        """The condition and the annotations, as `scores` takes them."""
        return self.statement.where, self.columns

    @property
    def satisfied(self) -> NDArray[np.bool_]:
        """Which faces show the whole condition (F,); all of them where there is none."""
        where = self.statement.where
        return np.ones(len(self), bool) if where is None else truth(where, self.columns)


def obedience(groups: Sequence[Judged]) -> float:
    """Share of the faces that show the whole condition."""
    return float(np.concatenate([one.satisfied for one in groups]).mean())


#: What is printed of groups of one condition, in this order, as `0.981 show the whole condition`.
METRICS: Mapping[str, Callable[[Sequence[Judged]], float]] = {
    "show the whole condition": obedience,
}


def judge_groups(
    program: Program,
    progress: Progress,
    title: str = "judging",
    faces: int | None = None,
    identity: bool = False,
) -> list[Judged]:
    """Sample all groups of a program, of one model; decode and annotate the first `faces` of each.

    Samples and annotations stay in the cache. `identity` adds descriptors of identity.

    Raises:
        ResourceError: weights cannot be had.
    """
    statements = program.samples
    if not statements:
        return []
    groups = sample_groups(program, progress)
    parts = [
        Draws.at(group.latents.numpy()[:faces], statement.truncation)
        for statement, group in zip(statements, groups, strict=True)
    ]
    found = annotate(statements[0].model, joined(parts), progress, title, identity)
    return list(map(Judged, statements, groups, found.split(list(map(len, parts)))))


def annotate(
    spec: ir.ModelSpec,
    faces: Faces,
    progress: Progress,
    title: str = "judging",
    identity: bool = False,
) -> Annotations:
    """Decode and annotate faces; annotations stay in the cache.

    Raises:
        ResourceError: weights cannot be had.
    """
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
