"""Attribute codes: which values are asked for, and how often, where a spec asks for all of them.

The paper draws codes twice: each as often as any other for ACC, and as the training labels have
them for the Fréchet distance, which would otherwise measure that the codes are not the prior's
(LACE A.3). Here a code is asked for as often as the prior shows it, and at least so often that its
accuracy can be told. ACC is the mean over codes; the Fréchet distance is taken from the faces that
the prior's proportions allot to each.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import product

import numpy as np
from attrs import evolve, frozen
from numpy.typing import NDArray

from experiments.statements import sample
from lacelang import ir
from lacelang.classifiers.labels import Labels
from lacelang.evaluate.judged import Annotations
from lacelang.evaluate.scores import Score, scores

#: Values of numbers that are asked for; a label counts for the nearest.
VALUES: dict[str, tuple[float, ...]] = {
    "yaw": (-30, -15, 0, 15, 30),
    "pitch": (-12, -6, 0, 6, 12),
    "age": (12, 32, 52),
    "bald": (0.15, 0.3, 0.45, 0.6),
    "width": (0.3, 0.4, 0.5, 0.65),
    "light0": (0.25, 0.4, 0.55, 0.75),
    "light3": (0.25, 0.4, 0.6, 0.75),
}


@frozen
class Code:
    """One combination of values: a condition, asked of `count` faces.

    `natural`, no more than that, is its number in the prior's proportions.
    """

    condition: str
    natural: int
    count: int


@frozen
class Codes:
    """All combinations of some attributes' values."""

    attributes: tuple[str, ...]
    codes: tuple[Code, ...]

    @property
    def name(self) -> str:
        """What a reader calls it."""
        return ", ".join(self.attributes)

    @property
    def natural(self) -> int:
        """How many faces are in the prior's proportions."""
        return sum(code.natural for code in self.codes)

    @property
    def counts(self) -> list[int]:
        """How many faces are asked for of each code."""
        return [code.count for code in self.codes]

    @property
    def faces(self) -> int:
        """How many faces are asked for altogether."""
        return sum(self.counts)

    def statements(self, clauses: str, seed: int) -> list[str]:
        """A `sample` statement for every code, each with a seed and so draws of its own."""
        return [
            sample(code.count, code.condition, clauses, seed + i)
            for i, code in enumerate(self.codes)
        ]

    def natural_features(self, faces: Sequence[Annotations]) -> NDArray[np.float32]:
        """Image features of the faces of each code that are in the prior's proportions."""
        pairs = zip(self.codes, faces, strict=True)
        return np.concatenate([found.features[: code.natural] for code, found in pairs])


def codes_of(
    attributes: Sequence[str], spec: ir.ModelSpec, labels: Labels, natural: int, least: float
) -> Codes:
    """Enumerate the codes of some attributes; a number takes the values of `VALUES`.

    `natural` faces are allotted in the proportions of the labels' prior rows; each code is asked of
    the share `least`, at least, of what it would get if all were equal.
    """
    declared = [spec.attribute(name) for name in attributes]
    columns = [_nearest(labels.columns[a.name][: labels.prior_count], a) for a in declared]
    shares: dict[str, float] = {}
    for code in product(*(enumerate(_values(a)) for a in declared)):
        shown = [column == k for column, (k, _) in zip(columns, code, strict=True)]
        texts = [f"{name}={value}" for name, (_, value) in zip(attributes, code, strict=True)]
        shares[" and ".join(texts)] = float(np.all(shown, axis=0).mean())
    counts = allotted(shares, natural)
    few = max(1, round(least * natural / len(counts)))
    codes = tuple(Code(text, count, max(count, few)) for text, count in counts.items())
    return Codes(tuple(attributes), codes)


def allotted(shares: Mapping[str, float], count: int) -> dict[str, int]:
    """Split `count` in proportion to shares, by largest remainders."""
    exact = {name: count * share / sum(shares.values()) for name, share in shares.items()}
    counts = {name: math.floor(value) for name, value in exact.items()}
    by_rest = sorted(exact, key=lambda name: counts[name] - exact[name])
    for name in by_rest[: count - sum(counts.values())]:
        counts[name] += 1
    return counts


def accuracies(asked: Iterable[tuple[ir.Predicate, Annotations]]) -> dict[str, Score]:
    """ACC by attribute, the mean over codes, from each code's condition and its faces."""
    found: dict[str, list[Score]] = {}
    for where, faces in asked:
        for score in scores([(where, faces.columns)]):
            found.setdefault(score.attribute, []).append(score)
    return {name: _mean(each) for name, each in found.items()}


def _mean(each: Sequence[Score]) -> Score:
    errors = [one.error for one in each if one.error is not None]
    accuracy = float(np.mean([one.accuracy for one in each]))
    return evolve(each[0], accuracy=accuracy, error=float(np.mean(errors)) if errors else None)


def _values(attribute: ir.Attribute) -> Sequence[str | float]:
    if attribute.limits is not None:
        return VALUES[attribute.name]
    return attribute.values


def _nearest(column: NDArray[np.float32], attribute: ir.Attribute) -> NDArray[np.float32]:
    """Index of the value that each label counts for; NaN where nothing was seen."""
    if attribute.limits is None:
        return column
    values = np.array(VALUES[attribute.name], np.float32)
    nearest = np.abs(column[:, None] - values).argmin(axis=1).astype(np.float32)
    return np.where(np.isnan(column), np.float32("nan"), nearest)
