"""Codes: asked for in the prior's proportions, and often enough to be told apart."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.annotations import Annotations
from experiments.codes import VALUES, Code, Codes, Outcome, allotted, codes_of
from experiments.statements import named
from lacelang import ir
from lacelang.api import compile
from lacelang.classifiers.draws import Draws
from lacelang.classifiers.labels import Labels

SPEC = compile("sample from ffhq").samples[0].model


def table(columns: dict[str, np.ndarray], prior: int) -> Labels:
    """Labels of so many prior rows; rows after those were steered, and must not be counted."""
    count = len(next(iter(columns.values())))
    steered = Draws(np.zeros((count - prior, 4), np.float32), np.ones(count - prior, np.float32))
    return Labels(0, prior, steered, columns, {})


@given(st.lists(st.floats(0.001, 1), min_size=1, max_size=9), st.integers(0, 300))
def test_allotting_keeps_the_total_and_the_proportions(shares: list[float], count: int) -> None:
    counts = allotted({str(k): share for k, share in enumerate(shares)}, count)
    assert sum(counts.values()) == count
    for k, share in enumerate(shares):
        assert abs(counts[str(k)] - count * share / sum(shares)) < 1


def test_codes_have_the_priors_proportions_and_no_fewer_than_a_share() -> None:
    # Of 8 prior rows with a face in them, 6 wear none; the two steered rows would change that.
    glasses = np.array([0, 0, 0, 0, 0, 0, 1, 1, np.nan, 1, 1], np.float32)
    codes = codes_of(["glasses"], SPEC, table({"glasses": glasses}, 9), natural=40, least=0.75)
    assert codes.codes == (Code("glasses=0", 30, 30), Code("glasses=1", 10, 15))
    assert (codes.natural, codes.faces) == (40, 45)


def test_a_number_counts_for_the_nearest_value() -> None:
    ages = np.array([*(VALUES["age"][0] - 9,) * 3, VALUES["age"][1] + 1], np.float32)
    smiles = np.array([0, 1, 1, 1], np.float32)
    codes = codes_of(["smile", "age"], SPEC, table({"age": ages, "smile": smiles}, 4), 8, 0.0)
    natural = {code.condition: code.natural for code in codes.codes}
    first, second, *_ = VALUES["age"]
    assert len(natural) == 2 * len(VALUES["age"])
    assert natural[f"smile=0 and age={first}"] == 2
    assert natural[f"smile=1 and age={first}"] == 4
    assert natural[f"smile=1 and age={second}"] == 2


def test_a_program_of_codes_is_one_that_runs() -> None:
    columns = {"glasses": np.array([0, 1], np.float32), "yaw": np.array([0, 30], np.float32)}
    codes = codes_of(["glasses", "yaw"], SPEC, table(columns, 2), 10, 0.5)
    statements = compile(named(dict(enumerate(codes.statements("with euler", seed=70))))).samples
    assert [s.name for s in statements] == [str(i) for i in range(len(codes.codes))]
    assert [s.seed for s in statements] == [70 + i for i in range(len(codes.codes))]
    assert sum(s.count for s in statements) == codes.faces
    assert {s.sampler.name for s in statements} == {"euler"}


@pytest.mark.parametrize("name", VALUES)
def test_values_lie_in_their_attributes_ranges(name: str) -> None:
    attribute = SPEC.attribute(name)
    assert isinstance(attribute, ir.ContinuousAttribute)
    assert all(attribute.low <= value <= attribute.high for value in VALUES[name])


def seen(columns: dict[str, list[float]]) -> Annotations:
    arrays = {name: np.array(column, np.float32) for name, column in columns.items()}
    count = len(next(iter(arrays.values())))
    return Annotations(arrays, np.arange(count, dtype=np.float32)[:, None])


def outcome(codes: Codes, faces: list[Annotations]) -> Outcome:
    statements = compile(named(dict(enumerate(codes.statements("", 0))))).samples
    return Outcome(codes, statements, faces)


def test_every_code_counts_alike_however_many_faces_it_has() -> None:
    codes = (Code("smile=1 and age=20", 2, 2), Code("smile=0 and age=40", 6, 6))
    faces = [
        seen({"smile": [1, 0], "age": [20, 27]}),
        seen({"smile": [0] * 6, "age": [40] * 6}),
    ]
    found = outcome(Codes(("smile", "age"), codes), faces).accuracies()
    assert found["smile"].accuracy == pytest.approx((0.5 + 1.0) / 2)
    assert found["smile"].error is None
    assert found["age"].error == pytest.approx((3.5 + 0) / 2)
    assert found["age"].accuracy == pytest.approx(1 - 1.75 / 70)
    assert found["age"].unit == "years"


def test_distances_are_of_the_allotted_faces() -> None:
    codes = Codes(("smile",), (Code("smile=0", 1, 3), Code("smile=1", 2, 2)))
    faces = [seen({"smile": [0, 0, 0]}), seen({"smile": [1, 1]})]
    reference = SimpleNamespace(distance=lambda features: float((features + 1).sum()))
    prior = cast(Any, SimpleNamespace(reference=reference, floor=float))
    # The features of faces 0, 0 and 1, plus 1 each; and as many unconditioned faces.
    assert outcome(codes, faces).distances(prior) == {"Fréchet": 4.0, "× unconditioned": 4 / 3}
    assert outcome(codes, faces).distances(None) == {"Fréchet": None, "× unconditioned": None}
