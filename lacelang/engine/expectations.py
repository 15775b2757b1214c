"""An `expect` statement: how many faces of a group show what was expected, seen in the images."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from lacelang.engine.annotating import columns_of
from lacelang.engine.fingerprint import condition_text
from lacelang.engine.truth import truth
from lacelang.ir import ExpectStatement, comparisons
from lacelang.storage.records import ExpectationRecord, GroupRecord, SampleRecord

if TYPE_CHECKING:
    pass


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
    names = (attribute.name for attribute in statement.model.attributes)
    columns = columns_of([sample.seen or {} for sample in samples], names)
    shown = truth(statement.what, columns)
    failing = tuple(s.index for s, held in zip(samples, shown, strict=True) if not held)
    return ExpectationRecord(
        text=condition_text(statement),
        group=statement.group,
        wanted=statement.share,
        faces=len(samples),
        failing=failing,
    )
