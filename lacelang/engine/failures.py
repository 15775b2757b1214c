"""Samples that errors end: each is recorded with what went wrong, and the others are made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from attrs import evolve

from lacelang.engine.tasks import Available, Batch, Draw, GroupTask
from lacelang.errors import LaceError, ProgramError, ResourceError
from lacelang.progress import Stage

MOST_FAILED = 32
"""After so many samples in a row that failed, something else is wrong, and the run ends."""

ENDING = (ResourceError, ProgramError, MemoryError)
"""Errors that are about no sample, and end every run."""


class SampleError(Exception):
    """What another process says of an error that ended a sample, as `said_of` has it."""


def said_of(error: Exception) -> str:
    """What a record says of an error; the same, whichever process it was raised in."""
    said = " ".join(str(error).split())[:200]
    return said if isinstance(error, SampleError) else f"{type(error).__name__}: {said}"


def too_many(error: Exception) -> LaceError:
    """Return the error that ends a run after `MOST_FAILED` samples in a row."""
    if isinstance(error, LaceError):
        return error
    return ResourceError(
        f"{MOST_FAILED} samples in a row failed; of the last one: {said_of(error)}",
        "mend that, and run the command again: it goes on from what is finished",
    )


def tolerating(task: GroupTask, make: Draw, available: Available) -> Draw:
    """Return what makes samples of a group as `make` does, and records those that errors end.

    After an error the samples of a batch are made in two halves, down to the one that it is about:
    a sample is the same in any batch. What begins from a sample that failed fails, too.
    """
    failed = task.failed
    if failed is None:
        return make

    def lost(index: int, error: str) -> Batch:
        batch = failed([index], available)
        records = tuple(evolve(record, error=error) for record in batch.records)
        return evolve(batch, records=records)

    def draw(indices: range, stage: Stage) -> Batch:
        found: list[Batch] = []
        shown = _Forward(stage)
        in_a_row, of = 0, _without_start(task, indices, available)

        def drawn(some: Sequence[int]) -> None:
            nonlocal in_a_row
            if some[0] in of:
                found.append(lost(some[0], of[some[0]]))
            else:
                try:
                    found.append(make(range(some[0], some[-1] + 1), shown))
                except ENDING:
                    raise
                except Exception as error:
                    shown.back(sum(len(batch.records) for batch in found))
                    if len(some) > 1:
                        half = len(some) // 2
                        drawn(some[:half])
                        drawn(some[half:])
                        return
                    in_a_row += 1
                    if in_a_row == MOST_FAILED:
                        raise too_many(error) from error
                    found.append(lost(some[0], said_of(error)))
                else:
                    in_a_row = 0
            shown.back(sum(len(batch.records) for batch in found))

        for some in _runs(indices, of):
            drawn(some)
        return found[0] if len(found) == 1 else Batch.joined(found)

    return draw


def _without_start(task: GroupTask, indices: range, available: Available) -> dict[int, str]:
    """The samples that begin from one that failed, and what is said of each."""
    found = {}
    for name in task.sources:
        w = available.latents(name).rows(indices).w
        bad = ~np.isfinite(w.reshape(len(w), -1)).all(axis=1)
        for index in np.asarray(indices)[bad].tolist():
            found[index] = f"it begins from sample {index} of {name}, which failed"
    return found


def _runs(indices: range, alone: dict[int, str]) -> Iterator[range]:
    """Cut a range so that each of some indices stands alone."""
    first = indices.start
    for index in sorted(alone):
        if first < index:
            yield range(first, index)
        yield range(index, index + 1)
        first = index + 1
    if first < indices.stop:
        yield range(first, indices.stop)


class _Forward(Stage):
    """Passes on how far a batch has come, and nothing of what is done a second time."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._at = self._most = 0.0

    def advance(self, amount: float = 1) -> None:
        """See `Stage`."""
        self._at += amount
        if self._at > self._most:
            self._stage.advance(self._at - self._most)
            self._most = self._at

    def back(self, done: float) -> None:
        """Begin anew behind so many samples, which are done."""
        self._at = 0.0
        self.advance(done)
