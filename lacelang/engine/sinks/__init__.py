"""Batches of samples and their pictures in; groups in memory, or files of a run folder, out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from lacelang.engine.result import Group
    from lacelang.engine.sinks.encoding import Encoded, Taken
    from lacelang.engine.tasks import Batch, GroupTask, Rows
    from lacelang.progress import Progress
    from lacelang.storage.datasets.index import Index
    from lacelang.storage.records import (
        ExpectationRecord,
        GroupRecord,
        MeasureRecord,
        SampleRecord,
        Seen,
    )

Picture: TypeAlias = NDArray[np.uint8]
"""uint8 (H, W, 3), RGB."""

Look: TypeAlias = Callable[[], Picture]
"""Gives a picture when it is needed, in any thread."""


OnImage: TypeAlias = "Callable[[GroupRecord, SampleRecord, Path], object]"
"""Told of an image that is on disk: its group without samples, its sample, and its file."""


class Begun(NamedTuple):
    """What a sink has of a group: its first `samples`, some of them `undecoded`."""

    samples: int = 0
    undecoded: Sequence[SampleRecord] = ()


class Sink(ABC):
    """Takes the samples of each group of a run, and their pictures as these are decoded.

    It keeps them, for later statements and for the run's result.

    Attributes:
        decodes: whether it wants pictures.
        ahead: batches of pictures that may wait while more is sampled; None for any number. With a
            number, a group is decoded before the next one is begun.
        dataset: what there is of a data set at the end, if the sink has written one.
        tolerant: whether it keeps a sample that cannot be decoded, with what went wrong.
        whole: whether all that the program makes was there when the run ended.
        grids: files with the groups of a loop side by side, written at the end.
    """

    decodes = False
    ahead: int | None = None
    tolerant = False
    dataset: Index | None = None
    whole = True
    grids: Sequence[Path] = ()

    @contextmanager
    def open(self, progress: Progress) -> Iterator[None]:
        """Hold what the run needs, and read what an earlier run left of the groups to make."""
        yield

    def begin(self, task: GroupTask) -> Begun:
        """Begin a group, or go on with it."""
        return Begun()

    @abstractmethod
    def add(self, task: GroupTask, batch: Batch) -> None:
        """Take the next samples of a group."""

    def picture(self, task: GroupTask, sample: SampleRecord, taken: Taken) -> None:
        """Take what was decoded of a sample; called in the decoder's thread, in order."""
        return None

    def encoded(self, task: GroupTask, sample: SampleRecord, files: Encoded) -> None:
        """Take the same, encoded elsewhere."""
        return None

    def failed(self, task: GroupTask, sample: SampleRecord, error: Exception) -> None:
        """Take the error that a sample ended in, in place of its picture."""
        raise error

    def flush(self) -> None:
        """Wait until all pictures are kept."""
        return None

    @abstractmethod
    def end(self, task: GroupTask, seconds: float) -> None:
        """End a group: all its samples are there, and `seconds` went into those made now."""

    @abstractmethod
    def group(self, name: str) -> GroupRecord | None:
        """A group of the program, with the samples that are there; None if there are none."""

    def records(self, name: str, chosen: Sequence[int]) -> Sequence[SampleRecord]:
        """The records of some samples of a group that is made, in their order."""
        group = self.group(name)
        assert group is not None
        return [group.samples[index] for index in chosen]

    @abstractmethod
    def latents(self, name: str) -> Rows:
        """The latents of a group that is made, of the samples that are there."""

    @abstractmethod
    def pictures(self, name: str, indices: Sequence[int]) -> Iterable[Look]:
        """Pictures of samples of a group that is made, in order."""

    @abstractmethod
    def annotate(self, name: str, annotations: Iterable[tuple[int, Seen]]) -> None:
        """Keep annotations of samples, by index, also those that come before an error."""

    def measured(self, fingerprint: str) -> MeasureRecord | None:
        """What an earlier run measured under this fingerprint."""
        return None

    def keep(self, measures: Sequence[MeasureRecord], found: Sequence[ExpectationRecord]) -> None:
        """Take what has been measured so far, and the results of expectations."""
        return None

    @abstractmethod
    def finish(self, complete: bool, started: float) -> Sequence[Group]:
        """End the run, and return the groups that were asked for.

        Args:
            complete: whether all that the program measures and expects is known.
            started: `time.perf_counter()` when the run began.
        """
