"""Class-conditional sampling of one attribute, judged by the annotator and by a second judge.

The latent classifiers learned from the annotator's labels, so its agreement alone would not show
that an image has the class. The second judge was trained apart, and steers nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from attrs import evolve, frozen
from numpy.typing import NDArray

from experiments.reference import Reference
from experiments.sheets import rows_sheet
from lacelang import ir
from lacelang.annotators import Annotator
from lacelang.api import compile
from lacelang.classifiers.draws import Draws, joined
from lacelang.classifiers.labels import columns_of
from lacelang.classifiers.measuring import Source, measure
from lacelang.evaluate.judged import Judged
from lacelang.evaluate.report import Picture, Row, Table
from lacelang.evaluate.sampled import sample_groups
from lacelang.progress import Progress
from lacelang.samplers import DEFAULT_SAMPLER
from lacelang.samplers.solution import Status
from lacelang.semantics.weights import weights_of

#: The samplers of the paper's table of class-conditional generation.
SAMPLERS = (DEFAULT_SAMPLER, "dopri5", "langevin(preset=paper)", "pc", "rejection")
#: Exact draws of a sharpened condition, for models whose evaluations are cheap: unlike flows, they
#: do not end in the tails of z.
EXACT = "rejection(max_tries=50000) temp 0.15"


@frozen
class Subject:
    """What is evaluated.

    Attributes:
        model: its name.
        attribute: the attribute whose classes are asked for.
        classes: those that are asked for, the first of the attribute's.
        annotator: whose labels the classifiers learned.
        second: the second judge.
        reads: what the second judge measures, the number of a class.
    """

    model: str
    attribute: str
    classes: Sequence[str]
    annotator: Annotator
    second: Annotator
    reads: str

    @property
    def spec(self) -> ir.ModelSpec:
        """The declared model."""
        return compile(f"sample from {self.model}").samples[0].model

    def seen(self, draws: Draws, progress: Progress, title: str = "judging") -> Seen:
        """Decode draws, and return what both judges see; it stays in the cache."""
        source = Source(self.spec.generator, weights_of(self.spec))
        judges = (self.annotator, self.second)
        found = measure(source, draws, judges, progress=progress, title=title)
        first = columns_of(found, [self.annotator])[self.attribute]
        features = found[self.annotator.features].astype(np.float32)
        return Seen(first, found[self.reads].astype(np.float32), features)


@frozen(eq=False)
class Seen:
    """Classes that two judges see in N images, (N,) each, and image features (N, d)."""

    first: NDArray[np.float32]
    second: NDArray[np.float32]
    features: NDArray[np.float32]

    def rows(self, chosen: slice | NDArray[np.bool_]) -> Seen:
        """Some of them."""
        return Seen(self.first[chosen], self.second[chosen], self.features[chosen])

    def shares(self, asked: NDArray[np.integer]) -> Row:
        """Shares of images in which the judges see the class that was asked for."""
        first, second = self.first == asked, self.second == asked
        return {
            "ACC": float(first.mean()),
            "ACC, second judge": float(second.mean()),
            "both": float((first & second).mean()),
        }


@frozen(eq=False)
class Asked:
    """Groups of all classes, equally many images each, with one sampler."""

    groups: Sequence[Judged]
    seen: Seen
    asked: NDArray[np.int64]  # (N,), the class of each image
    failed: int
    seconds: float


def ask(
    subject: Subject, samplers: Sequence[str], count: int, seed: int, progress: Progress
) -> dict[str, Asked]:
    """Sample `count` images of every class with every sampler, and judge them."""
    program = compile(
        "\n".join(
            f"sample {count} from {subject.model} where {subject.attribute}={value} "
            f'with {sampler} seed {seed + k} as "{_title(sampler)} {value}"'
            for sampler in samplers
            for k, value in enumerate(subject.classes)
        )
    )
    groups = sample_groups(program, progress)
    parts = [
        Draws.at(group.latents.numpy(), statement.truncation)
        for statement, group in zip(program.samples, groups, strict=True)
    ]
    seen = subject.seen(joined(parts), progress)
    asked = np.repeat(np.arange(len(subject.classes)), count)
    found = {}
    for k, sampler in enumerate(samplers):
        own = slice(k * len(subject.classes), (k + 1) * len(subject.classes))
        rows = seen.rows(slice(k * len(asked), (k + 1) * len(asked)))
        judged = [
            Judged(statement, group, {subject.attribute: rows.first[i * count : (i + 1) * count]})
            for i, (statement, group) in enumerate(
                zip(program.samples[own], groups[own], strict=True)
            )
        ]
        failed = sum(s is not Status.converged for group in groups[own] for s in group.status)
        seconds = sum(group.stats.seconds for group in groups[own])
        found[sampler] = Asked(judged, rows, asked, failed, seconds)
    return found


def _title(sampler: str) -> str:
    """A sampler and the clauses behind it, without its options."""
    name, _, rest = sampler.partition("(")
    return name + rest.partition(")")[2]


def by_class(
    subject: Subject,
    one: Asked,
    plain: Mapping[str, Row] | None = None,
    how: str = "the default sampler",
) -> Table:
    """A row for every class, and one for all; `plain` has figures to set beside, by class."""
    rows: list[Row] = []
    for k, value in enumerate(subject.classes):
        own = one.asked == k
        beside = {} if plain is None else plain[value]
        shares = one.seen.rows(own).shares(one.asked[own])
        rows.append({subject.attribute: value, "images": int(own.sum()), **shares, **beside})
    beside = {} if plain is None else plain["all"]
    rows.append(
        {
            subject.attribute: "all",
            "images": len(one.asked),
            **one.seen.shares(one.asked),
            **beside,
        }
    )
    return Table(f"Each {subject.attribute}, with {how}", rows)


def by_method(
    found: Mapping[str, Asked], reference: Reference, others: Sequence[Row], note: str
) -> Table:
    """A row for every sampler; `others` are rows without one, such as of unconditioned draws."""
    rows: list[Row] = [
        {
            "method": sampler,
            "images": len(one.asked),
            **one.seen.shares(one.asked),
            "Fréchet": reference.distance(one.seen.features),
            "s for 100": 100 * one.seconds / len(one.asked),
            "failed": one.failed,
        }
        for sampler, one in found.items()
    ]
    return Table("All classes, by method", [*rows, *others], note)


def sheet(subject: Subject, one: Asked, shown: int) -> Picture:
    """The first images of every class."""
    groups = [evolve(group) for group in one.groups]
    return rows_sheet(subject.model, f"{subject.model}: each {subject.attribute}", groups, shown)
