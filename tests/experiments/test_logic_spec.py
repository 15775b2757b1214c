"""Arms of an `or`, counted in what was seen."""

from __future__ import annotations

from typing import Any, cast

import numpy as np

from experiments.annotations import Annotated, Annotations
from experiments.formulas import Formula
from experiments.specs.logic import disjunct_shares, statements
from lacelang.api import compile


def judged(condition: str, **columns: list[float]) -> Annotated:
    (statement,) = compile(f"sample 4 from ffhq where {condition}").samples
    seen = {name: np.array(values, np.float32) for name, values in columns.items()}
    nothing = np.zeros((4, 1), np.float32)
    return Annotated(statement, cast(Any, None), seen, Annotations(seen, nothing, {}))


def test_arms_are_counted_among_the_faces_that_show_the_or() -> None:
    one = judged(
        "gender=male and (glasses=1 or smile=1)",
        gender=[1, 1, 0, 1],
        glasses=[1, 1, 0, 0],
        smile=[0, 1, 0, 1],
    )
    assert disjunct_shares(one) == [[2 / 3, 2 / 3]]


def test_there_are_no_shares_where_no_face_shows_the_or() -> None:
    assert disjunct_shares(judged("glasses=1 or smile=1", glasses=[0] * 4, smile=[0] * 4)) == [None]


def test_variants_are_sampled_where_they_make_a_difference() -> None:
    chosen = [
        Formula("smile=1 and glasses=1", 1, 0.1),
        Formula("smile=1 or not glasses=1", 1, 0.1),
        Formula("not smile=1 and glasses=1", 1, 0.1),
    ]
    assert list(statements(chosen, 2)) == [
        *(("default", 0), ("default", 1), ("balanced", 1), ("contrast", 1)),
        *(("default", 2), ("contrast", 2)),
    ]
