"""Groups of samples with the annotations of their images."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate, pairwise

import numpy as np
from attrs import field, frozen
from numpy.typing import NDArray

from lacelang import ir
from lacelang.annotators import all_judging, describing, judging
from lacelang.api import Program
from lacelang.classifiers.draws import Draws, joined
from lacelang.classifiers.labels import columns_of
from lacelang.classifiers.measuring import Source, measure
from lacelang.engine.drawn import values_of, wanted_columns
from lacelang.engine.result import Group
from lacelang.engine.truth import Columns, truth
from lacelang.evaluate.sampled import sample_groups
from lacelang.progress import Progress
from lacelang.semantics.weights import weights_of


@frozen(eq=False)
class Judged:
    """A group and the annotations of its first F faces.

    By attribute they are (F,): class index or value, NaN where nothing was seen. What `each` drew
    for the faces stands beside them, as `truth` takes it. Descriptors of identity and image
    features are (F, d), where an annotator measures some.
    """

    statement: ir.SampleStatement
    group: Group
    columns: Columns
    identity: NDArray[np.floating] | None = field(default=None, kw_only=True)
    features: NDArray[np.floating] | None = field(default=None, kw_only=True)

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), ()))

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


def judge_groups(program: Program, progress: Progress) -> list[Judged]:
    """Sample, decode and annotate all groups of a program, of one model.

    Samples and annotations stay in the cache.

    Raises:
        ResourceError: weights cannot be had.
        UsageError: no annotator judges an attribute of a condition.
    """
    statements = program.samples
    if not statements:
        return []
    require_judges(statements)
    groups = sample_groups(program, progress)
    model = statements[0].model
    annotators = judging({attribute.name for attribute in model.attributes})
    describers = describing(annotators)
    draws = [
        Draws.at(group.latents.numpy(), statement.truncation)
        for statement, group in zip(statements, groups, strict=True)
    ]
    source = Source(model.generator, weights_of(model))
    measured = measure(
        source, joined(draws), (*annotators, *describers), progress=progress, title="judging"
    )
    columns = columns_of(measured, annotators)
    ends = pairwise(accumulate(map(len, draws), initial=0))
    identity = next((measured[a.identity] for a in describers), None)
    features = next((measured[a.features] for a in annotators if a.features), None)
    return [
        Judged(
            statement,
            group,
            {**{name: c[start:end] for name, c in columns.items()}, **_wanted(statement, group)},
            identity=None if identity is None else identity[start:end],
            features=None if features is None else features[start:end],
        )
        for statement, group, (start, end) in zip(statements, groups, ends, strict=True)
    ]


def require_judges(statements: Sequence[ir.SampleStatement]) -> None:
    """Raise a UsageError if no annotator judges an attribute of a condition."""
    all_judging(set(ir.attributes(*(s.where for s in statements if s.where is not None))))


def _wanted(statement: ir.SampleStatement, group: Group) -> Columns:
    values = values_of(statement.where, group.record.seed, range(len(group)))
    return wanted_columns(statement.where, values)
