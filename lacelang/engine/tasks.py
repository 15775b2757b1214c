"""What a run needs of every statement that makes a group."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Protocol, TypeAlias

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from lacelang.engine.loading import Model
from lacelang.progress import Stage
from lacelang.storage.latents import Float32, Latents
from lacelang.storage.records import GroupRecord, SampleRecord


class Rows(Protocol):
    """The latents of all samples of a group, in memory or on disk."""

    def rows(self, chosen: Sequence[int], /) -> Latents:
        """Those of some of the samples, in their order."""


class Available(Protocol):
    """The groups that are made already, by name: their latents, wherever they are needed."""

    def latents(self, name: str, /) -> Rows:
        """The latents of all its samples."""


class AvailableSamples(Available, Protocol):
    """The same with their records, which are where the run is, and in no worker."""

    def records(self, name: str, chosen: Sequence[int], /) -> Sequence[SampleRecord]:
        """The records of some of its samples, in their order."""


BATCH = 64
"""Samples of the first batch, which should be seen soon, and images that are decoded together."""

LATER = 4
"""How many times larger the others are: the last samples of a batch leave little to evaluate."""


@frozen(eq=False)
class Batch:
    """A batch of samples, and the seconds it took."""

    records: tuple[SampleRecord, ...]
    latents: Latents
    seconds: float

    @staticmethod
    def joined(parts: Sequence[Batch]) -> Batch:
        """The samples of one or more batches of a group, one after another."""
        return Batch(
            tuple(record for part in parts for record in part.records),
            Latents.joined([part.latents for part in parts]),
            sum(part.seconds for part in parts),
        )


@frozen(eq=False)
class Start:
    """What the samples of a group came from that no program can make again.

    An image carries the latents of its own sample, so that it can be made from it alone.
    """

    name: str  # as the program has it
    digest: str  # of all samples there
    latents: Callable[[], Rows]  # of all samples; a group keeps it and is pickled


Paste: TypeAlias = Callable[[NDArray[np.uint8]], NDArray[np.uint8]]
"""Puts an image of a generator's, uint8 (side, side, 3), into a photograph.

The photograph is uint8 (H, W, 3), or (H, W, 4) with its transparency.
"""

Draw: TypeAlias = Callable[[range, Stage], Batch]
"""Makes the samples of some indices, and advances the stage by one for each of them."""


@frozen(eq=False)
class Copying:
    """Takes samples of other groups as they are: it computes nothing that workers could share."""

    prepared: Callable[[AvailableSamples], Draw]


@frozen(eq=False)
class GroupTask:
    """One group to make."""

    model: Model  # that its latents are of
    # What is known beforehand, without samples. The fingerprint names all that a sample depends on,
    # fingerprints of `sources` included.
    record: GroupRecord
    # Compiles what all batches need, given the groups of `sources`.
    prepared: Callable[[Available], Draw] | Copying
    # All that is decoded of N samples (N, F, …), each one's own picture last. Without a reference
    # to the task, for a group keeps it and is pickled.
    frames: Callable[[Latents], Float32]
    sources: tuple[str, ...] = ()  # groups whose samples it begins from; they are made before it
    file: Path | None = None  # or the file or folder
    start: Start | None = None  # what that file holds, or what a source came from
    # The part of a photograph that a sample was made of, by index; None where there is none.
    original: Callable[[int], NDArray[np.uint8]] | None = None
    # Puts an image of the generator's back into that photograph; None where there is none.
    paste: Paste | None = None
    judged: tuple[str, ...] = ()  # attributes that annotators judge while it is made
    # What stands in place of samples that errors ended, given the groups of `sources`: records with
    # the status `failed`, and latents that are NaN. None where errors end the run.
    failed: Callable[[Sequence[int], Available], Batch] | None = None

    def ready(self, available: AvailableSamples) -> Draw:
        """Compile what all batches need, where the run is."""
        if isinstance(self.prepared, Copying):
            return self.prepared.prepared(available)
        return self.prepared(available)

    def draw(
        self, first: int, available: AvailableSamples, stage: Stage, guarded: Guarded | None = None
    ) -> Iterator[Batch]:
        """Make samples `first` to the last, a batch at a time.

        What makes them is what `guarded` turns it into, such as `failures.tolerating`.
        """
        if first >= self.record.count:
            return
        make = self.ready(available)
        if guarded is not None:
            make = guarded(self, make, available)
        for batch in batches(first, self.record.count):
            yield make(batch, stage)


Guarded: TypeAlias = Callable[[GroupTask, Draw, Available], Draw]
"""What a sink that keeps failed samples has around what makes the samples of a task."""


def batches(first: int, last: int) -> Iterator[range]:
    """Yield the batches of samples `first` to `last`, excluded, as a whole run makes them."""
    while first < last:
        size = BATCH if first < BATCH else LATER * BATCH
        end = min(last, (first // size + 1) * size)
        yield range(first, end)
        first = end
