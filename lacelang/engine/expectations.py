"""An `expect` statement: how many faces of a group show what was expected, seen in the images."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from queue import SimpleQueue
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lacelang.engine.truth import truth
from lacelang.ir import ExpectStatement
from lacelang.storage.records import ExpectationRecord, SampleRecord, Seen, rounded
from lacelang.system.threads import Pool, checkpoint

if TYPE_CHECKING:
    from lacelang.annotators.annotator import Annotators
    from lacelang.progress import Progress, Stage

Look = Callable[[], NDArray[np.uint8]]
"""Gives a picture, uint8 (S, S, 3) RGB, when it is needed."""

_MOST_EYES = 4


class AnnotatorPool:
    """Annotators, loaded: a few of them, each in a thread of its own.

    Raises:
        ResourceError: OpenCV is not installed, or the annotators' weights cannot be had.
    """

    def __init__(self, progress: Progress) -> None:
        self._count = min(os.cpu_count() or 1, _MOST_EYES)
        self._idle: SimpleQueue[Annotators] = SimpleQueue()
        from lacelang.annotators.annotator import Annotators

        for _ in range(self._count):
            self._idle.put(Annotators(progress=progress))

    def see(self, looks: Iterable[Look], stage: Stage) -> Iterator[Seen]:
        """Say what each picture shows, in order; few pictures are held at a time."""
        pending: deque[Future[Seen]] = deque()
        with Pool(self._count, "annotator") as pool:
            for look in looks:
                checkpoint()
                pending.append(pool.submit(self._see, look))
                if len(pending) > self._count:
                    yield pending.popleft().result()
                    stage.advance()
            while pending:
                checkpoint()
                yield pending.popleft().result()
                stage.advance()

    def _see(self, look: Look) -> Seen:
        annotators = self._idle.get()
        try:
            values = annotators.annotate(look()).values()
        finally:
            self._idle.put(annotators)
        return {name: rounded(value) for name, value in values.items()}


def require_annotators() -> None:
    """Load the annotators' code before anything is made for them to judge.

    Raises:
        ResourceError: OpenCV is not installed.
    """
    import lacelang.annotators.annotation  # noqa: F401


def judge(statement: ExpectStatement, samples: Sequence[SampleRecord]) -> ExpectationRecord:
    """Hold an expectation against what was seen in a group's faces.

    Args:
        statement: resolved.
        samples: all of the group, each of them seen.
    """
    columns = {
        attribute.name: np.array(
            [_number((sample.seen or {}).get(attribute.name)) for sample in samples], np.float32
        )
        for attribute in statement.model.attributes
    }
    shown = truth(statement.what, columns)
    failing = tuple(s.index for s, held in zip(samples, shown, strict=True) if not held)
    return ExpectationRecord(
        text=" ".join(statement.text.split()),
        group=statement.group,
        wanted=statement.share,
        faces=len(samples),
        failing=failing,
    )


def _number(value: float | None) -> float:
    return float("nan") if value is None else value
