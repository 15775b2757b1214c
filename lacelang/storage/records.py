"""What is known about a run, a group and a sample, as plain values: no tensors, no images.

Their types are the schema of the files they are kept in: what does not fit is refused on reading.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from attrs import NOTHING, asdict, field, frozen

Reading = Literal["probability", "value"]
Count: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
Seen: TypeAlias = Mapping[str, float | None]
"""What annotators saw in an image: by attribute, a class number or a value; None for nothing."""


@frozen
class Atom:
    """One comparison of a condition, and which readings satisfy it.

    Attributes:
        text: its source form, such as `glasses=1`.
        attribute: the attribute it reads.
        reading: `probability` of what it says (discrete), or the attribute's own `value`.
        low, high: the readings that satisfy it, in probability or in the attribute's units; None
            where there is no bound.
        unit: of the value: `deg`, `years` or none.
        negated: it stands under a `not`, and is satisfied outside `low`..`high`.
    """

    text: str
    attribute: str
    reading: Reading
    low: float | None
    high: float | None
    unit: str | None = None
    negated: bool = False

    @property
    def wanted(self) -> str:
        """What a sample should do: `glasses=1`, or `not glasses=1` under a `not`."""
        return f"not {self.text}" if self.negated else self.text

    def holds(self, value: float) -> bool:
        """Whether a sample that reads `value` satisfies it."""
        above = self.low is None or self.low <= value
        below = self.high is None or value <= self.high
        return (above and below) != self.negated


@frozen
class StepRecord:
    """Where one step of an edit took a sample, or, of the first, where it began.

    The fields are those of `SampleRecord`, after the step and of the step alone.
    """

    energy: float | None
    status: str
    nfe: Count
    accepted: Count
    rejected: Count
    readings: Mapping[str, float | None]


@frozen
class StepPlan:
    """One line of an edit: what is to hold after it.

    Attributes:
        text: as it was written.
        layers: the style layers that take its move; None means all.
        atoms: the comparisons that stand after it, those of earlier lines included.
    """

    text: str
    layers: tuple[Count, ...] | None
    atoms: tuple[Atom, ...]


@frozen
class SampleRecord:
    """One sample: where it started, what it reads, how its sampler ended.

    Attributes:
        index: its number in the group; with the group's seed, all that its prior draw depends on.
        energy: conditional energy in nats, prior excluded; None where it is not finite.
        status: how its sampler ended, such as `converged` (`lacelang.samplers.Status`).
        nfe: evaluations of the energy and its gradient.
        readings: atom text → probability or value, as the classifiers read the latent.
        accepted, rejected: steps that the sampler took, and tried in vain.
        extra: what else the sampler found out, by name; None where it is not finite.
        seen: what annotators saw in its image; None where nobody asked for it.
        steps: of an edited sample, its start and then each step.
    """

    index: Count
    energy: float | None
    status: str
    nfe: Count
    readings: Mapping[str, float | None]
    accepted: Count = 0
    rejected: Count = 0
    extra: Mapping[str, float | None] = field(factory=dict)
    seen: Seen | None = None
    steps: tuple[StepRecord, ...] = ()


@frozen
class GroupRecord:
    """What a `sample` or an `edit` asked for, and the samples there are of it, index 0 first.

    Attributes:
        fingerprint: of all that a sample depends on except its index: the resolved condition, the
            weights, the seed, the sampler and its options. More of a group has the same one.
        count: how many samples were asked for.
        settings: what the fingerprint is of, for a reader.
        steps: the lines of an edit.
        origin: the program that made it: its file as seen from the run's folder, `-` for text
            without a file.
        without_provenance: whether images were ever written that do not say what they were made
            from.
    """

    name: str
    folder: str
    condition: str
    fingerprint: str
    seed: Count
    count: Count
    settings: Mapping[str, Any]
    atoms: tuple[Atom, ...]
    samples: tuple[SampleRecord, ...] = ()
    steps: tuple[StepPlan, ...] = ()
    origin: str | None = None
    without_provenance: bool = False

    @property
    def is_seen(self) -> bool:
        """Whether all its samples are there, and annotators have seen each of them."""
        return len(self.samples) == self.count and all(s.seen is not None for s in self.samples)


@frozen
class MeasureRecord:
    """A probability under a generator's own distribution, estimated from draws of its prior.

    Attributes:
        name: of the statement.
        what, given: the predicates as they were written; `given` is None without a condition.
        truncation, seed: of the draws.
        fingerprint: of all that the estimate depends on.
        given_draws: how many draws satisfied `given`; all, without a condition.
        value: the share of those that satisfy `what`; None if there are none.
        low, high: 95 % interval of the probability behind it, for the error of drawing alone.
        decided: the same share where every draw is what its classifiers find likeliest.
    """

    name: str
    what: str
    given: str | None
    model: str
    truncation: float
    seed: Count
    fingerprint: str
    draws: Count
    given_draws: Count
    value: float | None
    low: float | None
    high: float | None
    decided: float | None


@frozen
class ExpectationRecord:
    """What was expected of a group's images, and what annotators saw in them.

    Attributes:
        text: as it was written: `glasses=1 in 95% of kids`.
        group: whose images were judged.
        wanted: the least share, 0..1, that must show it.
        faces: how many there are.
        failing: indices of the faces that do not show it.
    """

    text: str
    group: str
    wanted: float
    faces: Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]
    failing: tuple[Count, ...]

    @property
    def seen(self) -> float:
        """The share that shows it."""
        return 1 - len(self.failing) / self.faces

    @property
    def holds(self) -> bool:
        """Whether enough of the faces do."""
        # Not `seen >= wanted`: 0.95 of 20 is 19 faces, and no rounding may say otherwise.
        return self.faces - len(self.failing) >= self.wanted * self.faces - 1e-6


@frozen
class RunRecord:
    """A program's run: its text, what came of it, and, kept apart, what differs every time."""

    program: str
    source: str
    versions: Mapping[str, str]
    groups: tuple[GroupRecord, ...] = ()
    measures: tuple[MeasureRecord, ...] = ()
    expectations: tuple[ExpectationRecord, ...] = ()
    complete: bool = False
    timing: Mapping[str, Any] = field(factory=dict, eq=False)


def plain(record: Any) -> dict[str, Any]:
    """A record as a dictionary of its fields, in their order, without options that say nothing."""
    return asdict(
        record,
        filter=lambda field, value: field.default is NOTHING or value not in (None, (), {}),
    )


def rounded(value: float) -> float | None:
    """`value` to six digits, as records keep it; None where it is not finite."""
    return float(f"{value:.6g}") if math.isfinite(value) else None
