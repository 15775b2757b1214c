"""Films of edited faces, with what annotators saw for what the classifiers read."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from made_paths import paths_of
from numpy.typing import NDArray

from experiments.edit_paths import EditPaths, annotated_record, film_sheet
from lacelang.api import compile
from lacelang.ir import EditStatement
from lacelang.storage.records import Atom, GroupRecord, SampleRecord, StepPlan, StepRecord

(_, STATEMENT) = compile(
    "sample 2 from ffhq as people\nedit people {\nsmile = 0\nage = 55\n} as older"
).checked.statements
SMILE = Atom("smile=0", "smile", "probability", 0.5, 1.0)
AGE = Atom("age=55", "age", "value", 54.0, 56.0, "years")


def record() -> GroupRecord:
    def step(smile: float, age: float) -> StepRecord:
        return StepRecord(1.0, "converged", 0, 0, 0, {"smile=0": smile, "age=55": age})

    steps = (step(0.1, 20.0), step(0.9, 20.0), step(0.9, 55.0))
    samples = tuple(
        SampleRecord(i, 1.0, "converged", 0, {"smile=0": 0.9, "age=55": 55.0}, steps=steps)
        for i in range(2)
    )
    plans = (
        StepPlan("smile=0", (2, 3), (SMILE,)),
        StepPlan("age=55", (4,), (SMILE, AGE)),
    )
    return GroupRecord("older", "older", "", "f", 0, 2, {}, (SMILE, AGE), samples, plans)


def film() -> EditPaths:
    columns = {
        "smile": np.array([[1, 0, 0], [1, 1, 1]], np.float32),
        "age": np.array([[20, 21, 47], [22, np.nan, 60]], np.float32),
    }
    nothing = np.zeros((2, 3, 4), np.float32)
    return paths_of(columns, nothing, nothing)


def test_a_film_reads_what_was_seen_at_every_moment() -> None:
    assert isinstance(STATEMENT, EditStatement)
    shown = annotated_record(STATEMENT, record(), film())
    read = [[step.readings for step in sample.steps] for sample in shown.samples]
    assert [r["smile=0"] for r in read[0]] == [0.0, 1.0, 1.0]
    assert [r["smile=0"] for r in read[1]] == [0.0, 0.0, 0.0]
    assert [r["age=55"] for r in read[1]] == [22.0, None, 60.0]
    # What counts as reached is what the judge takes for it: 10.5 years here, not two sigmas.
    age = next(atom for atom in shown.steps[-1].atoms if atom.attribute == "age")
    assert (age.holds(47.0), age.holds(44.0)) == (True, False)


def test_a_sheet_has_a_strip_for_every_face_shown() -> None:
    assert isinstance(STATEMENT, EditStatement)

    def decode(w: torch.Tensor) -> Iterator[NDArray[np.uint8]]:
        return iter(np.full((len(w), 64, 64, 3), 200, np.uint8))

    one = film_sheet("a", "", STATEMENT, record(), film(), decode, faces=1).draw()
    two = film_sheet("a", "", STATEMENT, record(), film(), decode).draw()
    assert one.width == two.width
    assert two.height > 2 * one.height
