"""What is known about a run, a group and a sample, as plain values: no tensors, no images."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from attrs import field, frozen

Reading = Literal["probability", "value"]


@frozen
class Atom:
    """One comparison of a condition, and which readings satisfy it.

    Attributes:
        text: its source form, such as `glasses=1`.
        attribute: the attribute it reads.
        reading: `probability` of what it says (discrete), or the attribute's own `value`.
        low, high: the readings that satisfy it, in probability or in the attribute's units.
        unit: of the value: `deg`, `years` or none.
        negated: it stands under a `not`, and is satisfied outside `low`..`high`.
    """

    text: str
    attribute: str
    reading: Reading
    low: float
    high: float
    unit: str | None = None
    negated: bool = False

    @property
    def wanted(self) -> str:
        """What a sample should do: `glasses=1`, or `not glasses=1` under a `not`."""
        return f"not {self.text}" if self.negated else self.text

    def holds(self, value: float) -> bool:
        """Whether a sample that reads `value` satisfies it."""
        return (self.low <= value <= self.high) != self.negated


@frozen
class SampleRecord:
    """One sample: where it started, what it reads, how its sampler ended.

    Attributes:
        index: its number in the group; with the group's seed, all that its prior draw depends on.
        energy: conditional energy in nats, prior excluded; None where it is not finite.
        status: how its sampler ended, such as `converged` (`lacelang.sample.Status`).
        nfe: evaluations of the energy and its gradient.
        accepted, rejected: steps that the sampler took, and tried in vain.
        readings: atom text → probability or value, as the classifiers see the latent.
        file: its image, a path inside the run's folder; None until it is written.
        extra: what else the sampler found out, by name; None where it is not finite.
    """

    index: int
    energy: float | None
    status: str
    nfe: int
    readings: Mapping[str, float | None]
    accepted: int = 0
    rejected: int = 0
    file: str | None = None
    extra: Mapping[str, float | None] = field(factory=dict)


@frozen
class GroupRecord:
    """What one `sample` statement asked for, and the samples there are of it, index 0 first.

    `fingerprint` names everything that a sample depends on except its index: the resolved
    condition, the weights, the seed, the sampler and its options. `settings` shows the same to a
    reader. `count`, how many were asked for, is not part of it: more of a group is that group.
    """

    name: str
    folder: str
    condition: str
    fingerprint: str
    seed: int
    count: int
    settings: Mapping[str, Any]
    atoms: tuple[Atom, ...]
    samples: tuple[SampleRecord, ...]


@frozen
class RunRecord:
    """A program's run: its text, its groups, and, kept apart, what differs every time."""

    program: str
    source: str
    versions: Mapping[str, str]
    groups: tuple[GroupRecord, ...] = ()
    complete: bool = False
    timing: Mapping[str, Any] = field(factory=dict, eq=False)
