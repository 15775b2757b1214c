"""Attribute codes: requested values, their numbers of faces, and the results of a method.

The paper draws codes twice: uniformly for ACC, and in the proportions of the training labels for
the Fréchet distance, which would otherwise measure the difference of the codes from the prior
(LACE A.3). Here a code gets its number of faces in the prior's proportions, and at least as many as
its accuracy needs. ACC is the mean over codes; the Fréchet distance uses the faces in the prior's
proportions only.

A method is a sampler of the language or a baseline: a function `Draw` from a statement to faces.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import product
from typing import TypeVar

import numpy as np
from attrs import evolve, frozen
from numpy.typing import NDArray

from experiments.annotations import Annotated, Annotations, annotate
from experiments.reference import Unconditioned
from experiments.statements import judge, named, sample
from lacelang import ir
from lacelang.api import compile
from lacelang.classifiers.draws import Draws, joined
from lacelang.classifiers.labels import Labels
from lacelang.evaluate.report import Row
from lacelang.evaluate.scores import Score, scores
from lacelang.ir import ModelSpec, SampleStatement
from lacelang.progress import Progress
from lacelang.samplers.solution import Status

K = TypeVar("K")
Change = Callable[[ModelSpec], ModelSpec]

#: Requested values of continuous attributes; a label counts for the nearest.
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
    """One combination of values: a condition, requested for `count` faces.

    `natural` is its number in the prior's proportions, at most `count`.
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
    def natural(self) -> int:
        """The number of faces in the prior's proportions."""
        return sum(code.natural for code in self.codes)

    @property
    def counts(self) -> list[int]:
        """The number of faces of each code."""
        return [code.count for code in self.codes]

    @property
    def faces(self) -> int:
        """The total number of faces."""
        return sum(self.counts)

    def statements(self, clauses: str, seed: int) -> list[str]:
        """Return a `sample` statement for every code, each with its own seed."""
        return [
            sample(code.count, code.condition, clauses, seed + i)
            for i, code in enumerate(self.codes)
        ]


def codes_of(
    attributes: Sequence[str], spec: ir.ModelSpec, labels: Labels, natural: int, least: float
) -> Codes:
    """Enumerate the codes of some attributes; a number takes the values of `VALUES`.

    `natural` faces are distributed in the proportions of the labels' prior rows. Each code gets at
    least the fraction `least` of an equal split.
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


def _values(attribute: ir.Attribute) -> Sequence[str | float]:
    if attribute.limits is not None:
        return VALUES[attribute.name]
    return attribute.values


def _nearest(column: NDArray[np.float32], attribute: ir.Attribute) -> NDArray[np.float32]:
    """Return the index of each label's value; NaN where the attribute is not visible."""
    if attribute.limits is None:
        return column
    values = np.array(VALUES[attribute.name], np.float32)
    nearest = np.abs(column[:, None] - values).argmin(axis=1).astype(np.float32)
    return np.where(np.isnan(column), np.float32("nan"), nearest)


# Results of methods


def same(spec: ModelSpec) -> ModelSpec:
    """The declared model."""
    return spec


@frozen
class Asked:
    """Codes, further clauses such as `with euler`, and the function that makes the model."""

    codes: Codes
    clauses: str = ""
    change: Change = same


@frozen(eq=False)
class Drawn:
    """Faces of a baseline for a statement.

    With the number that did not converge, mean evaluations per face, and seconds on one core.
    """

    faces: Draws
    failed: int = 0
    nfe: float = 0.0
    seconds: float = 0.0


Draw = Callable[[SampleStatement], Drawn]


@frozen(eq=False)
class Outcome:
    """The results of a method: for each code a statement, and annotations of its faces.

    `failed` is the number of samples that did not converge; `groups` are those of a program.
    """

    codes: Codes
    statements: Sequence[SampleStatement]
    annotations: Sequence[Annotations]
    failed: int = 0
    groups: Sequence[Annotated] = ()

    def accuracies(self) -> dict[str, Score]:
        """Return ACC by attribute, the unweighted mean over codes."""
        found: dict[str, list[Score]] = {}
        for statement, faces in zip(self.statements, self.annotations, strict=True):
            for score in scores([(statement.where, faces.columns)]):
                found.setdefault(score.attribute, []).append(score)
        return {name: _mean(each) for name, each in found.items()}

    def distances(self, prior: Unconditioned | None) -> Row:
        """Return the Fréchet distance between the faces in the prior's proportions and the prior.

        Also returns its ratio to the distance of an equal number of unconditioned faces.
        """
        distance = floor = None
        if prior is not None:
            pairs = zip(self.codes.codes, self.annotations, strict=True)
            natural = [found.features[: code.natural] for code, found in pairs]
            distance = prior.reference.distance(np.concatenate(natural))
            floor = prior.floor(self.codes.natural)
        ratio = None if distance is None or floor is None else distance / floor
        return {"Fréchet": distance, "× unconditioned": ratio}


def _mean(each: Sequence[Score]) -> Score:
    errors = [one.error for one in each if one.error is not None]
    accuracy = float(np.mean([one.accuracy for one in each]))
    return evolve(each[0], accuracy=accuracy, error=float(np.mean(errors)) if errors else None)


def by_samplers(asked: Mapping[K, Asked], seed: int, progress: Progress) -> dict[K, Outcome]:
    """Sample codes in the language, and judge them; all start from the same draws."""
    whole = list(asked.values())
    statements = {
        (k, " ".join(one.codes.attributes), i): text
        for k, one in enumerate(whole)
        for i, text in enumerate(one.codes.statements(one.clauses, seed))
    }
    judged = judge(statements, progress, change=lambda key, spec: whole[key[0]].change(spec))
    outcomes = {}
    for k, (name, one) in enumerate(asked.items()):
        groups = [group for key, group in judged.items() if key[0] == k]
        failed = sum(s is not Status.converged for group in groups for s in group.group.status)
        found = [group.annotations for group in groups]
        outcomes[name] = Outcome(
            one.codes, [group.statement for group in groups], found, failed, groups
        )
    return outcomes


def by_baseline(codes: Codes, draw: Draw, seed: int, progress: Progress, title: str) -> Outcome:
    """Draw codes with a baseline, and judge the faces."""
    statements = compile(named(dict(enumerate(codes.statements("", seed))))).samples
    drawn = []
    with progress.stage(title, total=codes.faces) as stage:
        for statement in statements:
            drawn.append(draw(statement))
            stage.advance(statement.count)
    return outcome_of(codes, statements, drawn, progress)


def outcome_of(
    codes: Codes, statements: Sequence[SampleStatement], drawn: Sequence[Drawn], progress: Progress
) -> Outcome:
    """Judge the faces of a baseline for every code."""
    found = annotate(statements[0].model, joined([one.faces for one in drawn]), progress)
    failed = sum(one.failed for one in drawn)
    return Outcome(codes, statements, list(found.split(codes.counts)), failed)
