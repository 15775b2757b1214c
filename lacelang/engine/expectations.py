"""An `expect` statement: how many faces of a group show what was expected, seen in the images."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from queue import SimpleQueue
from typing import TYPE_CHECKING

import numpy as np

from lacelang.annotators import Annotator, judging
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
    """Annotators, loaded: a few sets of them, each in a thread of its own.

    Args:
        attributes: the annotators of these are loaded.
        progress: where to show downloads.

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
    """Return what annotators are to judge: all attributes of the expectations' models.

    Not only those that are expected, for the next run may expect others of the same images.
    """
    return {attribute.name for one in expected for attribute in one.model.attributes}


def attributes_of(expected: ExpectStatement) -> set[str]:
    """Return the names of the attributes that an expectation is about."""
    return {comparison.attribute.name for comparison in comparisons(expected.what)}


def is_annotated(group: GroupRecord, expected: ExpectStatement) -> bool:
    """Whether a group is whole, and all its pictures are annotated for an expectation.

    They may lack what it is about: a model may declare an attribute after they were annotated.
    """
    names = attributes_of(expected)
    whole = len(group.samples) == group.count
    return whole and all(s.seen is not None and names <= s.seen.keys() for s in group.samples)


def judge(statement: ExpectStatement, samples: Sequence[SampleRecord]) -> ExpectationRecord:
    """Hold an expectation against the annotations of a group's pictures.

    Args:
        statement: resolved.
        samples: all of the group, each of them annotated.
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
