"""Predicates held against what annotators saw."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lacelang import ir
from lacelang.engine.truth import NEAR, truth
from lacelang.evaluate.scores import scores

SMILE = ir.BinaryAttribute("smile")
HAIR = ir.ChoiceAttribute("hair", ("black", "blond", "gray"))
AGE = ir.ContinuousAttribute("age", 0.0, 70.0, "years")

SEEN = {
    "smile": np.array([1, 0, 1, np.nan], np.float32),
    "hair": np.array([0, 2, np.nan, 1], np.float32),
    "age": np.array([15, 40, 22, np.nan], np.float32),
}


def smile(value: int) -> ir.Discrete:
    return ir.Discrete(SMILE, frozenset({value}), text=f"smile={value}")


def age(value: float) -> ir.Equals:
    return ir.Equals(AGE, value, text=f"age={value:g}")


@pytest.mark.parametrize(
    ("predicate", "expected"),
    [
        (smile(1), [True, False, True, False]),
        (smile(0), [False, True, False, False]),
        (ir.Discrete(HAIR, frozenset({0, 2})), [True, True, False, False]),
        (ir.Not(smile(1)), [False, True, False, False]),
        (ir.Not(ir.And((smile(1), age(15)))), [False, True, False, False]),
        (ir.Or((ir.Not(smile(1)), ir.Discrete(HAIR, frozenset({1})))), [False, True, False, True]),
        (age(15), [True, False, True, False]),
        (ir.AtLeast(AGE, 22.0), [False, True, True, False]),
        (ir.AtMost(AGE, 22.0), [True, False, True, False]),
        (ir.Between(AGE, 20.0, 40.0), [False, True, True, False]),
        (ir.And((smile(1), ir.AtLeast(AGE, 20.0))), [False, False, True, False]),
        (ir.Or((smile(0), ir.AtMost(AGE, 15.0))), [True, True, False, False]),
    ],
)
def test_truth(predicate: ir.Predicate, expected: list[bool]) -> None:
    assert truth(predicate, SEEN).tolist() == expected


@given(st.floats(0, 70), st.floats(0, 70))
def test_equality_reaches_a_share_of_the_range(seen: float, wanted: float) -> None:
    column = np.array([seen], np.float32)
    near = abs(float(column[0]) - wanted) <= NEAR * 70
    assert bool(truth(age(wanted), {"age": column})[0]) == near


def test_scores_pool_values_of_one_attribute() -> None:
    rows = [
        (ir.And((smile(1), age(10))), {"smile": SEEN["smile"][:2], "age": SEEN["age"][:2]}),
        (ir.And((smile(0), age(30))), {"smile": SEEN["smile"][2:], "age": SEEN["age"][2:]}),
    ]
    smiles, ages = scores(rows)
    # Two of four smiles are as asked... the first group's first face only; unseen counts as wrong.
    assert smiles.accuracy == 0.25
    assert smiles.unseen == 1
    assert smiles.wanted == "smile: 2 values"
    # |15-10|, |40-10|, |22-30|; the unseen one has no error.
    assert ages.error == pytest.approx((5 + 30 + 8) / 3)
    assert ages.accuracy == pytest.approx(1 - (5 + 30 + 8) / 3 / 70)
    assert ages.unit == "years"


def test_scores_leave_out_what_is_not_demanded_outright() -> None:
    predicate = ir.And((smile(1), ir.Or((age(10), age(20)))))
    assert [score.attribute for score in scores([(predicate, SEEN)])] == ["smile"]
