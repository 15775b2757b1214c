"""An `expect` statement: how many faces of a group show what was expected, seen in the images."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from queue import SimpleQueue
from typing import TYPE_CHECKING

import numpy as np

from lacelang.annotators import Annotator, judging
from lacelang.engine.fingerprint import condition_text
from lacelang.engine.sinks import Look
from lacelang.engine.truth import truth
from lacelang.ir import ExpectStatement, comparisons
from lacelang.storage.records import ExpectationRecord, GroupRecord, SampleRecord, Seen, rounded
from lacelang.system.threads import Pool

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
        self._count = min(os.cpu_count() or 1, _MOST_ANNOTATORS)
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


def judged_attributes(expected: Iterable[ExpectStatement]) -> set[str]:
    """Return all attributes of the expectations' models: the next run may expect others."""
    return {attribute.name for one in expected for attribute in one.model.attributes}


def unannotated(group: GroupRecord, expected: ExpectStatement) -> set[int]:
    """Return the samples whose annotations lack what an expectation is about.

    A model may declare an attribute after they were annotated.
    """
    names = {comparison.attribute.name for comparison in comparisons(expected.what)}
    return {s.index for s in group.samples if not names <= (s.seen or {}).keys()}


def is_annotated(group: GroupRecord, expected: ExpectStatement) -> bool:
    """Whether a group is whole, and all its pictures are annotated for an expectation."""
    return len(group.samples) == group.count and not unannotated(group, expected)


def judge(statement: ExpectStatement, samples: Sequence[SampleRecord]) -> ExpectationRecord:
    """Hold an expectation against the annotations of all samples of its group."""
    columns = {
        attribute.name: np.array(
            # None becomes NaN.
            [(sample.seen or {}).get(attribute.name) for sample in samples],
            np.float32,
        )
        for attribute in statement.model.attributes
    }
    shown = truth(statement.what, columns)
    failing = tuple(s.index for s, held in zip(samples, shown, strict=True) if not held)
    return ExpectationRecord(
        text=condition_text(statement),
        group=statement.group,
        wanted=statement.share,
        faces=len(samples),
        failing=failing,
    )
