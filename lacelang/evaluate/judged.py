"""Groups of samples with what annotators saw in their images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from attrs import field, frozen
from numpy.typing import NDArray

from lacelang.annotators import judging
from lacelang.annotators.faces import FACES, IDENTITY
from lacelang.annotators.faces.annotation import WHOLE
from lacelang.classifiers.draws import Draws
from lacelang.classifiers.labels import columns_of, strengths_of
from lacelang.classifiers.measuring import Faces, Source, measure
from lacelang.engine.loading import weights_of
from lacelang.engine.truth import Columns, truth
from lacelang.evaluate.sampled import sample_groups
from lacelang.ir import ModelSpec, SampleStatement

if TYPE_CHECKING:
    from lacelang.api import Program
    from lacelang.engine.result import Group
    from lacelang.progress import Progress

Floats: TypeAlias = NDArray[np.float32]


@frozen(eq=False)
class Seen:
    """What annotators saw in F faces.

    Attributes:
        columns: by attribute (F,): class index or value, NaN where nothing was seen.
        features: image features (F, 1280), what Fréchet distances are taken between.
        strengths: by yes-or-no attribute (F,), how much of it is seen: 0..1, yes from 0.5 up.
        identity: descriptors (F, 128) of who each is, where they were asked for.
    """

    columns: Columns
    features: Floats
    strengths: Columns = field(factory=dict)
    identity: Floats | None = None

    def __len__(self) -> int:
        return len(self.features)

    def rows(self, chosen: slice) -> Seen:
        """What was seen in some of them."""
        return Seen(
            {name: column[chosen] for name, column in self.columns.items()},
            self.features[chosen],
            {name: column[chosen] for name, column in self.strengths.items()},
            None if self.identity is None else self.identity[chosen],
        )


@frozen(eq=False)
class Judged:
    """A group, and what was seen in its faces.

    Attributes:
        statement: that made it.
        group: the samples.
        seen: what was seen in its first F faces.
    """

    statement: SampleStatement
    group: Group
    seen: Seen

    @property
    def columns(self) -> Columns:
        """See `Seen`."""
        return self.seen.columns

    @property
    def features(self) -> Floats:
        """See `Seen`."""
        return self.seen.features

    @property
    def satisfied(self) -> NDArray[np.bool_]:
        """Which faces show the whole condition (F,); all of them where there is none."""
        where = self.statement.where
        return np.ones(len(self.features), bool) if where is None else truth(where, self.columns)


def judge_groups(
    program: Program,
    progress: Progress,
    title: str = "judging",
    faces: int | None = None,
    identity: bool = False,
) -> list[Judged]:
    """Sample all groups of a program, decode them and let annotators look at every face.

    What is sampled and judged stays in the cache: the same program again does neither.

    Args:
        program: whose groups are all of one model.
        progress: where to show how far it is.
        title: what the bar says.
        faces: at most so many of each group are judged, the first ones; None means all.
        identity: describe also who each face is.

    Raises:
        ResourceError: weights cannot be had.
    """
    statements = program.samples
    if not statements:
        return []
    pairs = list(zip(statements, sample_groups(statements, progress), strict=True))
    return _seen(pairs, progress, title, faces, identity)


def look(
    spec: ModelSpec,
    faces: Faces,
    progress: Progress,
    title: str = "judging",
    identity: bool = False,
) -> Seen:
    """Decode faces and let annotators look at every one; what is judged stays in the cache.

    Args:
        spec: the model whose faces they are.
        faces: latents with their truncations, or what the decoder is given.
        progress: where to show how far it is.
        title: what the bar says.
        identity: describe also who each face is.

    Raises:
        ResourceError: weights cannot be had.
    """
    source = Source(spec.generator, weights_of(spec))
    annotators = list(judging({attribute.name for attribute in spec.attributes}))
    # Image features, which are compared between groups, are the faces' annotator's.
    annotators = [FACES, *(a for a in annotators if a != FACES), *([IDENTITY] if identity else ())]
    measured = measure(source, faces, annotators, progress=progress, title=title)
    return Seen(
        columns_of(measured, annotators),
        measured["embedding"][:, WHOLE].astype(np.float32),
        strengths_of(measured),
        measured.get("identity"),
    )


def _seen(
    pairs: Sequence[tuple[SampleStatement, Group]],
    progress: Progress,
    title: str,
    faces: int | None,
    identity: bool,
) -> list[Judged]:
    shown = [group.latents.numpy()[:faces] for _, group in pairs]
    psi = [
        np.full(len(rows), s.truncation, np.float32)
        for rows, (s, _) in zip(shown, pairs, strict=True)
    ]
    draws = Draws(np.concatenate(shown), np.concatenate(psi))
    seen = look(pairs[0][0].model, draws, progress, title, identity)
    judged, start = [], 0
    for count, (statement, group) in zip(map(len, shown), pairs, strict=True):
        part = seen.rows(slice(start, start + count))
        start += count
        judged.append(Judged(statement, group, part))
    return judged
