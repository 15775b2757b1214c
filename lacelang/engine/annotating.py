"""Annotators at work: pictures in, and what they see in them out."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from queue import SimpleQueue
from typing import TYPE_CHECKING

import numpy as np

from lacelang.annotators import Annotator, judging
from lacelang.engine.sinks import Look
from lacelang.engine.truth import Columns
from lacelang.storage.records import Seen, rounded
from lacelang.system.threads import Pool, cores

if TYPE_CHECKING:
    from lacelang.annotators.declaration import Measure
    from lacelang.progress import Progress, Stage

_MOST_ANNOTATORS = 4


class AnnotatorPool:
    """The annotators of some attributes, loaded: a few sets of them, each used by one thread.

    Raises:
        ResourceError: a package is not installed, or annotators' weights cannot be had.
    """

    def __init__(self, attributes: Collection[str], progress: Progress) -> None:
        self._count = min(cores(), _MOST_ANNOTATORS)
        self._idle: SimpleQueue[list[tuple[Annotator, Measure]]] = SimpleQueue()
        for _ in range(self._count):
            self._idle.put([(one, one.load(1, progress)) for one in judging(attributes)])

    def annotate(self, pictures: Iterable[Look], stage: Stage) -> Iterator[Seen]:
        """Say what each picture shows, in order."""
        with Pool(self._count, "annotator") as pool:
            for seen in pool.each(self._annotate, pictures):
                yield seen
                stage.advance()

    def _annotate(self, picture: Look) -> Seen:
        annotators = self._idle.get()
        try:
            image, values = picture(), dict[str, float]()
            for annotator, measure in annotators:
                values = {**annotator.values(measure(image)), **values}
        finally:
            self._idle.put(annotators)
        return {name: rounded(value) for name, value in values.items()}


def columns_of(seen: Sequence[Seen], attributes: Iterable[str]) -> Columns:
    """Return what was seen in N pictures by attribute, (N,): NaN for nothing."""
    # None becomes NaN.
    return {name: np.array([each.get(name) for each in seen], np.float32) for name in attributes}
