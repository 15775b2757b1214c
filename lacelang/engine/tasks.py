"""What a run asks of every kind of statement that makes a group."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol, TypeAlias

from attrs import frozen

from lacelang.engine.loading import Model
from lacelang.progress import Stage
from lacelang.storage.latents import Float32, Latents
from lacelang.storage.records import GroupRecord, SampleRecord
from lacelang.storage.shards import Shards

Available: TypeAlias = Callable[[str], Latents | Shards]
"""A group's name -> the latents of all its samples."""


@frozen(eq=False)
class Batch:
    """A batch of samples, and the seconds it took."""

    records: tuple[SampleRecord, ...]
    latents: Latents
    seconds: float


class GroupTask(Protocol):
    """One group to make."""

    @property
    def model(self) -> Model:
        """The one that its latents are of."""
        ...

    @property
    def record(self) -> GroupRecord:
        """What is known of the group beforehand; it holds no samples yet.

        Its fingerprint names all that a sample depends on, fingerprints of `sources` included.
        """
        ...

    @property
    def sources(self) -> tuple[str, ...]:
        """Names of the groups whose samples it begins from; they are made before it."""
        ...

    @property
    def truncation(self) -> float:
        """psi of its samples."""
        ...

    def frames(self, latents: Latents) -> Float32:
        """All that is to be painted of some of its samples (N, F, …), each one's own face last."""
        ...

    def draw(self, first: int, made: Available, stage: Stage) -> Iterator[Batch]:
        """Make samples `first` to the last, a batch at a time, in the order of their indices.

        Args:
            first: how many are there already.
            made: gives the latents of `sources`.
            stage: to be advanced by one for each sample.
        """
        ...
